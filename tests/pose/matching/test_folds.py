"""The compiled search for folds equals its plain twin."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry import se3
from dexman_pose.pose.matching.edges import folds_of
from dexman_pose.pose.matching.folds import FoldFinder, folds_by_kernel
from dexman_pose.pose.matching.options import EDGES
from dexman_pose.pose.search.viewpoints import rotation_grid
from dexman_pose.render import Rasterizer

CAMERA = Camera(np.array([[700.0, 0.0, 88.0], [0.0, 705.0, 79.0], [0.0, 0.0, 1.0]]), 176, 160)
SIZE = (CAMERA.height, CAMERA.width)


def steps() -> Mesh:
    """A box with a smaller one on top and a rod beside it: creases, inner occlusions, a round side."""
    parts = [trimesh.creation.box((0.1, 0.08, 0.03)), trimesh.creation.box((0.05, 0.04, 0.03))]
    parts[1].apply_translation([0.01, 0.0, 0.03])
    parts.append(trimesh.creation.cylinder(0.012, 0.07, sections=48))
    parts[2].apply_translation([-0.035, 0.02, 0.05])
    both = trimesh.util.concatenate(parts)
    return Mesh(np.asarray(both.vertices), np.asarray(both.faces))


def poses_of(mesh: Mesh, count: int, away: float = 0.8) -> np.ndarray:
    rotations = rotation_grid(count, 1)
    return se3(rotations, np.array([0.0, 0.0, away]) - rotations @ mesh.center)


def test_it_finds_what_the_plain_twin_finds() -> None:
    mesh = steps()
    rasterizer, poses = Rasterizer(mesh), poses_of(mesh, 10)
    drawn = rasterizer.render(poses, CAMERA.K, CAMERA.width, CAMERA.height)
    assert drawn.depth is not None
    inverse, found = folds_by_kernel(rasterizer, poses, CAMERA, SIZE)
    np.testing.assert_array_equal(inverse > 0, drawn.mask)
    for i, folds in enumerate(found):
        plain = folds_of(drawn.depth[i], drawn.mask[i], CAMERA, mesh.radius, EDGES)
        assert plain is not None and len(plain) > 20
        here = {tuple(p): k for k, p in enumerate(folds[:, :2].astype(int).tolist())}
        there = {tuple(p): k for k, p in enumerate(plain.pixels.tolist())}
        both = sorted(set(here) & set(there))
        assert len(both) > 0.98 * max(len(here), len(there))  # neighbours that are equal but for rounding
        mine, its = folds[[here[p] for p in both]], [there[p] for p in both]
        sign = np.sign((mine[:, 2:4] * plain.normal[its]).sum(1, keepdims=True))
        assert np.quantile(np.abs(sign * mine[:, 2:4] - plain.normal[its]), 0.98) < 2e-3
        places = mine[:, :2] + mine[:, 4:5] * mine[:, 2:4]
        assert np.quantile(np.abs(places - plain.places[its]), 0.98) < 0.02
        assert np.quantile(np.abs(1.0 / mine[:, 5] - plain.depth[its]), 0.98) < 1e-4


def test_an_empty_image_and_one_too_small_have_none() -> None:
    mesh = steps()
    poses = poses_of(mesh, 2)
    poses[0, 0, 3] += 10.0
    poses[1, 2, 3] = 12.0
    _, found = folds_by_kernel(Rasterizer(mesh), poses, CAMERA, SIZE)
    assert [f.shape for f in found] == [(0, 6), (0, 6)]


def test_an_object_that_leaves_the_image() -> None:
    mesh = steps()
    pose = poses_of(mesh, 1, 0.6)
    pose[0, 0, 3] += 0.05
    rasterizer = Rasterizer(mesh)
    drawn = rasterizer.render(pose, CAMERA.K, CAMERA.width, CAMERA.height)
    assert drawn.mask[0, :, -1].any() and drawn.depth is not None
    _, (found,) = folds_by_kernel(rasterizer, pose, CAMERA, SIZE)
    plain = folds_of(drawn.depth[0], drawn.mask[0], CAMERA, mesh.radius, EDGES)
    assert plain is not None
    assert len(found) == pytest.approx(len(plain), abs=2)
    assert found[:, 0].max() < CAMERA.width - EDGES.rim // 2


def test_buffers_of_a_larger_call_leave_nothing_behind() -> None:
    mesh = steps()
    rasterizer, finder, poses = Rasterizer(mesh), FoldFinder(), poses_of(mesh, 4)

    def found(some: np.ndarray) -> list[np.ndarray]:
        nearest = rasterizer.inverse_depth(some, CAMERA.K, CAMERA.width, CAMERA.height)
        return finder.find(nearest, len(some), CAMERA, SIZE, mesh.radius)

    together = found(poses)
    for one, pose in zip(together, poses):
        np.testing.assert_array_equal(found(pose[None])[0], one)
