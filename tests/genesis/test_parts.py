"""A world taken apart for another simulator: nothing is lost, nothing is added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.genesis.engine import genesis
from dexman_pose.genesis.options import GenesisOptions
from dexman_pose.genesis.parts import driven_by, parts_of
from dexman_pose.genesis.worlds import _friction
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.planning.prepare import prepare
from dexman_pose.robot.planning.task import Task
from tests.robot.conftest import gripper, mujoco  # noqa: F401
from tests.robot.gripper import lifting


@pytest.fixture(scope="module")
def task(mujoco: Any, gripper: Callable[[str], HandDescription]) -> Task:  # noqa: F811
    return prepare(lifting(), gripper).task


def test_hands_and_objects_are_models_of_their_own(task: Task, mujoco: Any) -> None:  # noqa: F811
    parts, whole = parts_of(task.world), task.world.model
    hands = mujoco.MjModel.from_xml_string(parts.hands)
    cube = mujoco.MjModel.from_xml_string(parts.objects["cube"])
    assert set(parts.objects) == {"cube"}
    assert (hands.nq + cube.nq, hands.nu, cube.nu) == (whole.nq, whole.nu, 0)
    assert hands.ngeom + cube.ngeom + 1 == whole.ngeom, "the table is made by the other simulator"
    assert hands.body_mass.sum() + cube.body_mass.sum() == pytest.approx(whole.body_mass.sum())
    at = whole.body("object_cube").id
    np.testing.assert_allclose(cube.body_inertia[1], whole.body_inertia[at])
    assert [hands.joint(i).name for i in range(hands.njnt)] == list(task.world.joints)


def test_every_motor_drives_its_joint(task: Task) -> None:
    driven = driven_by(task.world)
    assert set(driven.joints) <= set(task.world.joints)
    controls = np.arange(task.world.model.nu, dtype=float)
    targets = dict(zip(driven.joints, driven.targets(controls)))
    motor = task.world.model.actuator("right_base_tz_motor").id
    assert targets["right_base_tz"] == motor


def test_a_tendon_gives_each_of_its_joints_half(mujoco: Any) -> None:  # noqa: F811
    from types import SimpleNamespace

    model = mujoco.MjModel.from_xml_string(
        """<mujoco><worldbody><body><joint name="a" axis="1 0 0"/><geom size="0.1"/>
        <body pos="0 0 1"><joint name="b" axis="1 0 0"/><geom size="0.1"/></body></body></worldbody>
        <tendon><fixed name="both"><joint joint="a" coef="1"/><joint joint="b" coef="1"/></fixed></tendon>
        <actuator><position tendon="both"/></actuator></mujoco>"""
    )
    world: Any = SimpleNamespace(model=model)
    driven = driven_by(world)
    assert driven.joints == ("a", "b")
    np.testing.assert_allclose(driven.targets(np.array([[1.2]])), [[0.6, 0.6]])


def test_friction_is_read_by_kind(task: Task) -> None:
    assert _friction(task.world) == {"hands": 1.0, "objects": 1.0, "table": pytest.approx(_table(task))}


def _table(task: Task) -> float:
    model = task.world.model
    return float(model.geom_friction[model.geom("table").id, 0])


def test_a_backend_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="cpu or gpu"):
        genesis(GenesisOptions(backend="tpu"))
