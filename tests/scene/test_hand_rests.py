"""Hands that rest on a table."""

from __future__ import annotations

import numpy as np

from dexman_pose.scene.hand_rests import hand_rests
from tests.scene.staged import OFFSET, UP, degrees_between, hand

TIMES = np.arange(60) / 30.0
_RNG = np.random.default_rng(2)
FLAT = np.concatenate([_RNG.uniform(-0.09, 0.09, (21, 2)), np.full((21, 1), 0.01)], 1)


def test_a_flat_still_hand_tells_the_plane_weakly() -> None:
    joints = np.tile(FLAT, (60, 1, 1)) + 0.0005 * _RNG.standard_normal((60, 21, 3))
    (vote,) = hand_rests({"left": hand(joints, "left")}, TIMES)
    assert degrees_between(vote.normal, UP) < 2
    assert abs(vote.point @ UP + OFFSET) < 0.005
    assert not vote.strong and vote.sigma > np.radians(10) and vote.place > 0.01
    assert vote.name.startswith("left hand at rest")


def test_moving_and_curled_hands_tell_nothing() -> None:
    moving = FLAT + np.linspace([0.0, 0, 0], [0.2, 0, 0], 60)[:, None]
    curled = np.tile(FLAT + _RNG.normal(0, 0.04, (21, 3)), (60, 1, 1))
    assert hand_rests({"left": hand(moving, "left")}, TIMES) == []
    assert hand_rests({"left": hand(curled, "left")}, TIMES) == []


def test_a_hand_seen_for_a_moment_tells_nothing() -> None:
    found = hand(np.tile(FLAT, (60, 1, 1)))
    found.valid[8:] = False
    assert hand_rests({"right": found}, TIMES) == []
