"""Grasps that stay as they are while they hold, and the search for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, matrix_from_quaternion, transform_points
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.motion.fixed import FixedOptions, with_fixed_grasps
from dexman_pose.robot.motion.touch import touches_of
from dexman_pose.robot.motion.types import Motion
from dexman_pose.robot.objects.model import ContactOptions, ObjectOptions
from dexman_pose.robot.planning.grasp import GraspState, search_grasps
from dexman_pose.robot.planning.holds import HoldChanges
from dexman_pose.robot.planning.kept_grasp import GraspKeeper
from dexman_pose.robot.planning.options import GraspOptions, PlanOptions
from dexman_pose.robot.planning.planner import judged_controls
from dexman_pose.robot.planning.prepare import Prepared, PrepareOptions, prepare
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.planning.ways import fixed
from dexman_pose.robot.skill.evaluate import evaluate
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.skill.plan_file import NAME, read_plan
from dexman_pose.robot.world.build import WorldOptions
from dexman_pose.robot.world.controls import limited
from tests.robot.gripper import FRAMES, LIFT, lifting

SMALL = PlanOptions(
    samples=12,
    members=2,
    rounds=2,
    horizon=9,
    passes=1,
    trials=6,
    settle=0.2,
    grasp=GraspOptions(samples=32, worlds=2, short=10, long=4),
)
MOVING = {"cube": np.arange(FRAMES) >= LIFT}
SLIPPERY = PrepareOptions(
    objects=ObjectOptions(masses={"cube": 1.1}),
    world=WorldOptions(contact=ContactOptions(friction=0.3, table_friction=0.3)),
)
"""What the retargeted grip, 8 N at most, does not hold."""


@pytest.fixture(scope="module")
def ready(mujoco: Any, gripper: Callable[[str], HandDescription]) -> Prepared:
    return prepare(lifting(), gripper, fixed(PrepareOptions()))


def _slipping() -> Motion:
    """A hand that slides up along what it lifts, and turns away from it."""
    motion = lifting()
    hand = motion.hands["right"]
    late = np.clip(np.arange(FRAMES) - LIFT, 0, None)[:, None, None]
    joints = hand.joints + late * np.array([0.0004, 0.0, 0.001])
    return replace(motion, hands={"right": replace(hand, joints=joints)})


def _seen(motion: Motion, side: str = "right") -> np.ndarray:
    """(T, 21, 3) joints in the cube's frame."""
    return transform_points(inverse(motion.objects["cube"].world_from_object), motion.hands[side].joints)


def test_a_fixed_grasp_goes_with_what_it_holds() -> None:
    motion = _slipping()
    found = with_fixed_grasps(motion, touches_of(motion), MOVING, FixedOptions(blend=0.1))
    before, after = _seen(motion), _seen(found)
    assert np.abs(before[LIFT:] - before[LIFT]).max() > 0.005, "the case is one in which it matters"
    assert np.allclose(after[LIFT:], before[LIFT], atol=1e-9)
    assert np.array_equal(found.hands["right"].joints[: LIFT - 4], motion.hands["right"].joints[: LIFT - 4])
    assert found.objects is motion.objects or found.objects == motion.objects


def test_a_grasp_ends_where_the_object_rests_again() -> None:
    motion = _slipping()
    moving = {"cube": (np.arange(FRAMES) >= LIFT) & (np.arange(FRAMES) < LIFT + 6)}
    found = with_fixed_grasps(motion, touches_of(motion), moving, FixedOptions(blend=0.1))
    last = slice(LIFT + 6 + 3, None)
    assert np.allclose(found.hands["right"].joints[last], motion.hands["right"].joints[last], atol=1e-12)


def test_hands_that_do_not_hold_are_left_as_they_were() -> None:
    motion = lifting()
    hand = motion.hands["right"]
    away = replace(motion, hands={"right": replace(hand, joints=hand.joints + [0.2, 0.0, 0.0])})
    found = with_fixed_grasps(away, touches_of(away), MOVING)
    assert np.array_equal(found.hands["right"].joints, away.hands["right"].joints)


