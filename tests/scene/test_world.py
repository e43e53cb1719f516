"""The world frame on a plane."""

from __future__ import annotations

import numpy as np

from dexman_pose.geometry import transform_points
from dexman_pose.scene.world import world_on_table
from tests.scene.staged import OFFSET, UP


def test_z_is_up_the_origin_on_the_table_x_to_the_right() -> None:
    above = np.array([0.1, 0.05, 0.6])
    world = world_on_table(UP, OFFSET, above)
    np.testing.assert_allclose(world[:3, :3] @ world[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.isclose(np.linalg.det(world[:3, :3]), 1.0)
    points = np.random.default_rng(0).uniform(-1, 1, (50, 3))
    np.testing.assert_allclose(transform_points(world, points)[:, 2], points @ UP + OFFSET, atol=1e-12)
    np.testing.assert_allclose(transform_points(world, above[None])[0, :2], 0.0, atol=1e-12)
    right = world[:3, :3] @ [1.0, 0.0, 0.0]
    assert right[0] > 0 and abs(right[1]) < 1e-12
    away = world[:3, :3] @ [0.0, 0.0, 1.0]
    assert away[1] > 0  # y points away from the camera
