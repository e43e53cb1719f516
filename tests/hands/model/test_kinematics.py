"""Derivatives of the hand's joints against differences, and against the hand model itself."""

from __future__ import annotations

import numpy as np

from dexman_pose.geometry.se3 import se3_exp
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.kinematics import (
    ANGLES_OF_FINGER,
    FACTOR_NAMES,
    PLACE,
    SHAPE,
    SHAPE_NAMES,
    hand_derivatives,
    hand_joints,
    shape_of_finger,
)
from dexman_pose.hands.model.skeleton import ANGLE_LIMITS

RNG = np.random.default_rng(3)
BUILD = RNG.normal(0.0, 0.05, len(SHAPE_NAMES)) * np.where(
    np.arange(len(SHAPE_NAMES)) < len(FACTOR_NAMES), 1, 0.1
)
ANGLES = RNG.uniform(ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1], (2, 21))
PLACES = se3_exp(RNG.normal(0.0, 0.6, (2, 6)))
STEP = 1e-6


def test_joints_are_those_of_the_hand_model() -> None:
    count = len(FACTOR_NAMES)
    factors = np.exp(BUILD[:count])
    hand = HandModel(
        scale=factors[0],
        finger_lengths=factors[1:].reshape(5, 3),
        bases=BUILD[count:].reshape(5, 3),
        resolution=0.005,
    )
    expected = hand.joints(hand.pose_from_angles(ANGLES), PLACES)
    np.testing.assert_allclose(hand_joints(BUILD, ANGLES, PLACES), expected, atol=1e-12)


def _slopes() -> dict[str, np.ndarray]:
    """Derivatives (2, 21, 3, ...) by shape, angles and place, by differences."""
    at = hand_joints(BUILD, ANGLES, PLACES)
    shape = [hand_joints(BUILD + step, ANGLES, PLACES) for step in STEP * np.eye(len(BUILD))]
    angles = [hand_joints(BUILD, ANGLES + step, PLACES) for step in STEP * np.eye(21)]
    place = [hand_joints(BUILD, ANGLES, PLACES @ se3_exp(step)) for step in STEP * np.eye(6)]
    moved = {"shape": shape, "angles": angles, "place": place}
    return {name: np.stack([(m - at) / STEP for m in each], -1) for name, each in moved.items()}


def test_derivatives_are_those_of_differences() -> None:
    found, slopes = hand_derivatives(BUILD, ANGLES, PLACES), _slopes()
    np.testing.assert_allclose(found.joints, hand_joints(BUILD, ANGLES, PLACES), atol=1e-12)
    for finger, own in enumerate(ANGLES_OF_FINGER):
        joints = [0, *range(1 + 4 * finger, 5 + 4 * finger)]
        by, shape = found.by_finger[:, finger], np.r_[shape_of_finger(finger)]
        count = own.stop - own.start
        np.testing.assert_allclose(by[..., :count], slopes["angles"][:, joints][..., own], atol=1e-6)
        assert not by[..., count : PLACE.start].any()
        np.testing.assert_allclose(by[..., PLACE], slopes["place"][:, joints], atol=1e-6)
        np.testing.assert_allclose(by[..., SHAPE], slopes["shape"][:, joints][..., shape], atol=1e-6)
        # Nothing else moves these joints.
        others = np.delete(slopes["angles"], np.r_[own], -1), np.delete(slopes["shape"], shape, -1)
        assert all(np.abs(other[:, joints]).max() < 1e-6 for other in others)
        assert np.abs(by[..., :count]).max() > 0.02 and np.abs(by[..., SHAPE]).max() > 0.5