def test_a_hand_lets_go_of_what_another_one_takes() -> None:
    one, other = _slipping(), lifting("left")
    taken = LIFT + 8
    right = one.hands["right"].joints.copy()
    right[taken:] += [0.3, 0.0, 0.0]
    left = other.hands["left"].joints.copy()
    left[:taken] += [-0.3, 0.0, 0.0]
    hands = {
        "right": replace(one.hands["right"], joints=right),
        "left": replace(other.hands["left"], joints=left),
    }
    motion = Motion(hands, one.objects)
    found = with_fixed_grasps(
        motion, touches_of(motion), MOVING, FixedOptions(blend=0.1, share=0.3, come=0.1)
    )
    was, seen = _seen(motion), _seen(found)
    assert np.allclose(seen[LIFT:taken], was[LIFT], atol=1e-9)
    assert np.allclose(seen[taken + 3 :], was[taken + 3 :], atol=1e-9), "it is gone"
    alone = with_fixed_grasps(
        replace(motion, hands={"right": hands["right"]}),
        touches_of(motion)[:1],
        MOVING,
        FixedOptions(share=0.3),
    )
    assert np.allclose(_seen(alone)[LIFT:], was[LIFT], atol=1e-9), "where nobody takes it, it stays"


def test_holds_begin_when_fingers_have_closed(ready: Prepared) -> None:
    (hold,) = HoldChanges(ready.task, GraspOptions()).holds
    assert hold.thing == 0 and LIFT - 6 <= hold.start <= LIFT and hold.stop == ready.task.num_frames
    names = [ready.task.world.model.actuator(i).name for i in hold.fingers]
    assert sorted(names) == ["right_index_motor", "right_thumb_motor"]
    assert hold.comes[0] == 0.0 and hold.comes[hold.start - 2 :].min() == 1.0
    assert not hold.closes[: hold.start - 6].any() and (hold.closes[hold.start :] == 1.0).all()


def test_a_change_of_a_hold_moves_the_palm_with_the_object(ready: Prepared) -> None:
    """Half a turn about the vertical on the way: what was to the left of the cube is to its right after it."""
    turned = ready.task.reference.copy()
    half = np.linspace(0.0, np.pi / 2, ready.task.num_frames)
    turned[:, 0, 3:] = np.stack([np.cos(half), 0 * half, 0 * half, np.sin(half)], 1)
    task = replace(ready.task, reference=turned)
    changes = HoldChanges(task, GraspOptions())
    (hold,) = changes.holds
    assert len(changes.sigma) == 6 + 2
    change = np.zeros(8)
    change[:3], change[6:] = [0.01, 0.0, 0.002], [0.1, -0.2]
    plain, moved = changes.controls(np.stack([np.zeros(8), change]))
    assert np.allclose(plain, limited(task.world, task.controls), atol=1e-12)
    shift = (moved - plain)[:, hold.hand.motors[:3]] @ hold.hand._turn.T  # type: ignore[attr-defined]
    wanted = matrix_from_quaternion(turned[:, 0, 3:]) @ change[:3]
    assert np.allclose(shift[hold.start :], wanted[hold.start :], atol=1e-9)
    assert not np.allclose(wanted[hold.start], wanted[-1], atol=5e-3), "the case is one in which it matters"
    fingers = (moved - plain)[:, hold.fingers]
    assert np.allclose(fingers[0], 0.0) and np.abs(fingers[hold.start]).max() > 0.09


def _beside(ready: Prepared) -> Task:
    """The hand comes down 3 cm beside the cube."""
    task = ready.task
    controls = task.controls.copy()
    motors = [
        i for i in range(task.world.model.nu) if task.world.model.actuator(i).name.endswith("base_ty_motor")
    ]
    controls[:, motors] += 0.03
    return replace(task, controls=controls)


def test_a_grasp_is_found_that_holds_in_other_worlds_too(ready: Prepared) -> None:
    task = _beside(ready)
    assert judged_controls(task, task.controls, SMALL).share == 0.0
    found = search_grasps(task, SMALL)
    assert found is not None and found.share >= SMALL.enough
    assert found.steps > 0 and found.passes >= 2
    others = judged_controls(task, found.controls, replace(SMALL, seed=5, trials=10))
    assert others.share >= 0.8


