"""Corners of one picture found in another: the right points of the surface, at the right pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from dexman_pose.pose.region.options import PointOptions, WindowOptions
from dexman_pose.pose.region.points import found_again, projected, surface_corners
from dexman_pose.pose.region.window import window_around
from dexman_pose.render import Rasterizer


def test_corners_lie_on_the_surface_and_are_found_where_they_went(scene: Any) -> None:
    first, second = (scene.pose_at((0.4, 0.5 + t, 0.1), (0.003 * t / 0.04, 0.0, 0.3)) for t in (0.0, 0.04))
    window = window_around(scene.mesh.vertices, first, scene.camera, WindowOptions())
    pictures = [window.gray(scene.picture(scene.mesh, pose)[0]) for pose in (first, second)]
    drawn = Rasterizer(scene.mesh).render(first[None], window.K, window.width, window.height)
    assert drawn.depth is not None
    depth = drawn.depth[0]
    inverse = np.divide(1.0, depth, out=np.zeros_like(depth), where=depth > 0)
    corners = surface_corners(pictures[0], inverse, window.K, first, PointOptions())
    assert corners is not None
    np.testing.assert_allclose(projected(corners.points, first, window.K), corners.pixels, atol=1e-9)
    found = found_again(
        corners, *pictures, corners.pixels, PointOptions().texture_flow
    )  # its colours change softly
    assert found is not None
    kept, pixels = found
    assert len(kept) == len(pixels) >= 15
    # Where the corners are in the second picture, by its true pose.
    expected = projected(kept.points, second, scene.camera.K)
    off = np.linalg.norm(window.to_image(pixels) - expected, axis=1)
    moved = np.linalg.norm(expected - projected(kept.points, first, scene.camera.K), axis=1)
    assert np.median(off) < 0.5
    assert np.median(moved) > 1.5
    # The points are on the box: inside of it, and none deep inside.
    assert (np.abs(kept.points) < np.array([0.0405, 0.0255, 0.0155])).all()


def test_a_picture_without_corners_gives_none(scene: Any) -> None:
    pose = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 0.3))
    window = window_around(scene.mesh.vertices, pose, scene.camera, WindowOptions())
    flat = np.full((window.height, window.width), 80, np.uint8)
    inverse = np.full(flat.shape, 3.0, np.float32)
    k, options = window.K, PointOptions()
    assert surface_corners(flat, inverse, k, pose, options) is None
    noise = np.random.default_rng(0).integers(0, 255, flat.shape).astype(np.uint8)
    noise = cv2.GaussianBlur(noise, (5, 5), 1.5)
    found = surface_corners(noise, inverse, k, pose, options)
    assert found is not None
    assert surface_corners(noise, 0 * inverse, k, pose, options) is None
    assert found_again(found, noise, flat, found.pixels, options.flow) is None


def test_corners_of_a_part_are_those_of_the_whole_picture(scene: Any) -> None:
    pose = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 0.3))
    window = window_around(scene.mesh.vertices, pose, scene.camera, WindowOptions())
    noise = np.random.default_rng(1).integers(0, 255, (window.height, window.width)).astype(np.uint8)
    noise = cv2.GaussianBlur(noise, (5, 5), 1.5)
    inverse = np.zeros(noise.shape, np.float32)
    inverse[20:60, 30:80] = 3.0
    options = PointOptions()
    found = surface_corners(noise, inverse, window.K, pose, options)
    assert found is not None
    free = cv2.erode((inverse > 0).astype(np.uint8), np.ones((options.inside, options.inside), np.uint8))
    whole = cv2.goodFeaturesToTrack(
        noise, options.count, options.quality, options.apart, mask=free, blockSize=5
    )
    np.testing.assert_array_equal(found.pixels, whole[:, 0])


def test_what_slides_on_a_crease_is_no_corner_from_picture_to_picture(scene: Any) -> None:
    """An edge with a camera's noise moves along itself and across: no place on it can be told."""
    pose = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 0.3))
    window = window_around(scene.mesh.vertices, pose, scene.camera, WindowOptions())
    inverse = np.full((window.height, window.width), 3.0, np.float32)
    rng = np.random.default_rng(0)

    def crease(shift: int) -> Any:
        x = np.arange(window.width) - window.width // 2 - shift
        rows = np.repeat(120.0 + 40.0 * np.tanh(x[None] / 1.5), window.height, 0)
        return (rows + rng.normal(0.0, 3.0, rows.shape)).clip(0, 255).astype(np.uint8)

    pictures = crease(0), crease(3)
    corners = surface_corners(pictures[0], inverse, window.K, pose, PointOptions())
    assert corners is not None
    assert found_again(corners, *pictures, corners.pixels, PointOptions().flow) is None
    loose = found_again(corners, *pictures, corners.pixels, PointOptions().texture_flow)
    assert loose is not None and len(loose[0]) > 5
