"""What hands cover: their fingers and palm, in every form that hands come in."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import JOINT_NAMES, Camera, HandObservations, HandTrack
from dexman_pose.pose.tracking.hand_cover import FINGER, FOREARM, FOREARM_LENGTH, hands_over, seen_joints

CAMERA = Camera.from_focal(200.0, 160, 120)
TIPS = [i for i, name in enumerate(JOINT_NAMES) if name.endswith("_tip")]


def hand(x: float = 70.0, y: float = 100.0, size: float = 1.0, spread: float = 0.35) -> NDArray[np.float64]:
    """(21, 2) pixels of a hand, its wrist at a pixel, fingers up and apart; the palm is 40 pixels long."""
    out = np.zeros((21, 2))
    for finger in range(5):
        way = np.array([(finger - 2) * spread, -1.0])
        for joint in range(4):
            out[1 + 4 * finger + joint] = way * (40.0 + 10.0 * joint)
    return out * size + [x, y]


def test_fingers_and_palm_are_covered_and_little_else() -> None:
    joints = hand()
    covered = hands_over([joints], CAMERA)
    assert covered is not None and covered.shape == (120, 160) and covered.dtype == np.bool_
    for x, y in np.round(joints).astype(int):
        assert covered[y, x]
    x, y = np.round(joints[[0, 5, 17]].mean(0)).astype(int)  # the middle of the palm
    assert covered[y, x]
    # Midway between finger tips, and beyond them, is the ground; a finger is as wide as it is said to be.
    between = np.round(joints[TIPS[:-1]] + joints[TIPS[1:]]).astype(int) // 2
    assert not covered[between[:, 1], between[:, 0]].any()
    tip = np.round(joints[TIPS[2]]).astype(int)
    across = covered[tip[1] + 2, tip[0] - 12 : tip[0] + 13].sum()
    assert across == pytest.approx(2 * FINGER * 40.0, abs=3)
    assert not covered[: tip[1] - 10].any()


def test_the_forearm_behind_the_wrist_is_covered() -> None:
    joints = hand(80.0, 60.0, 0.4, spread=0.0)
    covered = hands_over([joints], CAMERA)
    assert covered is not None
    palm, wrist = 16, 60
    half = round(FOREARM * palm)
    for below in (4, round((FOREARM_LENGTH - 0.2) * palm)):
        row = covered[wrist + below]
        assert row[80 - half + 1 : 80 + half].all()
        assert not row[: 80 - half - 2].any()
        assert not row[80 + half + 3 :].any()
    assert not covered[wrist + round((FOREARM_LENGTH + 1.0) * palm) :].any()


def test_the_palm_is_covered_between_its_bones() -> None:
    joints = hand(spread=0.8)
    covered = hands_over([joints], CAMERA)
    assert covered is not None
    wrist, index, middle = joints[[0, 5, 9]]
    between = np.round(0.25 * wrist + 0.375 * (index + middle)).astype(int)
    bone = (index - wrist) / np.linalg.norm(index - wrist)
    off = between - wrist
    assert abs(bone[0] * off[1] - bone[1] * off[0]) > 2 + FINGER * 40.0  # of the bones' own width
    assert covered[between[1], between[0]]


def test_hands_twice_as_large_cover_four_times_as_much() -> None:
    small, large = (hands_over([hand(size=size)], CAMERA) for size in (0.5, 1.0))
    assert small is not None and large is not None
    assert large.sum() == pytest.approx(4 * small.sum(), rel=0.1)


def test_several_hands_are_covered_together_and_none_covers_nothing() -> None:
    first, second = hand(40.0, 90.0, 0.6), hand(120.0, 110.0, 0.6)
    together = hands_over([first, second], CAMERA)
    apart = [hands_over([one], CAMERA) for one in (first, second)]
    assert together is not None and apart[0] is not None and apart[1] is not None
    np.testing.assert_array_equal(together, apart[0] | apart[1])
    assert hands_over([], CAMERA) is None


def test_a_hand_half_outside_is_cut_and_one_far_outside_covers_nothing() -> None:
    half = hands_over([hand(0.0)], CAMERA)
    whole = hands_over([hand(70.0)], CAMERA)
    assert half is not None and whole is not None
    np.testing.assert_array_equal(half[:, :40], whole[:, 70:110])
    away = hands_over([hand(-5000.0, 9000.0)], CAMERA)
    assert away is not None and not away.any()


def test_joints_are_those_of_hands_that_are_there() -> None:
    joints = np.stack([[hand(30.0 + t), hand(90.0 + t)] for t in range(4)])
    detected = np.array([[1, 0], [0, 0], [1, 1], [0, 0]], bool)
    bridged = np.array([[0, 0], [0, 1], [0, 0], [0, 0]], bool)
    seen = HandObservations(joints, np.zeros((4, 2, 21, 3)), detected, bridged, np.ones((4, 2)))
    found = [seen_joints(seen, t) for t in range(4)]
    assert [len(f) for f in found] == [1, 1, 2, 0]
    np.testing.assert_array_equal(found[0][0], joints[0, 0])
    np.testing.assert_array_equal(found[1][0], joints[1, 1])  # not seen, but interpolated
    np.testing.assert_array_equal(found[2], joints[2])
    lifted = {
        side: HandTrack(
            side,
            np.ones((4, 21, 3)),
            joints[:, i],
            detected[:, i] | bridged[:, i],
            bridged[:, i],
            np.ones(4),
            np.ones(21),
        )
        for i, side in enumerate(("left", "right"))
    }
    for t in range(4):
        np.testing.assert_array_equal(seen_joints(lifted, t), found[t])
    assert seen_joints(None, 0) == []
