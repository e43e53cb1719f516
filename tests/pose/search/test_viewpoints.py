from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import trimesh

from dexman_pose.geometry import rotation_angle
from dexman_pose.pose.search.viewpoints import (
    extreme_points,
    poses_on_box,
    poses_on_part,
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


def test_poses_on_a_part_put_three_sides_right(scene: Any) -> None:
    box = np.array([60.0, 80.0, 160.0, 150.0])
    vertices = extreme_points(scene.mesh.vertices)
    rotations = rotation_grid(20, 3)
    poses = poses_on_part(rotations, vertices, box, scene.camera, passes=10)
    assert poses.shape == (4 * len(rotations), 4, 4)
    np.testing.assert_array_equal(poses[:, :3, :3], np.tile(rotations, (4, 1, 1)))
    # Columns of (left, top, right, bottom) that meet the box, for each of the four places in turn.
    places = [(0, 2, 1), (0, 2, 3), (1, 3, 0), (1, 3, 2)]
    for place, part in zip(places, poses.reshape(4, -1, 4, 4)):
        for pose in part:
            pixels = scene.camera.project(vertices @ pose[:3, :3].T + pose[:3, 3])
            sides = np.array([*pixels.min(0), *pixels.max(0)])
            np.testing.assert_allclose(sides[list(place)], box[list(place)], atol=1.5)


def test_a_part_of_an_object_is_found_where_it_reaches_beyond(scene: Any) -> None:
    true = scene.pose_at((0.4, 0.5, 0.2), (0.01, -0.01, 0.35))
    pixels = scene.camera.project(scene.mesh.vertices @ true[:3, :3].T + true[:3, 3])
    left, top = pixels.min(0)
    right, bottom = pixels.max(0)
    upper = np.array([left, top, right, 0.5 * (top + bottom)])  # its lower half is hidden
    vertices = extreme_points(scene.mesh.vertices)
    poses = poses_on_part(true[None, :3, :3], vertices, upper, scene.camera, passes=8)
    miss = np.linalg.norm(poses[:, :3, 3] - true[:3, 3], axis=1)
    assert miss.argmin() == 0, "the first place reaches below"
    assert miss[0] < 0.01


def test_extreme_points_span_the_same_box(scene: Any) -> None:
    few = extreme_points(scene.mesh.vertices, 200)
    assert len(few) <= 200
    assert set(map(tuple, few)) <= set(map(tuple, scene.mesh.vertices))
    turned = rotation_grid(10, 2)
    whole, part = (np.ptp(v @ np.swapaxes(turned, -1, -2), axis=1) for v in (scene.mesh.vertices, few))
    assert (part > 0.97 * whole).all()


@pytest.mark.parametrize("count", [1, 255, 256, 257, 5000])
def test_extreme_points_are_those_of_all_vertices_measured_at_once(count: int) -> None:
    vertices = np.random.default_rng(count).normal(size=(count, 3))
    vertices[-1] *= 10.0  # the last block has its say, too
    farthest = np.unique(np.argmax(vertices @ sphere_directions(200).T, axis=0))
    np.testing.assert_array_equal(extreme_points(vertices, 200), vertices[farthest])


def test_of_vertices_that_reach_as_far_the_first_counts() -> None:
    corners = np.asarray(trimesh.creation.box((0.1, 0.1, 0.1)).vertices)
    inside = np.zeros((1000, 3))
    np.testing.assert_array_equal(extreme_points(np.concatenate([corners, inside, corners[::-1]])), corners)


def test_extreme_points_of_a_large_mesh_take_little_memory() -> None:
    vertices = np.random.default_rng(0).normal(size=(100_000, 3))
    tracemalloc.start()
    try:
        extreme_points(vertices)
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()
