"""Points on the surface: corners of one picture of the object, found in another by optical flow both ways."""

from __future__ import annotations

import cv2
import numpy as np

from dexman_pose.arrays import Array, FloatImage, Gray
from dexman_pose.imaging.flow import flow_both_ways
from dexman_pose.pose.region.options import PointOptions
from dexman_pose.pose.region.window import Window
from dexman_pose.pose.solver.residuals import PointMatches

_BLOCK = 5
"""Pixels, side of the square over which a corner's strength is summed."""


def found_corners(
    first: Gray,
    second: Gray,
    inverse_depth: FloatImage,
    window: Window,
    pose: Array,
    options: PointOptions,
    weight: float,
) -> PointMatches | None:
    """Corners of the object in one picture, found in another.

    Args:
        first: (h, w) grey picture of the object at ``pose``, in the window.
        second: (h, w) grey picture in the same window.
        inverse_depth: (h, w) 1 / metres of the surface drawn at ``pose``, 0 beside it.
        window: the window.
        pose: (4, 4) camera_from_object in the first picture.
        options: how many, and which are believed.
        weight: of each.

    Returns:
        Points of the object and image pixels of the second picture; None when there are none.
    """
    drawn = (inverse_depth > 0).astype(np.uint8)
    free = cv2.erode(drawn, np.ones((options.inside, options.inside), np.uint8))
    corners = cv2.goodFeaturesToTrack(
        first, options.count, options.quality, options.apart, mask=free, blockSize=_BLOCK
    )
    if corners is None:
        return None
    there, good = flow_both_ways(first, second, corners[:, 0], options.flow)
    if not good.any():
        return None
    corners, there = corners[good, 0].astype(np.float64), there[good]
    x, y = np.round(corners).astype(np.int64).T
    z = 1.0 / inverse_depth[y, x].astype(np.float64)
    k = window.K
    seen = (corners - k[:2, 2]) / (k[0, 0], k[1, 1]) * z[:, None]
    points = (np.column_stack([seen, z]) - pose[:3, 3]) @ pose[:3, :3]
    return PointMatches(points, window.to_image(there), np.full(len(points), weight))
