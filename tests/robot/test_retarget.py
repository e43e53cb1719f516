"""Joints of a robot's hand for a person's: exact where it can be, within limits, smooth, and honest where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.rig import HandPlace
from dexman_pose.robot.motion.touch import touches_of
from dexman_pose.robot.retarget.banded import BandedSystem
from dexman_pose.robot.retarget.grip import GripOptions, _balanced
from dexman_pose.robot.retarget.kinematics import HandKinematics, palm_of
from dexman_pose.robot.retarget.motion import PressOptions, retarget
from dexman_pose.robot.retarget.solve import RetargetOptions, solve_motion
from dexman_pose.robot.retarget.together import together
from tests.robot.gripper import FRAMES, GRASP, LIFT, SIDE, lifting

HELD = {"cube": np.clip((np.arange(FRAMES) - GRASP) / 3.0, 0.0, 1.0)}


@pytest.fixture
def hand(mujoco: Any, gripper: Callable[[str], HandDescription]) -> HandKinematics:
    return HandKinematics(
        HandPlace(gripper("right"), np.array([0.0, 0.0, 0.2]), np.array([0.0, 1.0, 0.0, 0.0]))
    )


def test_the_banded_system_is_the_dense_one() -> None:
    rng = np.random.default_rng(0)
    frames, size = 6, 3
    blocks = rng.standard_normal((frames, size, size))
    blocks = blocks @ np.swapaxes(blocks, 1, 2) + np.eye(size)
    first, second = rng.random(size), rng.random(size)
    system = BandedSystem(frames, size)
    system.add_blocks(blocks)
    system.add_differences(first, 1)
    system.add_differences(second, 2)
    dense = np.zeros((frames * size, frames * size))
    for t in range(frames):
        dense[t * size : (t + 1) * size, t * size : (t + 1) * size] = blocks[t]
    for weights, order in ((first, 1), (second, 2)):
        d = np.kron(np.diff(np.eye(frames), order, axis=0), np.diag(np.sqrt(weights)))
        dense += d.T @ d
    assert np.allclose(system.diagonal(), np.diag(dense))
    right, damping = rng.standard_normal(frames * size), rng.random(frames * size)
    free = rng.random(frames * size) > 0.3
    found = system.solved(right, damping, free)
    assert found is not None
    kept = np.ix_(free, free)
    assert np.allclose(found[free], np.linalg.solve((dense + np.diag(damping))[kept], right[free]))
    assert not found[~free].any()


def test_derivatives_are_those_of_differences(hand: HandKinematics) -> None:
    q = np.array([0.01, -0.02, 0.03, 0.2, -0.3, 0.1, 0.2, -0.4])
    _, jacobian = hand.points_and_jacobian(q)
    for i in range(len(q)):
        step = 1e-6 * np.eye(len(q))[i]
        numeric = (hand.points(q + step) - hand.points(q - step)).reshape(-1) / 2e-6
        assert np.allclose(jacobian[:, i], numeric, atol=1e-8)


def test_joints_that_were_there_are_found_again(hand: HandKinematics) -> None:
    rng = np.random.default_rng(1)
    path = np.cumsum(rng.standard_normal((12, len(hand.joints))) * 0.02, axis=0)
    targets = np.array([hand.points(q) for q in path])
    palms = np.tile(np.diag([1.0, -1, -1]), (12, 1, 1)), np.tile([0.0, 0, 0.2], (12, 1))
    found = solve_motion(hand, targets, palms)
    reached = np.array([hand.points(q) for q in found])
    assert np.abs(reached - targets).max() < 2e-3


def test_limits_hold_and_the_rest_still_fits(hand: HandKinematics) -> None:
    q = np.zeros(len(hand.joints))
    targets = np.tile(hand.points(q), (5, 1, 1))
    targets[:, 0] += [-0.3, 0.0, 0.0]  # far beyond what the thumb can open
    palms = np.tile(np.diag([1.0, -1, -1]), (5, 1, 1)), np.tile([0.0, 0, 0.2], (5, 1))
    found = solve_motion(hand, targets, palms)
    assert (found >= hand.lower - 1e-9).all()
    assert (found <= hand.upper + 1e-9).all()
    assert np.isfinite(found).all()


def test_the_palm_is_found_whatever_its_turn(gripper: Callable[[str], HandDescription]) -> None:
    motion = lifting()
    rotations, places = palm_of(gripper("right"), motion.hands["right"].joints)
    assert np.allclose(rotations, np.diag([1.0, -1.0, -1.0]), atol=1e-9)
    assert places[0, 2] == pytest.approx(SIDE / 2 + 0.08)


def test_tips_press_where_the_person_touched(mujoco: Any, gripper: Callable[[str], HandDescription]) -> None:
    motion = lifting()
    touches = touches_of(motion)
    found = retarget(motion, gripper("right"), touches, HELD, PressOptions(depth=0.01))
    assert np.median(found.error) < 1e-3
    assert not found.notes
    tips = np.array([found.kinematics.points(q)[:2] for q in found.joints])
    width = tips[:, 1, 0] - tips[:, 0, 0]
    assert width[0] == pytest.approx(0.08, abs=3e-3), "an open hand is not pressed"
    assert width[LIFT + 4] == pytest.approx(SIDE - 0.02, abs=3e-3)
    assert "thumb" in found.told()


def test_a_tip_that_cannot_reach_is_named(mujoco: Any, gripper: Callable[[str], HandDescription]) -> None:
    motion = lifting()
    joints = motion.hands["right"].joints.copy()
    far = replace(motion, hands={"right": replace(motion.hands["right"], joints=joints)})
    touches = touches_of(far)
    moved = tuple(replace(t, point=t.point + [0.0, 0.12, 0.0]) for t in touches)
    found = retarget(far, gripper("right"), moved, HELD)
    moved_one = tuple(
        replace(t, point=np.where(np.arange(9)[None, :, None] == 0, t.point + [-0.2, 0.1, 0.0], t.point))
        for t in touches
    )
    found = retarget(far, gripper("right"), moved_one, HELD)
    assert any("thumb_tip stays" in note for note in found.notes)


def test_a_thumb_presses_as_much_as_the_fingers_against_it() -> None:
    o = GripOptions()
    inward = np.array([[1.0, 0, 0]] + [[-1.0, 0, 0]] * 4)
    at = np.array([[-0.02, 0, 0]] + [[0.02, y, 0] for y in (-0.03, -0.01, 0.01, 0.03)])
    found = _balanced(np.full(5, 2.0), np.ones(5), inward, at, o)
    assert found[0] == pytest.approx(found[1:].sum(), rel=0.15)
    assert np.allclose(found[1:], found[1], rtol=0.1)
    assert found.sum() == pytest.approx(10.0, rel=0.05), "together they bear what they should"


def test_tips_that_nothing_opposes_press_little() -> None:
    o = GripOptions()
    inward = np.tile([1.0, 0, 0], (3, 1))
    at = np.array([[0.0, y, 0.0] for y in (-0.02, 0.0, 0.02)])
    assert _balanced(np.full(3, 4.0), np.ones(3), inward, at, o).sum() < 1.0


def test_a_grip_is_the_force_on_the_tips(mujoco: Any, gripper: Callable[[str], HandDescription]) -> None:
    """3 N more are pressed, as far as the soft contact does not give way; the rest comes of the fingers' thickness."""
    from dexman_pose.robot.planning.prepare import PrepareOptions, prepare
    from dexman_pose.robot.skill.replay import replay
    from dexman_pose.robot.world.controls import limited

    pressed = []
    for force in (1.0, 4.0):
        grip = GripOptions(margin=0.0, least=force)
        ready = prepare(
            lifting(height=0.05), gripper, PrepareOptions(press=PressOptions(depth=0.0), grip=grip)
        )
        task = ready.task
        episode = replay(task.world, task.start, limited(task.world, task.controls), settle=0.2)
        tips = [task.world.points.index(f"right_{f}_tip") for f in ("thumb", "index")]
        pressed.append(episode.force[-3:, tips])
    more = pressed[1] - pressed[0]
    assert (more > 1.5).all(), "soft contacts give way, and servos with them"
    assert (more < 3.2).all()


