"""Corners of one picture found in another: the right points of the surface, at the right pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from dexman_pose.pose.region.options import TEXTURE_FLOW, PointOptions, WindowOptions
from dexman_pose.pose.region.points import found_corners
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
    options = PointOptions(flow=TEXTURE_FLOW)  # its colours change softly
    found = found_corners(*pictures, inverse, window, first, options, 0.7)
    assert found is not None
    assert len(found) >= 15
    assert (found.weight == 0.7).all()
    # Where the corners are in the second picture, by its true pose.
    expected = scene.camera.project(found.points @ second[:3, :3].T + second[:3, 3])
    off = np.linalg.norm(found.pixels - expected, axis=1)
    moved = np.linalg.norm(
        expected - scene.camera.project(found.points @ first[:3, :3].T + first[:3, 3]), axis=1
    )
    assert np.median(off) < 0.5
    assert np.median(moved) > 1.5
    # The points are on the box: inside of it, and none deep inside.
    assert (np.abs(found.points) < np.array([0.0405, 0.0255, 0.0155])).all()


def test_a_picture_without_corners_gives_none(scene: Any) -> None:
    pose = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 0.3))
    window = window_around(scene.mesh.vertices, pose, scene.camera, WindowOptions())
    flat = np.full((window.height, window.width), 80, np.uint8)
    inverse = np.full(flat.shape, 3.0, np.float32)
    assert found_corners(flat, flat, inverse, window, pose, PointOptions(), 1.0) is None
    noise = np.random.default_rng(0).integers(0, 255, flat.shape).astype(np.uint8)
    noise = cv2.GaussianBlur(noise, (5, 5), 1.5)
    assert found_corners(noise, noise, inverse, window, pose, PointOptions(), 1.0) is not None
    assert found_corners(noise, noise, 0 * inverse, window, pose, PointOptions(), 1.0) is None


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
    assert found_corners(*pictures, inverse, window, pose, PointOptions(), 1.0) is None
    loose = found_corners(*pictures, inverse, window, pose, PointOptions(flow=TEXTURE_FLOW), 1.0)
    assert loose is not None and len(loose) > 5
