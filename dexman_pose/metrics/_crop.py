"""Boxes of pixels in which an object can be seen; only these are rendered and compared."""

from __future__ import annotations

import math

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.mesh import Mesh
from dexman_pose.errors import InputError
from dexman_pose.metrics.poses import hull_vertices

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, the last two exclusive; empty when x0 >= x1."""

NEAR = 0.01
"""Metres; surface nearer than this is not rendered."""

_EMPTY: Box = (0, 0, 0, 0)


def hull_points(mesh: Mesh) -> Array:
    """The corners (M, 3) of the hull of the mesh's faces: the box around their outline is that of the mesh."""
    return hull_vertices(mesh.vertices[np.unique(mesh.faces)])


def outline_box(points: Array, pose: Array, camera: Camera, near: float = NEAR) -> Box:
    """The pixels that a mesh can cover.

    Args:
        points: (M, 3) metres, points whose convex hull holds the mesh.
        pose: (4, 4) camera_from_object.
        camera: the camera.
        near: metres; what lies before this plane is not rendered.

    Returns:
        A box, clipped to the image; the whole image when the object reaches through the near plane.
    """
    projection = camera.K @ pose[:3]
    x, y, z = projection[:, :3] @ points.T + projection[:, 3:]
    if z.max() < near:
        return _EMPTY
    if z.min() < near:
        return 0, 0, camera.width, camera.height
    x /= z
    y /= z
    # One pixel more on each side: the rasteriser widens triangles by a little.
    x0, x1 = _span(float(x.min()), float(x.max()), camera.width)
    y0, y1 = _span(float(y.min()), float(y.max()), camera.height)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else _EMPTY


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    """First pixel and the one behind the last of a range, clipped to the image."""
    return math.floor(min(max(low - 1.0, 0.0), size)), math.floor(min(max(high + 3.0, 0.0), size))


def joined(first: Box, second: Box) -> Box:
    """The smallest box around both."""
    return (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        max(first[3], second[3]),
    )


def apart(first: Box, second: Box) -> bool:
    """Whether two boxes share no pixel."""
    return max(first[0], second[0]) >= min(first[2], second[2]) or max(first[1], second[1]) >= min(
        first[3], second[3]
    )


def crop_matrix(camera: Camera, box: Box) -> Array:
    """Intrinsics (3, 3) of the crop: the principal point moves with the corner."""
    k = camera.K.copy()
    k[0, 2] -= box[0]
    k[1, 2] -= box[1]
    return k


def require_undistorted(camera: Camera, what: str) -> None:
    """Raise :class:`InputError` for a camera with lens distortion."""
    if camera.distortion is not None:
        raise InputError(
            f"{what} is defined on pictures of an ideal pinhole, but this camera has distortion "
            f"{camera.distortion.tolist()}: undistort the images (and use a camera without distortion)"
        )
