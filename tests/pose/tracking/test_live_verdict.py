from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.doubt import DOUBT_TEXT, Doubt
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.tracking.live_verdict import LiveOptions, LiveVerdict
from dexman_pose.pose.tracking.options import FramePose
from dexman_pose.pose.tracking.signals import FrameSignals

JUMP, START, NO_POSE = (DOUBT_TEXT[d] for d in (Doubt.JUMP, Doubt.START, Doubt.NO_POSE))
REACH = LiveOptions().track.verdict.shift


def _pose(x: float = 0.0, angle: float = 0.0) -> NDArray[np.float64]:
    return se3(so3_exp(np.array([0.0, 0.0, angle])), np.array([x, 0.0, 0.5]))


def _found(x: float = 0.0, *, angle: float = 0.0, valid: bool = True, colors: float = np.nan) -> FramePose:
    return FramePose(_pose(x, angle), valid, 0.8, 0.8, 0.0, np.eye(6), FrameSignals(colors=colors))


def _verdict(symmetry: SymmetryGroup | None = None) -> LiveVerdict:
    verdict = LiveVerdict(symmetry or SymmetryGroup.trivial(), np.zeros(3), LiveOptions(settled=3))
    assert verdict.start(_found(), _pose(), doubted=False) == ()
    return verdict


def test_a_jump_is_doubted_until_it_was_held_on_to() -> None:
    verdict = _verdict()
    assert verdict.step(_found(0.9 * REACH)) == ()
    far = 4.0 * REACH
    assert [verdict.step(_found(far)) for _ in range(5)] == [(JUMP,), (JUMP,), (JUMP,), (), ()]


def test_a_jump_that_comes_back_is_valid_at_once() -> None:
    verdict = _verdict()
    assert verdict.step(_found(3.0 * REACH)) == (JUMP,)
    assert verdict.step(_found(0.1 * REACH)) == ()


def test_a_pose_that_keeps_jumping_is_never_confirmed() -> None:
    verdict = _verdict()
    assert all(verdict.step(_found((4.0 if i % 2 else 8.0) * REACH)) == (JUMP,) for i in range(12))


def test_turns_count_too_but_not_those_of_the_symmetry() -> None:
    half = SymmetryGroup(np.stack([np.eye(4), np.diag([-1.0, -1.0, 1.0, 1.0])]))
    assert _verdict().step(_found(angle=np.pi)) == (JUMP,)
    assert _verdict(half).step(_found(angle=np.pi)) == ()


def test_the_reach_grows_with_frames_that_passed_and_with_those_out_of_sight() -> None:
    far = 2.5 * REACH
    assert _verdict().step(_found(far)) == (JUMP,)
    assert _verdict().step(_found(far), passed=3) == ()
    verdict = _verdict()
    assert [verdict.step(_found(valid=False)) for _ in range(2)] == [(NO_POSE,)] * 2
    assert verdict.step(_found(far)) == ()


def test_a_doubted_start_is_confirmed_by_a_few_frames_of_colours() -> None:
    verdict = _verdict()
    assert verdict.start(_found(), None, doubted=True) == (START,)
    said = [verdict.step(_found(colors=c)) for c in (0.9, 0.1, 0.9, 0.9, 0.9, 0.1)]
    assert said == [(START,)] * 4 + [()] * 2


def test_a_given_start_that_the_first_picture_leaves_is_doubted() -> None:
    verdict = _verdict()
    off = LiveOptions().track.verdict.start_shift
    assert verdict.start(_found(1.5 * off), _pose(), doubted=False) == (START,)
    assert verdict.start(_found(0.5 * off), _pose(), doubted=False) == ()
    assert verdict.start(_found(angle=0.6), _pose(), doubted=False) == (START,)
