from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.matching.options import PointTrackOptions
from dexman_pose.pose.matching.point_tracks import (
    SurfaceTracks,
    follow_surface,
    refresh_surface,
)
from dexman_pose.render import Rasterizer


def test_surface_points_follow_a_shift_and_leave_when_they_disagree(scene: Any) -> None:
    first = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 0.4))
    second = first.copy()
    second[0, 3] += 0.004
    pictures = [scene.picture(scene.mesh, pose) for pose in (first, second)]
    grays = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image, _, _ in pictures]
    masks = [labels == 1 for _, labels, _ in pictures]
    rasterizer, options, tracks = Rasterizer(scene.mesh), PointTrackOptions(), SurfaceTracks()
    assert follow_surface(tracks, (grays[0], grays[1]), (first, first), scene.camera, masks[1]) is None
    box = mask_box(masks[0])
    refresh_surface(tracks, grays[0], first, box, masks[0], rasterizer, scene.camera, options)
    assert 0 < len(tracks) <= options.count
    found = follow_surface(tracks, (grays[0], grays[1]), (first, first), scene.camera, masks[1])
    assert found is not None and len(found) > 10
    expected = scene.camera.project(found.points @ second[:3, :3].T + second[:3, 3])
    assert np.median(np.linalg.norm(found.pixels - expected, axis=1)) < 0.5
    away = second.copy()
    away[0, 3] += 0.05
    refresh_surface(tracks, grays[1], away, None, masks[1], rasterizer, scene.camera, options)
    assert len(tracks) == 0
