"""Derivatives of point evidence by the twist, the scales and the focal length."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from point_costs import PointCosts

from dexman_pose.data import Camera
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.optimize.problem import move_poses

Array = NDArray[np.float64]

CENTER = np.array([0.1, -0.05, 0.02])


def example(scale: Literal["none", "uniform", "axes"], focal: bool) -> tuple[PointCosts, Array, Array]:
    rng = np.random.default_rng(0)
    poses = se3(
        so3_exp(rng.uniform(-1, 1, (3, 3))), np.array([0.0, 0.05, 0.6]) + rng.uniform(-0.05, 0.05, (3, 3))
    )
    points = CENTER + rng.uniform(-0.06, 0.06, (7, 3))
    moved = points @ np.swapaxes(poses[:, :3, :3], 1, 2) + poses[:, None, :3, 3]
    camera = Camera(np.array([[500.0, 0, 310], [0, 520.0, 250], [0, 0, 1]]), 640, 480)
    pixels = camera.project(moved) + rng.normal(0, 3.0, (3, 7, 2))
    depth = moved[..., 2] + rng.normal(0, 0.01, (3, 7))
    seen, measured = rng.random((3, 7)) > 0.2, rng.random((3, 7)) > 0.4
    costs = PointCosts(points, CENTER, camera, pixels, seen, depth, measured, scale=scale, focal=focal)
    return costs, poses, rng.normal(0, 0.05, costs.num_shared)


@pytest.mark.parametrize("focal", [False, True])
@pytest.mark.parametrize("scale", ["none", "uniform", "axes"])
def test_gradient_is_that_of_half_the_cost(scale: Literal["none", "uniform", "axes"], focal: bool) -> None:
    costs, poses, shared = example(scale, focal)
    terms = costs.linearise(poses, shared)
    size, h = 6 + len(shared), 1e-6
    assert terms.hessian.shape == (3, size, size) and terms.cost.shape == (3,)
    for k, unit in enumerate(h * np.eye(size)):
        values = []
        for x in (unit, -unit):
            moved = move_poses(poses, np.tile(x[:6], (3, 1)), CENTER)
            values.append(costs.linearise(moved, shared + x[6:]).cost)
        np.testing.assert_allclose(
            terms.gradient[:, k], (values[0] - values[1]) / (4 * h), rtol=1e-5, atol=1e-3
        )


def test_hessian_near_the_truth_is_that_of_half_the_cost() -> None:
    """Where residuals vanish the Gauss-Newton matrix is exact."""
    costs, poses, _ = example("uniform", True)
    moved = costs.points @ np.swapaxes(poses[:, :3, :3], 1, 2) + poses[:, None, :3, 3]
    costs = replace(costs, pixels=costs.camera.project(moved), depth=moved[..., 2])
    hessian, h = costs.linearise(poses, np.zeros(2)).hessian, 1e-5
    for k, unit in enumerate(h * np.eye(8)):
        ends = []
        for x in (unit, -unit):
            there = move_poses(poses, np.tile(x[:6], (3, 1)), CENTER)
            ends.append(costs.linearise(there, x[6:]).gradient)
        found = (ends[0] - ends[1]) / (2 * h)
        np.testing.assert_allclose(hessian[:, k], found, atol=1e-4 * np.abs(hessian).max())


def test_scale_grows_the_object_about_its_centre() -> None:
    """Twice as large and twice as far looks the same."""
    costs, poses, _ = example("uniform", False)
    far = poses.copy()
    middle = poses[:, :3, :3] @ CENTER + poses[:, :3, 3]
    far[:, :3, 3] += middle
    picture = replace(costs, depth=None, depth_seen=None)
    near = picture.linearise(poses, np.zeros(1)).cost
    np.testing.assert_allclose(picture.linearise(far, np.log([2.0])).cost, near, rtol=1e-9)


def test_points_behind_the_camera_cost_their_most_and_pull_nowhere() -> None:
    costs, poses, _ = example("none", False)
    costs = replace(costs, depth=None, depth_seen=None, reach=3.0)
    behind = poses.copy()
    behind[:, 2, 3] -= 2.0
    terms = costs.linearise(behind, np.zeros(0))
    np.testing.assert_allclose(terms.cost, 9.0 * costs.seen.sum(1))
    np.testing.assert_array_equal(terms.gradient, 0.0)


def test_what_was_not_seen_is_not_read() -> None:
    costs, poses, _ = example("none", False)
    assert costs.depth is not None and costs.depth_seen is not None
    pixels = np.where(costs.seen[..., None], costs.pixels, np.nan)
    depth = np.where(costs.depth_seen, costs.depth, np.nan)
    blind = replace(costs, pixels=pixels, depth=depth).linearise(poses, np.zeros(0))
    full = costs.linearise(poses, np.zeros(0))
    np.testing.assert_array_equal(blind.hessian, full.hessian)
    np.testing.assert_array_equal(blind.gradient, full.gradient)
    np.testing.assert_array_equal(blind.cost, full.cost)


def test_wrong_shapes_are_named() -> None:
    costs, _, _ = example("none", False)
    with pytest.raises(InputError, match=r"PointCosts\.pixels"):
        replace(costs, pixels=costs.pixels[:, :3])
    with pytest.raises(InputError, match="positive"):
        replace(costs, pixel_sigma=0.0)
