"""A closed shape from one silhouette: the outline swollen along the viewing direction.

The half thickness solves a Poisson equation inside the mask, h = sqrt(phi) with laplace(phi) = -4 and phi = 0 on the
edge (after Gorelick et al., "Shape Representation and Classification Using the Poisson Equation", 2006): a disc
becomes a ball, a strip a rod of its own width, whatever it is attached to. What the camera cannot see is a guess, and
the mesh says so face by face.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from dexman_pose.arrays import Array, Mask
from dexman_pose.data import Camera
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.grids import interpolated
from dexman_pose.imaging.resize import Way, resize_picture

_GRID = 88  # longest side of the working mask in cells


def half_thickness(mask: Mask) -> Array:
    """(h, w) half thickness in pixels of the swollen mask, 0 outside it."""
    index = np.full(mask.shape, -1, np.int64)
    y, x = np.nonzero(mask)
    index[y, x] = np.arange(len(y))
    if len(y) == 0:
        return np.zeros(mask.shape)
    padded = np.pad(index, 1, constant_values=-1)
    rows, cols = [np.arange(len(y))], [np.arange(len(y))]
    values = [np.full(len(y), 4.0)]
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        neighbour = padded[y + dy, x + dx]
        has = neighbour >= 0
        rows.append(np.nonzero(has)[0])
        cols.append(neighbour[has])
        values.append(np.full(int(has.sum()), -1.0))
    system = coo_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols))), shape=(len(y), len(y))
    ).tocsc()
    phi = np.zeros(mask.shape)
    phi[y, x] = spsolve(system, np.full(len(y), 4.0))
    thickness: Array = np.sqrt(np.maximum(phi, 0.0))
    return thickness


class SwollenOutline:
    """The implicit function of a swollen silhouette, negative inside, in the frame of its viewing ray.

    The frame's origin lies on the viewing ray of the mask's centre at ``depth``; its z axis points along that ray.

    Args:
        mask: (H, W) bool, the whole silhouette.
        camera: intrinsics of the image.
        camera_from_object: (4, 4) pose of the frame.
        thickness: factor on the half thickness; 1 makes a disc a ball.
    """

    def __init__(self, mask: Mask, camera: Camera, camera_from_object: Array, thickness: float) -> None:
        y, x = np.nonzero(mask)
        if len(y) < 30:
            raise EstimationError(f"a shape needs a mask of at least 30 pixels, but this one has {len(y)}")
        self.camera, self.pose = camera, camera_from_object
        pad = 4
        self._x0, self._y0 = x.min() - pad, y.min() - pad
        cut = np.zeros((y.max() - y.min() + 1 + 2 * pad, x.max() - x.min() + 1 + 2 * pad), np.uint8)
        cut[y - self._y0, x - self._x0] = 1
        self._scale = min(1.0, _GRID / max(cut.shape))
        size = (max(int(cut.shape[1] * self._scale), 8), max(int(cut.shape[0] * self._scale), 8))
        small = resize_picture(cut.astype(np.float32), size, Way.AREA) >= 0.5
        self._factor = np.array([size[0] / cut.shape[1], size[1] / cut.shape[0]])
        outside = cv2.distanceTransform((~small).astype(np.uint8), cv2.DIST_L2, 5)
        inside = half_thickness(small) * thickness
        # One field for both: metres of half thickness inside, minus the distance to the mask outside.
        self._field = np.where(small, inside, -np.maximum(outside - 0.5, 0.0))
        self.metres_per_cell = camera_from_object[2, 3] / camera.fx / float(self._factor.mean())

    @property
    def thickest(self) -> float:
        """Largest half thickness in metres."""
        return float(self._field.max()) * self.metres_per_cell

    def half(self, points: Array) -> Array:
        """(N,) half thickness in metres (negative outside the mask) where object-frame points (N, 3) project to."""
        p = points @ self.pose[:3, :3].T + self.pose[:3, 3]
        uv = (self.camera.project(p) - np.array([self._x0, self._y0]) + 0.5) * self._factor - 0.5
        value = interpolated(self._field, [uv[:, 1], uv[:, 0]])
        beyond = np.maximum(np.maximum(-uv, uv - (np.array(self._field.shape[::-1]) - 1)), 0.0).max(1)
        half: Array = (value - beyond) * self.metres_per_cell
        return half

    def __call__(self, points: Array) -> Array:
        """(N,) values, negative inside, of object-frame points (N, 3) in metres."""
        half = self.half(points)
        return np.where(half > 0, np.abs(points[:, 2]) - half, np.hypot(points[:, 2], half))

    def bounds(self) -> tuple[Array, Array]:
        """Corners (3,), (3,) of a box around the shape, object frame, metres."""
        cells = np.argwhere(self._field > 0)[:, ::-1]
        pixels = (cells + 0.5) / self._factor - 0.5 + np.array([self._x0, self._y0])
        depth = self.pose[2, 3]
        points = self.camera.unproject(pixels, np.full(len(pixels), depth)) - self.pose[:3, 3]
        local = points @ self.pose[:3, :3]
        slack = 4.0 * self.metres_per_cell
        reach = np.array([0.0, 0.0, self.thickest])
        widen = 1.0 + self.thickest / depth
        low = local.min(0) * [widen, widen, 0.0] - reach - slack
        high = local.max(0) * [widen, widen, 0.0] + reach + slack
        return low, high
