"""A mesh from the outline of an object in one frame, coloured from that frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.geometry.isosurface import surface_nets
from dexman_pose.meshing.inflate import SwollenOutline
from dexman_pose.meshing.paint import Painter


def frame_on_ray(mask: Mask, camera: Camera, depth: float) -> Array:
    """(4, 4) camera_from_object of a frame at ``depth`` metres on the mask's middle ray, z axis along that ray."""
    y, x = np.nonzero(mask)
    middle = np.array([0.5 * (x.min() + x.max()), 0.5 * (y.min() + y.max())])
    origin = camera.unproject(middle, np.array(depth))
    axis = np.cross([0.0, 0.0, 1.0], origin)
    sine = float(np.linalg.norm(axis))
    turn = np.eye(3) if sine < 1e-9 else so3_exp(axis / sine * np.arctan2(sine, origin[2]))
    return se3(turn, origin)


def close_gaps(mask: Mask, bridge: Mask | None = None) -> Mask:
    """The silhouette without pinholes and without the cuts of a thin occluder.

    Args:
        mask: (H, W) visible pixels.
        bridge: (H, W) pixels of an occluder; the silhouette may be joined across them where they part it.
    """
    image = mask.astype(np.uint8)
    size = max(3, int(0.03 * np.sqrt(image.sum())) | 1)
    closed = cv2.morphologyEx(
        image, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    )
    if bridge is not None and bridge.any():
        wide = max(5, int(0.25 * np.sqrt(image.sum())) | 1)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))
        across = cv2.morphologyEx(image, cv2.MORPH_CLOSE, kernel)
        closed = np.where(bridge, np.maximum(closed, across), closed)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(closed.astype(np.uint8), connectivity=4)
    if count > 2:
        areas = stats[1:, cv2.CC_STAT_AREA]
        own = (
            np.bincount(parts[mask], minlength=count)[1:] > 0
        )  # what no visible pixel vouches for is invented
        closed = np.isin(parts, 1 + np.nonzero((areas >= 0.02 * areas.max()) & own)[0])
    out: Mask = closed > 0
    return out


def shape_from_mask(
    mask: Mask,
    camera: Camera,
    depth: float,
    image: NDArray[np.uint8],
    *,
    visible: Mask | None = None,
    thickness: float = 0.8,
    resolution: int = 48,
) -> tuple[Mesh, Array]:
    """A closed mesh that fills one silhouette, and where it is.

    Args:
        mask: (H, W) the silhouette, gaps closed.
        camera: intrinsics.
        depth: metres from the camera to the object's middle, along z.
        image: (H, W, 3) uint8 RGB of the same frame.
        visible: (H, W) pixels whose colour belongs to the object; the mask itself when None.
        thickness: factor on the swelling, 1 makes a disc a ball.
        resolution: cells along the longest side.

    Returns:
        The mesh (metres, origin at its middle, z along the viewing ray) and camera_from_object (4, 4).
    """
    pose = frame_on_ray(mask, camera, depth)
    outline = SwollenOutline(mask, camera, pose, thickness)
    low, high = outline.bounds()
    spacing = float((high - low)[:2].max()) / resolution
    low, high = low - 2 * spacing, high + 2 * spacing
    vertices, faces = surface_nets(outline, low, high, spacing)
    mesh = Mesh(vertices, faces, source="silhouette")
    painter = Painter(mesh, camera)
    painter.add(image, mask if visible is None else visible, pose)
    return painter.painted(), pose