def test_what_overlaps_is_found_and_how_it_changes(hand: HandKinematics) -> None:
    q = np.zeros(len(hand.joints))
    assert hand.overlaps(q, 0.001) == []
    q[-2:] = 0.55  # both fingers bent over the palm, through each other
    (found,) = hand.overlaps(q, 0.001)
    assert set(found.parts) == {"right_thumb", "right_index"}
    assert found.gap < 0.0
    for i in range(len(q)):
        step = 1e-5 * np.eye(len(q))[i]
        (more,), (less,) = hand.overlaps(q + step, 0.001), hand.overlaps(q - step, 0.001)
        assert found.change[i] == pytest.approx((more.gap - less.gap) / 2e-5, abs=2e-3)


def test_fingers_are_kept_out_of_each_other(hand: HandKinematics) -> None:
    q = np.zeros(len(hand.joints))
    q[-2:] = 0.55
    targets = np.tile(hand.points(q), (5, 1, 1))
    palms = np.tile(np.diag([1.0, -1, -1]), (5, 1, 1)), np.tile([0.0, 0, 0.2], (5, 1))
    deep = []
    for clear in (0.0, 0.001):
        found = solve_motion(hand, targets, palms, RetargetOptions(clear=clear))
        deep.append(max([0.0, *(-x.gap for q in found for x in hand.overlaps(q, 0.0))]))
    assert deep[0] > 0.005
    assert deep[1] < 0.5 * deep[0], "soft: the tips' aims count, too"


def test_two_hands_give_way_to_each_other(mujoco: Any, gripper: Callable[[str], HandDescription]) -> None:
    motion, touches = lifting(), touches_of(lifting())
    one = retarget(motion, gripper("right"), touches, HELD)
    hand = motion.hands["right"]
    for apart, same in ((0.4, True), (0.03, False)):
        other = replace(hand, side="left", joints=hand.joints + [0.0, apart, 0.0])
        both = replace(motion, hands={"left": other, "right": hand})
        alone = (one, retarget(both, gripper("left"), (), HELD))
        found = together(alone)
        assert (found is alone) == same, "hands that never meet are left as they are"
    kinematics = found[0].kinematics
    assert kinematics is found[1].kinematics and len(found[0].names) == 16

    def meeting(q: np.ndarray) -> float:
        pairs = [x for x in kinematics.overlaps(q, 0.0) if len({part.split("_")[0] for part in x.parts}) == 2]
        return max([0.0, *(-x.gap for x in pairs)])

    before = meeting(np.concatenate([one.joints[0], alone[1].joints[0]]))
    assert before == pytest.approx(0.01, abs=1e-3)
    assert meeting(found[0].joints[0]) < 0.5 * before
    assert found[0].overlap[0] == pytest.approx(meeting(found[0].joints[0]), abs=1e-4)
