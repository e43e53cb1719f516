"""What one frame tells of an object's surface: masked depth without the mixed pixels of its edges."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.data import Camera
from dexman_pose.imaging.masks import eroded
from dexman_pose.meshing.fusion.options import FusionOptions

_DEFAULTS = FusionOptions()


@dataclass(frozen=True)
class View:
    """One frame.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8, see :class:`~dexman_pose.data.MaskSequence`.
        label: of the object in ``labels``.
        depth: (H, W) float32 metres, 0 where nothing was measured.
        camera_from_object: (4, 4).
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    label: int
    depth: NDArray[np.float32]
    camera_from_object: Array

    @property
    def mask(self) -> Mask:
        """(H, W) bool, pixels that show the object."""
        return self.labels == self.label


def normals_of_depth(
    depth: NDArray[np.float32], used: Mask, camera: Camera, options: FusionOptions = _DEFAULTS
) -> tuple[Array, Mask]:
    """(H, W, 3) unit normals towards the camera, and the pixels (H, W) that have one.

    Depth is smoothed within the mask first: from one pixel to the next a sensor's noise is as large as the surface's
    slope.

    Args:
        depth: (H, W) metres.
        used: (H, W) pixels whose depth may be used.
        camera: pinhole.
        options: how far is smoothed.
    """
    weight = cv2.GaussianBlur(used.astype(np.float64), (0, 0), options.blur)
    smooth = cv2.GaussianBlur(np.where(used, depth, 0.0).astype(np.float64), (0, 0), options.blur)
    smooth /= np.maximum(weight, 1e-9)
    height, width = depth.shape
    rows, columns = np.nonzero(used)
    normals, known = np.zeros((height, width, 3)), np.zeros_like(used)
    if len(rows) == 0:
        return normals, known
    points = np.zeros((height, width, 3))
    points[rows, columns] = camera.unproject(np.stack([columns, rows], 1), smooth[rows, columns])
    n = options.baseline
    across = points[n:-n, 2 * n :] - points[n:-n, : -2 * n]
    down = points[2 * n :, n:-n] - points[: -2 * n, n:-n]
    cross = np.cross(down, across)
    length = np.linalg.norm(cross, axis=2)
    middle = used[n:-n, n:-n] & used[n:-n, 2 * n :] & used[n:-n, : -2 * n]
    middle &= used[2 * n :, n:-n] & used[: -2 * n, n:-n]
    known[n:-n, n:-n] = middle & (length > 0)
    normals[n:-n, n:-n] = cross / np.maximum(length, 1e-12)[..., None]
    away = np.einsum("hwi,hwi->hw", normals, points) > 0
    normals[away] *= -1.0
    return normals, known


def trusted_depth(
    depth: NDArray[np.float32], mask: Mask, camera: Camera, options: FusionOptions = _DEFAULTS
) -> tuple[NDArray[np.float32], Array]:
    """Depth of the object where it can be believed, 0 elsewhere, and normals (H, W, 3) there.

    Pixels at the edge of the mask mix object and background, and surfaces seen at a grazing angle are noise.
    """
    used = eroded(mask, options.edge) & (depth > 0)
    normals, known = normals_of_depth(depth, used, camera, options)
    height, width = depth.shape
    v, u = np.nonzero(known)
    rays = camera.unproject(np.stack([u, v], 1), np.ones(len(u)))
    rays = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    facing = np.zeros((height, width))
    facing[v, u] = -np.einsum("ni,ni->n", normals[v, u], rays)
    good = _whole(known & (facing > options.grazing), options.least_part)
    return np.where(good, depth, 0).astype(np.float32), normals


def _whole(good: Mask, least: float) -> Mask:
    """Without the splinters that a leaking mask takes from things behind: jumps in depth part them from the object."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(good.astype(np.uint8), connectivity=4)
    if count <= 2:
        return good
    areas = stats[:, cv2.CC_STAT_AREA].astype(float)
    areas[0] = 0.0
    kept: Mask = (areas >= least * areas.max())[parts]
    return kept
