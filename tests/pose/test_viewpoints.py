from __future__ import annotations

from typing import Any

import numpy as np

from dexman_pose.geometry import rotation_angle
from dexman_pose.pose.viewpoints import (
    extreme_points,
    poses_on_box,
    ray_rotation,
    rotation_grid,
    rotations_near,
    sphere_directions,
)


def test_directions_are_unit_and_evenly_spread() -> None:
    d = sphere_directions(200)
    np.testing.assert_allclose(np.linalg.norm(d, axis=1), 1.0)
    np.testing.assert_allclose(d.mean(0), 0.0, atol=0.01)
    nearest = np.arccos(np.clip((d @ d.T - 3 * np.eye(200)).max(1), -1, 1))
    assert nearest.min() > 0.7 * nearest.max()


def test_every_rotation_is_near_one_of_the_grid() -> None:
    grid = rotation_grid(140, 16)
    rng = np.random.default_rng(0)
    q, _ = np.linalg.qr(rng.normal(size=(20, 3, 3)))
    q *= np.linalg.det(q)[:, None, None]
    for r in q:
        assert np.degrees(rotation_angle(np.swapaxes(grid, -1, -2) @ r).min()) < 22.0


def test_rotations_near_stay_near_and_begin_with_the_given_one() -> None:
    base = rotation_grid(3, 2)[4]
    near = rotations_near(base, 50, 0.4)
    np.testing.assert_allclose(near[0], base, atol=1e-12)
    assert rotation_angle(near @ base.T).max() <= 0.4 + 1e-9


def test_ray_rotation_turns_the_optical_axis_onto_the_ray() -> None:
    ray = np.array([0.3, -0.2, 1.0])
    np.testing.assert_allclose(ray_rotation(ray) @ [0, 0, 1], ray / np.linalg.norm(ray), atol=1e-12)
    np.testing.assert_allclose(ray_rotation(np.array([0.0, 0.0, 2.0])), np.eye(3))


def test_poses_on_box_cover_the_box(scene: Any) -> None:
    box = np.array([60.0, 80.0, 160.0, 150.0])
    vertices = extreme_points(scene.mesh.vertices)
    rotations = rotation_grid(30, 4)
    for pose in poses_on_box(rotations, vertices, box, scene.camera, passes=8):
        pixels = scene.camera.project(vertices @ pose[:3, :3].T + pose[:3, 3])
        low, high = pixels.min(0), pixels.max(0)
        np.testing.assert_allclose(0.5 * (low + high), [110.0, 115.0], atol=1.0)
        assert abs(np.sqrt(np.prod(high - low)) / np.sqrt(101.0 * 71.0) - 1.0) < 0.03
