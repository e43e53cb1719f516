"""One model of hands, objects and table; controls of its motors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.rig import HandPlace
from dexman_pose.robot.objects.model import simulated_object
from dexman_pose.robot.world.build import World, build_world, world_from_xml
from dexman_pose.robot.world.controls import controls_for, led, limited, stepped
from tests.robot.gripper import SIDE, cube

DOWN = np.array([0.0, 1.0, 0.0, 0.0])


@pytest.fixture
def world(mujoco: Any, gripper: Callable[[str], HandDescription]) -> World:
    hands = [
        HandPlace(gripper("left"), np.array([-0.2, 0.0, 0.3]), DOWN),
        HandPlace(gripper("right"), np.array([0.2, 0.0, 0.3]), DOWN),
    ]
    things = [simulated_object(name, cube()) for name in ("cube", "die")]
    poses = {"cube": se3(np.eye(3), [0, 0, SIDE / 2]), "die": se3(so3_exp([0, 0, 1]), [0.3, 0.1, SIDE / 2])}
    return build_world(hands, things, poses)


def test_it_is_whole_without_any_other_file(world: World) -> None:
    again = world_from_xml(world.xml)
    assert again.objects == ("cube", "die")
    assert len(again.joints) == 16
    assert "file=" not in world.xml
    assert np.allclose(again.model.body_mass, world.model.body_mass)
    assert again.steps == 6
    assert 6 * again.model.opt.timestep == pytest.approx(1 / 30)


def test_start_and_poses_agree(world: World) -> None:
    poses = {"cube": se3(so3_exp([0.1, 0.2, 0.3]), [1, 2, 3]), "die": se3(np.eye(3), [0.5, 0, 0])}
    qpos = world.start(np.arange(16) * 0.01, poses)
    assert np.allclose(world.object_poses(qpos)[0], poses["cube"])
    assert np.allclose(world.object_poses(qpos)[1], poses["die"])
    assert np.allclose(qpos[world.joint_at], np.arange(16) * 0.01)


def test_controls_hold_the_joints_that_they_are_for(world: World) -> None:
    joints = np.linspace(-0.1, 0.1, 16)[None]
    controls = controls_for(world, joints)
    names = [world.model.actuator(i).name for i in range(world.model.nu)]
    at = world.joints.index("right_thumb_joint")
    assert controls[0, names.index("right_thumb_motor")] == pytest.approx(joints[0, at])


def test_controls_are_ahead_where_motors_brake(world: World) -> None:
    ramp = np.linspace(0, 1, 31)[:, None] * np.ones(world.model.nu)
    ahead = led(world, ramp) - ramp
    names = [world.model.actuator(i).name for i in range(world.model.nu)]
    slide, finger = names.index("left_base_tx_motor"), names.index("left_thumb_motor")
    lag = 2.0 * np.sqrt(1000.0) / 1000.0
    assert np.allclose(ahead[:, slide], lag)
    assert np.allclose(ahead[:, finger], 0.05 / 4.0), "a joint's own damping over the motor's stiffness"


def test_a_finger_that_moves_steadily_is_where_it_should_be(mujoco: Any, world: World) -> None:
    """What the lag is for: without it the finger trails behind."""
    joints = np.zeros((31, len(world.joints)))
    finger = world.joints.index("left_thumb_joint")
    joints[:, finger] = np.linspace(0.0, 0.6, 31)
    trailing = []
    for controls in (controls_for(world, joints), led(world, controls_for(world, joints))):
        data = mujoco.MjData(world.model)
        for wanted in stepped(controls, world.steps):
            data.ctrl[:] = wanted
            mujoco.mj_step(world.model, data)
        trailing.append(abs(data.qpos[world.joint_at[finger]] - 0.6))
    assert trailing[0] > 0.005 and trailing[1] < 0.5 * trailing[0]


def test_steps_lie_on_the_way_between_controls() -> None:
    controls = np.array([[0.0], [6.0], [0.0]])
    assert stepped(controls, 6)[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]


def test_controls_stay_in_their_range(world: World) -> None:
    wild = np.full((1, world.model.nu), 99.0)
    assert (limited(world, wild) <= world.model.actuator_ctrlrange[:, 1]).all()


def test_another_model_is_refused(mujoco: Any) -> None:
    with pytest.raises(InputError, match="cannot be compiled"):
        world_from_xml("<mujoco><worldbody><body/></mujoco>")
    with pytest.raises(InputError, match="no free object"):
        world_from_xml("<mujoco/>")
