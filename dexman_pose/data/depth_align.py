"""Depth of one camera seen from another: for sensors that deliver colour and depth from two places."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.accept.depths import as_depth
from dexman_pose.data.accept.poses import as_pose
from dexman_pose.data.camera import Camera
from dexman_pose.data.numbers import instance
from dexman_pose.errors import InputError

_DENSITY = 1.1
"""Samples per colour pixel along each axis: above 1, so that rounding leaves no hole in a surface."""


def align_depth(
    depth: NDArray[np.float32], depth_camera: Camera, color_from_depth: ArrayLike, color_camera: Camera
) -> NDArray[np.float32]:
    """Depth as the colour camera would measure it.

    Every depth pixel is a small square facing its camera; the squares are moved into the colour camera, where the
    nearest one wins. Depth is not averaged, so no surface appears between an object and what lies behind it. What
    the depth camera could not see stays without a measurement.

    Args:
        depth: (h, w) float32 metres along the depth camera's optical axis, 0 where not measured.
        depth_camera: intrinsics of the depth image, without distortion.
        color_from_depth: (4, 4) rigid transform, metres.
        color_camera: intrinsics of the colour image, without distortion.

    Returns:
        (H, W) float32 metres along the colour camera's optical axis, 0 where nothing was measured.

    Raises:
        InputError: sizes do not agree, no rigid transform, or a camera with distortion.
    """
    for name, camera in (("depth_camera", depth_camera), ("color_camera", color_camera)):
        instance(camera, Camera, name, "make one with Camera(K, width, height)")
        if camera.distortion is not None:
            raise InputError(f"{name} has lens distortion; undistort its image and give a camera without")
    measured = as_depth(depth, (depth_camera.height, depth_camera.width))
    motion = as_pose(color_from_depth, "color_from_depth")
    points = _samples(measured, depth_camera, color_camera) @ motion[:3, :3].T + motion[:3, 3]
    points = points[points[:, 2] > 1e-6]
    width, height = color_camera.width, color_camera.height
    # Clipped before rounding: a point far outside must not overflow an integer.
    column, row = np.clip(color_camera.project(points), -1.0, max(width, height) + 1.0).T
    u, v = np.rint(column).astype(np.int64), np.rint(row).astype(np.int64)
    inside = (u >= 0) & (v >= 0) & (u < width) & (v < height)
    nearest = np.full(height * width, np.inf, np.float32)
    np.minimum.at(nearest, v[inside] * width + u[inside], points[inside, 2].astype(np.float32))
    nearest[~np.isfinite(nearest)] = 0.0
    return nearest.reshape(height, width)


def _samples(depth: NDArray[np.float32], camera: Camera, target: Camera) -> Array:
    """Points (N, 3) of the depth camera, spread evenly over each measured pixel, dense enough for ``target``."""
    v, u = np.nonzero(depth > 0)
    ratio = max(target.fx / camera.fx, target.fy / camera.fy)
    count = max(1, int(np.ceil(_DENSITY * ratio)))
    offset = (np.arange(count) + 0.5) / count - 0.5
    dy, dx = np.meshgrid(offset, offset, indexing="ij")
    pixels = np.stack([u[:, None] + dx.ravel(), v[:, None] + dy.ravel()], -1)
    z = np.broadcast_to(depth[v, u][:, None], pixels.shape[:2])
    return camera.unproject(pixels, z).reshape(-1, 3)
