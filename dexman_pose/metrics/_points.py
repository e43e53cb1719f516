"""Vertices as image points: which pixel each falls on, and how near the nearest of each pixel is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera

Pixels = tuple[NDArray[np.intp], NDArray[np.intp], Array]
"""Rows, columns and depths in metres."""


def vertex_pixels(vertices: Array, pose: Array, camera: Camera) -> Pixels:
    """The pixels that the vertices of one pose fall on: of each that whose centre is nearest.

    Vertices behind the camera and outside the image are left out.

    Args:
        vertices: (V, 3) metres.
        pose: (4, 4) camera_from_object.
        camera: the camera.

    Returns:
        Rows, columns and depths (M,) of the vertices that are left.
    """
    points = vertices @ pose[:3, :3].T + pose[:3, 3]
    points = points[points[:, 2] > 1e-6]
    pixels = np.floor(camera.project(points) + 0.5)
    inside = ((pixels >= 0) & (pixels < (camera.width, camera.height))).all(1)
    columns, rows = pixels[inside].astype(np.intp).T
    return rows, columns, points[inside, 2]


def nearest_vertices(vertices: Array, pose: Array, camera: Camera) -> Pixels:
    """The same, each pixel once, with the depth of its nearest vertex."""
    rows, columns, depth = vertex_pixels(vertices, pose, camera)
    nearest_first = np.argsort(depth, kind="stable")
    index, first = np.unique((rows * camera.width + columns)[nearest_first], return_index=True)
    return index // camera.width, index % camera.width, depth[nearest_first[first]]
