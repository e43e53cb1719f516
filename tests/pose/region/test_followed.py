"""Corners followed from picture to picture, in one window or from one into the next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.pose.region.followed import CornerFollower
from dexman_pose.pose.region.options import TEXTURE_FLOW, PointOptions, WindowOptions
from dexman_pose.pose.region.points import projected
from dexman_pose.pose.region.window import window_around
from dexman_pose.render import Rasterizer


@pytest.mark.parametrize("same", [True, False])
def test_corners_are_found_where_they_went(scene: Any, same: bool) -> None:
    first, second = (scene.pose_at((0.4, 0.5 + t, 0.1), (0.15 * t, 0.0, 0.3)) for t in (0.0, 0.04))
    options = WindowOptions(side=120)
    window = window_around(scene.mesh.vertices, first, scene.camera, options)
    images = [scene.picture(scene.mesh, pose)[0] for pose in (first, second)]
    depth = Rasterizer(scene.mesh).render(first[None], window.K, window.width, window.height).depth
    assert depth is not None
    inverse = np.divide(1.0, depth[0], out=np.zeros_like(depth[0]), where=depth[0] > 0)
    follower = CornerFollower(PointOptions(flow=TEXTURE_FLOW))  # its colours change softly
    assert follower.follow(window, window.gray(images[0]), first) is None
    follower.keep(images[0], window, window.gray(images[0]), inverse, first)
    other = window if same else window_around(scene.mesh.vertices, second, scene.camera, options)
    assert same or (other.x0, other.y0) != (window.x0, window.y0)
    found = follower.follow(other, other.gray(images[1]), first)
    assert found is not None and len(found) > 15
    expected = projected(found.points, second, scene.camera.K)
    moved = np.linalg.norm(expected - projected(found.points, first, scene.camera.K), axis=1)
    assert np.median(moved) > 5.0
    assert np.median(np.linalg.norm(found.pixels - expected, axis=1)) < 0.6
    follower.forget()
    assert follower.follow(other, other.gray(images[1]), first) is None
