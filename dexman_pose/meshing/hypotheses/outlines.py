"""Outlines that a shape must lie within: one per view, with what is hidden left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.data import Camera
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.grids import interpolated
from dexman_pose.imaging.resize import Way, resize_labels, resize_picture
from dexman_pose.meshing.hypotheses.options import OutlineOptions

_DEFAULTS = OutlineOptions()


@dataclass(frozen=True, eq=False)
class Outline:
    """What one view shows of an object.

    Attributes:
        mask: (H, W) bool, the object's pixels.
        hidden: (H, W) bool, pixels of which nothing is known: hands, other objects; or None.
        camera: intrinsics.
        camera_from_object: (4, 4).
        options: how it is sampled.
    """

    mask: Mask
    hidden: Mask | None
    camera: Camera
    camera_from_object: Array
    options: OutlineOptions = _DEFAULTS

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """x0, y0, width, height of the part that is sampled, pixels."""
        y, x = np.nonzero(self.mask)
        if len(y) < self.options.least:
            raise EstimationError(
                f"a shape needs a mask of at least {self.options.least} pixels, but this one has {len(y)}"
            )
        pad = self.options.pad
        x0, y0 = int(x.min()) - pad, int(y.min()) - pad
        return x0, y0, int(x.max()) + 1 + pad - x0, int(y.max()) + 1 + pad - y0

    @cached_property
    def small(self) -> NDArray[np.bool_]:
        """The mask within :attr:`box`, longest side at most ``options.side`` cells."""
        return self._cut(self.mask) >= 0.5

    @cached_property
    def unknown(self) -> NDArray[np.bool_]:
        """Cells of which nothing is known."""
        if self.hidden is None:
            return np.zeros(self.small.shape, np.bool_)
        return (self._cut(self.hidden) > 0) & ~self.small

    @property
    def cells_per_pixel(self) -> Array:
        """(2,) along x and y."""
        return np.array([self.small.shape[1] / self.box[2], self.small.shape[0] / self.box[3]])

    @property
    def metres_per_cell(self) -> float:
        """At the distance of the object frame's origin."""
        depth = float(self.camera_from_object[2, 3])
        return depth / self.camera.fx / float(self.cells_per_pixel.mean())

    @property
    def size(self) -> float:
        """Longest side of the outline in metres at that distance."""
        y, x = np.nonzero(self.small)
        return float(max(np.ptp(x), np.ptp(y)) + 1) * self.metres_per_cell

    @cached_property
    def distance(self) -> Array:
        """(h, w) cells to the outline, negative inside."""
        return signed_distance(self.small)

    def cells(self, points: Array) -> Array:
        """(N, 2) where object-frame points (N, 3) are seen, in cells (x, y)."""
        pose = self.camera_from_object
        at = points @ pose[:3, :3].T + pose[:3, 3]
        at[:, 2] = np.maximum(at[:, 2], 1e-3)
        out: Array = (self.camera.project(at) - np.array(self.box[:2]) + 0.5) * self.cells_per_pixel - 0.5
        return out

    def outside(self, points: Array, field: Array | None = None) -> Array:
        """(N,) metres by which points (N, 3) are seen outside the outline, negative inside; NaN where hidden."""
        uv = self.cells(points)
        inner = self.distance if field is None else field
        value = interpolated(inner, [uv[:, 1], uv[:, 0]])
        top = np.array(inner.shape[::-1]) - 1
        value = value + np.maximum(np.maximum(-uv, uv - top), 0.0).max(1)
        if self.unknown.any():
            at = np.round(uv).astype(int)
            there = ((at >= 0) & (at <= top)).all(1)
            at = at.clip(0, top)
            value = np.where(there & self.unknown[at[:, 1], at[:, 0]], np.nan, value)
        return value * self.metres_per_cell

    def in_picture(self, cells: NDArray[np.bool_]) -> Mask:
        """(H, W) the pixels of cells (h, w)."""
        x0, y0, width, height = self.box
        large = resize_labels(cells.astype(np.uint8), (width, height)) > 0
        rows, columns = int(self.mask.shape[0]), int(self.mask.shape[1])
        out = np.zeros((rows, columns), np.bool_)
        a, b = max(y0, 0), min(y0 + height, rows)
        c, d = max(x0, 0), min(x0 + width, columns)
        out[a:b, c:d] = large[a - y0 : b - y0, c - x0 : d - x0]
        return out

    def _cut(self, image: Mask) -> Array:
        x0, y0, width, height = self.box
        cut = np.zeros((height, width), np.float32)
        a, b = max(y0, 0), min(y0 + height, image.shape[0])
        c, d = max(x0, 0), min(x0 + width, image.shape[1])
        cut[a - y0 : b - y0, c - x0 : d - x0] = image[a:b, c:d]
        factor = min(1.0, self.options.side / max(width, height))
        size = (max(int(width * factor), 8), max(int(height * factor), 8))
        return np.asarray(resize_picture(cut, size, Way.AREA), np.float64)


def signed_distance(mask: NDArray[np.bool_]) -> Array:
    """(h, w) cells from the edge of a mask, negative inside."""
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    out: Array = np.where(mask, 0.5 - inside, outside - 0.5).astype(np.float64)
    return out


def outside_all(sets: Array, views: Sequence[Outline], field: Array | None = None) -> Array:
    """(K,) metres by which sets of points stick out of the outlines, negative for those that lie within them.

    A set is outside a view as far as its farthest point is; of several views the share ``agree`` must see it inside.
    Hidden points are inside; a view that is hidden all over has no say.

    Args:
        sets: (K, P, 3) object frame.
        views: the first one is the surest: its field may be replaced.
        field: distance in cells of the first view, in place of its own: that of a part of its outline.
    """
    count, each = sets.shape[:2]
    found = []
    for k, view in enumerate(views):
        value = view.outside(sets.reshape(-1, 3), field if k == 0 else None).reshape(count, each)
        blind = np.isnan(value)
        farthest = np.where(blind, -np.inf, value).max(1) - view.options.slack * view.metres_per_cell
        found.append(np.where(blind.all(1), np.nan, farthest))
    if len(found) == 1:
        return np.nan_to_num(found[0], nan=-1.0)
    stack = np.stack(found)
    unseen = np.isnan(stack).all(0)
    stack[:, unseen] = -1.0
    several: Array = np.nanquantile(stack, views[0].options.agree, axis=0)
    return np.maximum(several, np.nan_to_num(found[0], nan=-1.0))
