"""Hands keep clear of objects while they come and go, and only then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.rig import HandPlace
from dexman_pose.robot.retarget.kinematics import HandKinematics
from dexman_pose.robot.retarget.obstacles import Obstacle
from dexman_pose.robot.retarget.solve import RetargetOptions, solve_motion

CORNERS = 0.01 * np.array([[x, y, z] for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)])
FRAMES = 6


@pytest.fixture
def place(mujoco: Any, gripper: Callable[[str], HandDescription]) -> HandPlace:
    return HandPlace(gripper("right"), np.array([0.0, 0.0, 0.2]), np.array([0.0, 1.0, 0.0, 0.0]))


def _at_thumb(place: HandPlace, weight: np.ndarray) -> tuple[HandKinematics, np.ndarray]:
    """Kinematics with a block under the thumb, whose tip would lie in it."""
    tip = HandKinematics(place).points(np.zeros(8))[0]
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, :3, 3] = tip + [-0.012, 0.0, 0.0]
    return HandKinematics(place, obstacles=[Obstacle((CORNERS,), poses, weight)]), tip


def test_an_obstacle_counts_in_its_frames_alone(place: HandPlace) -> None:
    weight = np.array([1.0, 1.0, 0.5, 0.0, 0.0, 0.0])
    hand, _ = _at_thumb(place, weight)
    zero = np.zeros(len(hand.joints))
    whole = hand.overlaps(zero, 0.001, 0, 0.005)
    assert whole and all("right_thumb" in x.parts for x in whole)
    assert min(x.gap for x in whole) < 0.0
    half = hand.overlaps(zero, 0.001, 2, 0.005)
    assert [x.lacking for x in half] == pytest.approx([0.5 * x.lacking for x in whole])
    assert hand.overlaps(zero, 0.001, 4, 0.005) == []
    assert hand.overlaps(zero, 0.001) == [], "without a frame the robot is looked at alone"


def test_gaps_to_obstacles_change_as_their_derivatives_say(place: HandPlace) -> None:
    hand, _ = _at_thumb(place, np.ones(FRAMES))
    q = np.zeros(len(hand.joints))
    base = min(hand.overlaps(q, 0.001, 0, 0.02), key=lambda x: x.gap)
    for i in range(3):  # slides
        step = 1e-5 * np.eye(len(q))[i]
        more, less = (min(x.gap for x in hand.overlaps(q + s, 0.001, 0, 0.02)) for s in (step, -step))
        assert base.change[i] == pytest.approx((more - less) / 2e-5, abs=0.05)


def test_fingers_go_around_an_obstacle_that_counts(place: HandPlace) -> None:
    deep = {}
    for counts in (0.0, 1.0):
        hand, _ = _at_thumb(place, np.full(FRAMES, counts))
        targets = np.tile(hand.points(np.zeros(len(hand.joints))), (FRAMES, 1, 1))
        palms = np.tile(np.diag([1.0, -1, -1]), (FRAMES, 1, 1)), np.tile([0.0, 0, 0.2], (FRAMES, 1))
        found = solve_motion(hand, targets, palms, RetargetOptions(wide=0.004))
        watching, _ = _at_thumb(place, np.ones(FRAMES))
        gaps = [x.gap for t, q in enumerate(found) for x in watching.overlaps(q, 0.0, t, 0.02)]
        deep[counts] = min(gaps)
    assert deep[0.0] < -0.003
    assert deep[1.0] > deep[0.0] + 0.003
