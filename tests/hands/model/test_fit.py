"""Fitting the hand: a hand of known size and pose is found again, left and right; limits hold; real grasps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.hands.model.fit import fit_joints
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.skeleton import ANGLE_LIMITS
from dexman_pose.hands.model.system import FitOptions

FRAMES = 5
RNG = np.random.default_rng(0)
ANGLES = RNG.uniform(0.5 * ANGLE_LIMITS[:, 0], 0.7 * ANGLE_LIMITS[:, 1], (FRAMES, 21))
PLACES = se3(so3_exp(RNG.normal(0.0, 0.8, (FRAMES, 3))), RNG.normal(0.0, 0.1, (FRAMES, 3)) + [0.0, 0.0, 0.8])


def _joints(side: str, scale: float = 1.08) -> tuple[HandModel, Array]:
    hand = HandModel(side, scale, finger_lengths=(1.0, 0.93, 0.95, 1.05, 1.0), resolution=0.005)
    return hand, hand.joints(hand.pose_from_angles(ANGLES), PLACES)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_known_hand_is_found_again(side: str) -> None:
    hand, joints = _joints(side)
    fit = fit_joints(joints, side, options=FitOptions(sigma=1e-3))
    assert fit.errors(joints).mean() < 1e-3
    np.testing.assert_allclose(fit.angles, ANGLES, atol=0.25)
    model = fit.model(resolution=0.005)
    again = model.joints(model.pose_from_angles(fit.angles), fit.frame_from_hand)
    np.testing.assert_allclose(again, fit.joints, atol=1e-9)
    assert model.side == side and abs(model.bone_lengths[9] / hand.bone_lengths[9] - 1) < 0.03


def test_frames_without_a_hand_hold_the_nearest() -> None:
    _, joints = _joints("right")
    valid = np.array([False, True, True, True, False])
    joints[~valid] = np.nan
    fit = fit_joints(joints, "right", valid)
    assert np.isfinite(fit.joints).all() and fit.errors(joints).shape == (3, 21)
    np.testing.assert_array_equal(fit.angles[0], fit.angles[1])


def test_joints_that_are_not_known_do_not_matter() -> None:
    _, joints = _joints("right")
    sigma = np.full((FRAMES, 21), 1e-3)
    sigma[:, 8] = np.inf
    wrong = joints.copy()
    wrong[:, 8] += 0.3
    fit = fit_joints(wrong, "right", sigma=sigma)
    assert np.delete(fit.errors(joints), 8, axis=1).mean() < 2e-3


def test_angles_stay_within_their_limits() -> None:
    hand = HandModel(resolution=0.005)
    bent = np.zeros((FRAMES, 21))
    bent[:, 7] = ANGLE_LIMITS[7, 1] + 0.6
    joints = hand.joints(hand.pose_from_angles(bent, limited=False), PLACES)
    fit = fit_joints(joints, "right")
    assert (fit.angles >= ANGLE_LIMITS[:, 0]).all() and (fit.angles <= ANGLE_LIMITS[:, 1]).all()
    assert fit.angles[:, 7].min() > ANGLE_LIMITS[7, 1] - 0.05


@pytest.mark.parametrize(
    ("joints", "side", "valid"),
    [
        (np.zeros((3, 20, 3)), "right", None),
        (np.zeros((3, 21, 3)), "both", None),
        (np.full((3, 21, 3), np.nan), "right", None),
        (np.zeros((3, 21, 3)), "right", np.zeros(3, bool)),
    ],
)
def test_what_cannot_be_fitted_is_refused(joints: Array, side: str, valid: Array | None) -> None:
    with pytest.raises(InputError):
        fit_joints(joints, side, valid)


@pytest.mark.data
def test_measured_grasps_are_met_within_four_millimetres(data_dir: Path) -> None:
    order = [0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20]
    files = sorted((data_dir / "grasps").glob("*.npz"))
    assert files
    for path in files:
        with np.load(path) as grasp:
            joints, valid = grasp["hand_joints_cam"][:, order], grasp["hand_valid"]
        assert fit_joints(joints, "left", valid).errors(joints).mean() < 4e-3
