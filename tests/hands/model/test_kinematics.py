"""Derivatives of the hand's joints against differences, and against the hand model itself."""

from __future__ import annotations

import numpy as np

from dexman_pose.geometry.se3 import se3_exp
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.kinematics import FACTOR_NAMES, SHAPE_NAMES, hand_joints
from dexman_pose.hands.model.skeleton import ANGLE_LIMITS

RNG = np.random.default_rng(3)
SHAPE = RNG.normal(0.0, 0.05, len(SHAPE_NAMES)) * np.where(
    np.arange(len(SHAPE_NAMES)) < len(FACTOR_NAMES), 1, 0.1
)
ANGLES = RNG.uniform(ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1], (2, 21))
PLACES = se3_exp(RNG.normal(0.0, 0.6, (2, 6)))
STEP = 1e-6


def test_joints_are_those_of_the_hand_model() -> None:
    count = len(FACTOR_NAMES)
    factors = np.exp(SHAPE[:count])
    hand = HandModel(
        scale=factors[0],
        finger_lengths=factors[1:].reshape(5, 3),
        bases=SHAPE[count:].reshape(5, 3),
        resolution=0.005,
    )
    expected = hand.joints(hand.pose_from_angles(ANGLES), PLACES)
    np.testing.assert_allclose(hand_joints(SHAPE, ANGLES, PLACES).joints, expected, atol=1e-12)


def test_derivatives_are_those_of_differences() -> None:
    at = hand_joints(SHAPE, ANGLES, PLACES)
    for k in range(len(SHAPE_NAMES)):
        moved = SHAPE + STEP * (np.arange(len(SHAPE)) == k)
        slope = (hand_joints(moved, ANGLES, PLACES).joints - at.joints) / STEP
        np.testing.assert_allclose(at.by_shape[..., k], slope, atol=1e-6)
    for k in range(21):
        slope = (hand_joints(SHAPE, ANGLES + STEP * (np.arange(21) == k), PLACES).joints - at.joints) / STEP
        np.testing.assert_allclose(at.by_angles[..., k], slope, atol=1e-6)
    for k in range(6):
        moved = PLACES @ se3_exp(STEP * (np.arange(6) == k))
        slope = (hand_joints(SHAPE, ANGLES, moved).joints - at.joints) / STEP
        np.testing.assert_allclose(at.by_place[..., k], slope, atol=1e-6)
    assert np.abs(at.by_angles).max() > 0.05 and np.abs(at.by_shape).max() > 0.5
