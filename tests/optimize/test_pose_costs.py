"""Measured poses as evidence: gradients, weights, and what the solver makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.optimize.pose_costs import PoseMeasurements
from dexman_pose.optimize.problem import move_poses
from dexman_pose.optimize.solver import solve_clip
from dexman_pose.optimize.types import ClipOptions

FRAMES = 40
CENTER = np.array([0.01, -0.02, 0.03])
Array = np.ndarray


def moving() -> Array:
    t = np.arange(FRAMES)
    turn = so3_exp(np.stack([0.4 + 0.02 * t, 0.3 - 0.01 * t, 0.01 * t], -1))
    return se3(turn, np.stack([0.003 * t, 0.02 + 0 * t, 0.5 + 0.002 * t], -1))


def test_gradient_is_that_of_the_cost() -> None:
    rng = np.random.default_rng(3)
    held = moving()
    root = rng.standard_normal((FRAMES, 6, 6)) * np.repeat([100.0, 10.0], 3)
    measured = PoseMeasurements(held, np.swapaxes(root, 1, 2) @ root, CENTER)
    poses = move_poses(held, 0.02 * rng.standard_normal((FRAMES, 6)), CENTER)
    terms = measured.linearise(poses, np.zeros(0))
    numeric = np.zeros_like(terms.gradient)
    for k in range(6):
        step = np.zeros((FRAMES, 6))
        step[:, k] = 1e-6
        ahead, behind = (
            measured.linearise(move_poses(poses, sign * step, CENTER), np.zeros(0)).cost for sign in (1, -1)
        )
        numeric[:, k] = (ahead - behind) / 4e-6
    np.testing.assert_allclose(terms.gradient, numeric, rtol=1e-3, atol=1e-2)
    assert np.linalg.eigvalsh(terms.hessian).min() > 0


def test_each_direction_is_smoothed_as_far_as_it_is_uncertain() -> None:
    rng = np.random.default_rng(0)
    true = moving()
    sigma = np.array([0.0002, 0.0002, 0.003, 0.01, 0.01, 0.001])
    noisy = move_poses(true, sigma * rng.standard_normal((FRAMES, 6)), CENTER)
    covariance = np.tile(np.diag(sigma**2), (FRAMES, 1, 1))
    measured = PoseMeasurements.with_covariances(noisy, CENTER, covariance, 4.0)
    options = ClipOptions(acceleration_sigma=0.5, angular_acceleration_sigma=8.0)
    found = solve_clip(measured, noisy, np.ones(FRAMES, bool), CENTER, options=options)
    assert found.converged

    def off(poses: Array) -> tuple[float, float]:
        centers = (poses - true)[:, :3, :3] @ CENTER + (poses - true)[:, :3, 3]
        turns = rotation_angle(poses[:, :3, :3] @ np.swapaxes(true[:, :3, :3], 1, 2))
        return float(np.sqrt(np.mean(centers**2))), float(np.sqrt(np.mean(turns**2)))

    before, after = off(noisy), off(found.poses)
    assert after[0] < 0.6 * before[0] and after[1] < 0.8 * before[1]
    assert np.abs(found.poses[:, :2, 3] - noisy[:, :2, 3]).max() < 0.001


def test_one_frame_far_off_is_overruled_by_its_neighbours() -> None:
    true = moving()
    wrong = true.copy()
    wrong[20] = move_poses(true[20:21], np.array([[0.1, 0.0, 0.0, 0.0, 2.0, 0.0]]), CENTER)[0]
    covariance = np.tile(np.diag(np.repeat([0.001**2, 0.01**2], 3)), (FRAMES, 1, 1))
    measured = PoseMeasurements.with_covariances(wrong, CENTER, covariance, 4.0)
    found = solve_clip(measured, wrong, np.ones(FRAMES, bool), CENTER)
    assert np.abs(found.poses - true).max() < 0.01


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="information matrix for each of 40 poses"):
        PoseMeasurements(moving(), np.eye(6), CENTER)
    one = PoseMeasurements.with_sigmas(moving(), CENTER, 0.01, 0.1)
    with pytest.raises(InputError, match="share no unknowns"):
        one.linearise(moving(), np.zeros(1))