def test_the_same_seed_finds_the_same_grasp_and_an_interrupted_search_too(
    ready: Prepared, tmp_path: Path
) -> None:
    task = _beside(ready)
    grasp = GraspOptions(samples=12, worlds=2, short=3, long=2, hopeless=1e9, firm=2.0)
    o = replace(SMALL, enough=2.0, grasp=grasp)
    whole = search_grasps(task, o)
    file = tmp_path / "grasps_unfinished.npz"
    keeper = GraspKeeper(file, task, o)
    for last in (1, 4):

        class Stop(Exception):
            pass

        def stop(state: GraspState, last: int = last) -> None:
            keeper.keep(state)
            if state.number == last:
                raise Stop

        with pytest.raises(Stop):
            search_grasps(task, o, begun=keeper.begun(), keep=stop)
        begun = keeper.begun()
        assert begun is not None and begun.number == last
    again = search_grasps(task, o, begun=keeper.begun(), keep=keeper.keep)
    assert whole is not None and again is not None and whole.passes == 5
    assert np.array_equal(whole.controls, again.controls) and whole.rank == again.rank
    ended = keeper.begun()
    assert ended is not None and ended.left == 0
    at_once = search_grasps(task, o, begun=ended)
    assert at_once is not None and np.array_equal(at_once.controls, whole.controls)
    assert GraspKeeper(file, task, replace(o, seed=1)).begun() is None, "other settings begin anew"
    file.write_bytes(b"broken")
    assert keeper.begun() is None


def test_where_nothing_is_held_nothing_is_searched(ready: Prepared) -> None:
    untouched = replace(ready.task, touch_weight=np.zeros_like(ready.task.touch_weight))
    assert search_grasps(untouched, SMALL) is None
    assert search_grasps(ready.task, replace(SMALL, grasp=None)) is None


def test_a_plan_comes_of_the_grasp_search_where_the_motion_does_not_hold(
    mujoco: Any, gripper: Callable[[str], HandDescription], tmp_path: Path
) -> None:
    said: list[str] = []
    plan = plan_motion(lifting(), gripper, preparing=SLIPPERY, options=SMALL, out=tmp_path, said=said.append)
    search = plan.about["search"]
    assert search["by"] == "grasp search" and search["grasps"] == "fixed", said
    assert evaluate(plan, replays=4).succeeded >= 3
    assert sorted(f.name for f in tmp_path.iterdir()) == [NAME]
    assert any("by retargeting: 0%" in line for line in said)
    assert read_plan(tmp_path).about["search"] == search


def test_where_no_grasp_is_found_frames_are_searched(
    mujoco: Any, gripper: Callable[[str], HandDescription]
) -> None:
    """One generation, around grips that do not hold, finds nothing."""
    grasp = GraspOptions(samples=4, short=1, long=1, hopeless=-1.0, slide=1e-6, hinge=1e-6, finger=1e-6)
    few = replace(SMALL, samples=4, rounds=1, trials=2, grasp=grasp, own=None)
    said: list[str] = []
    plan = plan_motion(lifting(), gripper, preparing=SLIPPERY, options=few, said=said.append)
    assert [line for line in said if "by grasp search: 0%" in line]
    assert plan.about["search"]["grasps"] == "as measured" and plan.about["search"]["by"] == "search"
    assert any("as measured, by search" in line for line in said)


def test_holds_that_follow_each_other_do_not_spoil_each_other() -> None:
    """Lifted, put down, and lifted again with the hand elsewhere: blends end where the other hold is."""
    motion = _slipping()
    hand = motion.hands["right"]
    joints = hand.joints.copy()
    joints[18:] += [0.01, 0.0, 0.0]
    motion = replace(motion, hands={"right": replace(hand, joints=joints)})
    frames = np.arange(FRAMES)
    moving = {"cube": ((frames >= 10) & (frames < 16)) | (frames >= 19)}
    found = _seen(with_fixed_grasps(motion, touches_of(motion), moving))
    assert np.allclose(found[10:16], found[10], atol=1e-9) and np.allclose(found[19:], found[19], atol=1e-9)
    assert np.abs(found[19] - found[10]).max() > 0.005


