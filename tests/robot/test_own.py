"""Grasps of the robot's own: a hand that is known too badly to hold what it held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.planning.grasp import search_grasps
from dexman_pose.robot.planning.holds import holds_of
from dexman_pose.robot.planning.options import GraspOptions, OwnOptions, PlanOptions
from dexman_pose.robot.planning.own import object_points, own_grasps
from dexman_pose.robot.planning.planner import judged_controls
from dexman_pose.robot.planning.prepare import PrepareOptions, prepare
from dexman_pose.robot.planning.shapes import HandShape
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.planning.ways import fixed
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.skill.plan_file import read_plan
from dexman_pose.robot.skill.tries import OWN
from tests.robot.gripper import SIDE, lifting

SMALL = PlanOptions(
    members=2,
    rounds=1,
    passes=1,
    trials=4,
    settle=0.2,
    grasp=GraspOptions(samples=32, worlds=2, short=4, long=3),
    own=OwnOptions(samples=96, rounds=2, early=1, kept=2),
)


@pytest.fixture(scope="module")
def task(mujoco: Any, gripper: Callable[[str], HandDescription]) -> Task:
    return prepare(lifting(), gripper, fixed(PrepareOptions())).task


def _beside(task: Task, metres: float = 0.08) -> Task:
    """The hand goes beside what it held."""
    (hold,) = holds_of(task, SMALL.grasp or GraspOptions())
    controls = task.controls.copy()
    controls[:, hold.hand.motors[1]] += metres
    return replace(task, controls=controls)


def test_fingers_close_towards_each_other(task: Task) -> None:
    (hold,) = holds_of(task, GraspOptions())
    shape = HandShape(task, hold)
    wide, narrow = (
        np.linalg.norm(np.diff(shape.seen(shape.fingers(share)).tips, axis=0)) for share in (0.0, 0.8)
    )
    assert wide > narrow + 0.05
    open_hand = shape.seen(shape.fingers(0.0))
    assert open_hand.palm[2, 3] > open_hand.tips[:, 2].max(), "the hand points down"
    below = (shape.middle - shape.bases) @ open_hand.palm[:3, :3].T
    assert below[2] < -0.05 and np.abs(below[:2]).max() < 0.01, (
        "what it takes lies under it, between its fingers"
    )


def test_points_of_an_object_are_on_its_pieces(task: Task) -> None:
    points = object_points(task.world, 0)
    assert np.allclose(np.abs(points).max(1), SIDE / 2, atol=1e-6), "all on its sides"
    corners = points[np.isclose(np.abs(points), SIDE / 2, atol=1e-6).all(1)]
    assert len(np.unique(corners.round(6), axis=0)) == 8
    flat = points[np.isclose(points[:, 0], SIDE / 2, atol=1e-6)]
    assert np.linalg.norm(flat[:, 1:], axis=1).min() < SIDE / 8, "also in the middle of a side"


def test_a_hand_that_is_beside_its_object_gets_a_grasp_of_its_own(task: Task) -> None:
    lost = _beside(task)
    assert judged_controls(lost, lost.controls, SMALL).share == 0.0
    best = 0.0
    tasks, steps = own_grasps(lost, SMALL)
    assert len(tasks) == 2 and steps > 0
    for begun in tasks:
        assert begun.world is task.world
        found = search_grasps(begun, SMALL)
        assert found is not None
        best = max(best, found.share)
    assert best == 1.0


def test_the_same_seed_gives_the_same_grasps(task: Task) -> None:
    few = replace(SMALL, own=OwnOptions(samples=24, rounds=1, early=1, kept=1))
    (a,), (b,), (c,) = (
        [t.controls for t in own_grasps(_beside(task), replace(few, seed=seed))[0]] for seed in (0, 0, 1)
    )
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_a_grasp_that_holds_is_left_alone(task: Task) -> None:
    assert own_grasps(task, SMALL)[0] == []
    assert own_grasps(_beside(task), replace(SMALL, own=None)) == ([], 0)
    assert own_grasps(_beside(task), replace(SMALL, grasp=None)) == ([], 0)


def test_a_plan_says_that_its_grasp_is_its_own(
    mujoco: Any, gripper: Callable[[str], HandDescription], tmp_path: Path
) -> None:
    """A hand that is known 2 cm beside the cube, and a search that looks nowhere else."""
    motion = lifting()
    hand = motion.hands["right"]
    moved = replace(motion, hands={"right": replace(hand, joints=hand.joints + np.array([0.0, 0.02, 0.0]))})
    nowhere = GraspOptions(samples=8, worlds=2, short=1, long=1, slide=1e-4, hinge=1e-3, finger=1e-3)
    said: list[str] = []
    plan = plan_motion(moved, gripper, options=replace(SMALL, grasp=nowhere), out=tmp_path, said=said.append)
    assert plan.about["search"]["by"] == OWN and plan.about["search"]["own_grasp"]
    assert any("the robot's own" in doubt for doubt in plan.about["doubts"])
    assert any(line.startswith("doubt: how something is held is the robot's own") for line in said)
    assert read_plan(tmp_path).about["search"] == plan.about["search"]
    assert not list(tmp_path.glob("*unfinished*"))
    plain = plan_motion(moved, gripper, options=replace(SMALL, grasp=nowhere, own=None))
    assert not plain.about["search"]["own_grasp"] and plain.about["doubts"] == []


def test_a_hand_whose_fingers_are_not_known_has_none_and_the_plan_goes_on(
    mujoco: Any, gripper: Callable[[str], HandDescription]
) -> None:
    """Motors with a gear: a control is no angle of a joint."""
    task = prepare(lifting(), gripper, fixed(PrepareOptions())).task
    geared = mujoco.MjSpec.from_string(task.world.xml)
    for motor in geared.actuators:
        motor.gear = [2.0, 0, 0, 0, 0, 0]
    other = _beside(replace(task, world=replace(task.world, model=geared.compile())))
    assert own_grasps(other, SMALL)[0] == []


def test_a_hold_that_begins_late_is_paid_for_by_itself(task: Task) -> None:
    """The hand waits ten times as long as it holds: the wait costs nothing, and hides nothing."""
    wait = 200
    lost = _beside(task)

    def late(values: np.ndarray) -> np.ndarray:
        return np.concatenate([np.repeat(values[:1], wait, 0), values])

    names = ("controls", "joints", "reference", "touch_object", "touch_point", "touch_weight")
    waited = replace(lost, **{name: late(getattr(lost, name)) for name in names})
    few = replace(SMALL, own=OwnOptions(samples=8, rounds=0, kept=1))
    assert len(own_grasps(waited, few)[0]) == 1
    assert own_grasps(replace(waited, controls=late(task.controls)), few)[0] == []


def test_angles_of_a_palm_that_is_turned_far_do_not_jump() -> None:
    from scipy.spatial.transform import Rotation

    from dexman_pose.robot.planning.own import _continuous

    turns = [Rotation.from_rotvec(share * np.array([0.4, 2.6, 0.9])) for share in np.linspace(0, 1, 40)]
    angles = np.stack([turn.as_euler("XYZ") for turn in turns])
    assert np.abs(np.diff(angles, axis=0)).max() > 1.0, "the case is one in which they do"
    found = _continuous(angles)
    assert np.abs(np.diff(found, axis=0)).max() < 0.5
    for turn, same in zip(turns, found):
        assert (turn.inv() * Rotation.from_euler("XYZ", same)).magnitude() < 1e-9
