"""Points on the surface: corners of one picture of the object, found in another by optical flow both ways."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dexman_pose.arrays import Array, FloatImage, Gray
from dexman_pose.imaging.flow import follow_both_ways
from dexman_pose.imaging.options import PointFlowOptions
from dexman_pose.pose.region.options import PointOptions

_BLOCK = 5
"""Pixels, side of the square over which a corner's strength is summed."""


@dataclass(frozen=True, eq=False)
class SurfaceCorners:
    """Corners of a picture of the object: their pixels (N, 2) in it, and the points (N, 3) of the object there."""

    pixels: Array
    points: Array

    def __len__(self) -> int:
        return len(self.pixels)


def surface_corners(
    picture: Gray, inverse_depth: FloatImage, K: Array, pose: Array, options: PointOptions
) -> SurfaceCorners | None:
    """Corners of the object in a picture; None where there are none.

    Args:
        picture: (h, w) grey picture of the object at ``pose``.
        inverse_depth: (h, w) 1 / metres of the surface drawn at ``pose``, 0 beside it.
        K: (3, 3) intrinsics of both.
        pose: (4, 4) camera_from_object.
        options: how many.
    """
    drawn = (inverse_depth > 0).astype(np.uint8)
    free = cv2.erode(drawn, np.ones((options.inside, options.inside), np.uint8))
    x, y, w, h = cv2.boundingRect(free)
    if not w:
        return None
    # Strengths need a block of neighbours, and those their gradients.
    x0, y0 = max(x - _BLOCK, 0), max(y - _BLOCK, 0)
    part = (slice(y0, y + h + _BLOCK), slice(x0, x + w + _BLOCK))
    found = cv2.goodFeaturesToTrack(
        picture[part], options.count, options.quality, options.apart, mask=free[part], blockSize=_BLOCK
    )
    if found is None:
        return None
    pixels = found[:, 0].astype(np.float64) + (x0, y0)
    columns, rows = np.round(pixels).astype(np.int64).T
    z = 1.0 / inverse_depth[rows, columns].astype(np.float64)
    seen = (pixels - K[:2, 2]) / (K[0, 0], K[1, 1]) * z[:, None]
    return SurfaceCorners(pixels, (np.column_stack([seen, z]) - pose[:3, 3]) @ pose[:3, :3])


def projected(points: Array, pose: Array, K: Array) -> Array:
    """Pixels (N, 2) of points (N, 3) of the object at a pose (4, 4) that puts them before the camera."""
    seen = (points @ pose[:3, :3].T + pose[:3, 3]) @ K.T
    out: Array = seen[:, :2] / seen[:, 2:]
    return out


def found_again(
    corners: SurfaceCorners, first: Gray, second: Gray, guess: Array, flow: PointFlowOptions
) -> tuple[SurfaceCorners, Array] | None:
    """Corners of one picture that are found in another, and their pixels (M, 2) there; None where none is.

    Args:
        corners: of the first picture.
        first: (h, w) grey.
        second: (h, w) grey.
        guess: (N, 2) pixels of the second picture at which the search begins.
        flow: how they are looked for.
    """
    there, good = follow_both_ways(first, second, corners.pixels, guess, flow)
    if not good.any():
        return None
    return SurfaceCorners(corners.pixels[good], corners.points[good]), there[good]