def test_a_hand_that_comes_late_holds_as_when_it_has_come() -> None:
    motion = lifting()
    hand = motion.hands["right"]
    joints = hand.joints.copy()
    joints[: LIFT + 4] += [0.0, 0.1, 0.0]
    motion = replace(motion, hands={"right": replace(hand, joints=joints)})
    found = with_fixed_grasps(motion, touches_of(motion), MOVING)
    assert touches_of(found)[0].touching[LIFT:].any(1).all(), (
        "not as far away as when the object began to move"
    )


def test_a_pause_in_which_the_hand_stays_closed_ends_no_hold(ready: Prepared) -> None:
    weight = ready.task.touch_weight.copy()
    weight[18:20] *= 0.6
    assert len(HoldChanges(replace(ready.task, touch_weight=weight), GraspOptions()).holds) == 1
    weight[18:20] = 0.0
    first, second = HoldChanges(replace(ready.task, touch_weight=weight), GraspOptions()).holds
    assert first.stop == 18 and second.start == 20
    assert len(HoldChanges(replace(ready.task, touch_weight=weight), GraspOptions()).sigma) == 2 * (6 + 2)


def test_no_change_is_none_wherever_the_palm_is_turned_to(ready: Prepared) -> None:
    """Other angles mean the same turn: hinges beyond a quarter of a turn would jump."""
    task = ready.task
    controls = task.controls.copy()
    motors = [i for i in range(task.world.model.nu) if "base_r" in task.world.model.actuator(i).name]
    controls[:, motors] += [0.2, 2.0, -0.4]
    changes = HoldChanges(replace(task, controls=controls), GraspOptions())
    same, turned = changes.controls(np.stack([np.zeros(8), np.array([0, 0, 0, 0.1, 0, 0, 0, 0])]))
    assert np.allclose(same, limited(task.world, controls), atol=1e-9)
    assert 0.05 < np.abs(turned - same)[:, motors].max() < 0.3


def test_without_a_first_stage_the_second_does_it_all(ready: Prepared) -> None:
    grasp = GraspOptions(samples=12, worlds=2, short=0, long=2, firm=2.0)
    found = search_grasps(_beside(ready), replace(SMALL, grasp=grasp))
    assert found is not None and found.passes == 2


def test_one_way_is_tried_where_the_other_is_not_asked_for(
    mujoco: Any, gripper: Callable[[str], HandDescription], tmp_path: Path
) -> None:
    (tmp_path / "my_unfinished.npz").write_bytes(b"somebody's")
    o = replace(
        SMALL, samples=4, rounds=1, trials=2, other=0.0, grasp=GraspOptions(samples=4, short=1, long=1)
    )
    said: list[str] = []
    plan_motion(lifting(), gripper, preparing=SLIPPERY, options=o, out=tmp_path, said=said.append)
    assert any("grasp search" in line for line in said) and not any("plain" in line for line in said)
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted([NAME, "my_unfinished.npz"])


def test_a_fixed_grasp_out_of_reach_is_told_and_left(
    mujoco: Any, gripper: Callable[[str], HandDescription], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dexman_pose.robot.skill import tries

    def prepared(motion: Motion, describe: Any, options: PrepareOptions, body: Any) -> Prepared:
        if options.fixed is not None:
            raise InputError("the g1 reaches this motion from nowhere")
        return prepare(motion, describe, options, body)

    monkeypatch.setattr(tries, "prepare", prepared)
    said: list[str] = []
    plan = plan_motion(
        lifting(), gripper, preparing=SLIPPERY, options=replace(SMALL, samples=4, rounds=1), said=said.append
    )
    assert plan.about["search"]["grasps"] == "as measured"
    assert sum("from nowhere" in line for line in said) == 2
