"""Outlines on a plane times a thickness: boards, trays, boxes, knives, and what stands on the table like a prism.

The largest such shape is that of all columns across the plane which every view sees within its outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.grids import interpolated
from dexman_pose.geometry.isosurface import surface_nets
from dexman_pose.meshing.hypotheses.options import ExtrudedOptions
from dexman_pose.meshing.hypotheses.outlines import Outline, outside_all
from dexman_pose.meshing.hypotheses.revolved import across

_DEFAULTS = ExtrudedOptions()
_LEAST_CELLS = 6


@dataclass(frozen=True, eq=False)
class Slab:
    """An outline on a plane times a thickness.

    Attributes:
        frame: (3, 3) columns: two directions of the plane and its normal, object frame.
        low: (2,) place of the first cell on the plane, metres.
        step: metres between cells.
        field: (n, m) metres, negative inside.
        thickness: metres; half of it on either side of the plane through the origin.
    """

    frame: Array
    low: Array
    step: float
    field: Array
    thickness: float

    def __call__(self, local: Array) -> Array:
        """(N,) values, negative inside, of points (N, 3) in the frame of the slab."""
        at = ((local[:, :2] - self.low) / self.step).T
        flat = interpolated(self.field, at)
        out: Array = np.maximum(flat, np.abs(local[:, 2]) - 0.5 * self.thickness)
        return out


def extruded_slab(
    views: Sequence[Outline], normal: Array, thickness: float, *, options: ExtrudedOptions = _DEFAULTS
) -> Slab | None:
    """The largest slab of a thickness across a plane; None where no column fits into the outlines.

    Args:
        views: outlines.
        normal: (3,) unit, of the plane, object frame.
        thickness: metres.
        options: of the grid.
    """
    reach = 0.5 * options.reach * views[0].size / max(abs(float(normal[2])), 0.25)
    middle, half = np.zeros(2), np.full(2, reach)
    slab = _on_grid(views, normal, thickness, middle, half, options.coarse, options)
    inside = np.argwhere(slab.field < 0)
    if len(inside) == 0:
        return None
    low = slab.low + slab.step * (inside.min(0) - options.around)
    high = slab.low + slab.step * (inside.max(0) + options.around)
    slab = _on_grid(views, normal, thickness, 0.5 * (low + high), 0.5 * (high - low), options.cells, options)
    return slab if np.count_nonzero(slab.field < 0) >= _LEAST_CELLS else None


def _on_grid(
    views: Sequence[Outline],
    normal: Array,
    thickness: float,
    middle: Array,
    half: Array,
    cells: int,
    options: ExtrudedOptions,
) -> Slab:
    """The slab on a grid of so many cells along the longer side of a rectangle of the plane."""
    u, v = across(normal)
    step = 2.0 * float(half.max()) / (cells - 1)
    counts = np.ceil(2.0 * half / step).astype(int) + 1
    low = middle - 0.5 * step * (counts - 1)
    a, b = np.meshgrid(*[low[i] + step * np.arange(counts[i]) for i in range(2)], indexing="ij")
    levels = np.linspace(-0.5, 0.5, options.levels) * thickness
    columns = a.ravel()[:, None, None] * u + b.ravel()[:, None, None] * v + levels[None, :, None] * normal
    field = outside_all(columns, views).reshape(a.shape)
    return Slab(np.stack([u, v, normal], 1), low, step, _ended(field, step), thickness)


def _ended(field: Array, step: float) -> Array:
    """A field, changed in place, whose shape ends within its grid."""
    for edge in (field[0], field[-1], field[:, 0], field[:, -1]):
        np.maximum(edge, step, out=edge)
    return field


def slab_mesh(slab: Slab, *, options: ExtrudedOptions = _DEFAULTS) -> Mesh:
    """A closed mesh of a slab, with cells that are flatter the thinner it is.

    Raises:
        EstimationError: nothing is left of it on the grid.
    """
    inside = np.argwhere(slab.field < 0)
    low = slab.low + slab.step * (inside.min(0) - 1)
    high = slab.low + slab.step * (inside.max(0) + 1)
    spacing = max(float((high - low).max()), slab.thickness) / options.resolution
    squeeze = min(1.0, slab.thickness / (options.layers * spacing))
    stretched = np.array([1.0, 1.0, squeeze])

    def distance(points: Array) -> Array:
        local = points * stretched
        at = ((local[:, :2] - slab.low) / slab.step).T
        flat = interpolated(slab.field, at)
        out: Array = np.maximum(flat, np.abs(points[:, 2]) - 0.5 * slab.thickness / squeeze)
        return out

    half = 0.5 * slab.thickness / squeeze
    vertices, faces = surface_nets(
        distance,
        np.array([*low, -half]) - 2 * spacing,
        np.array([*high, half]) + 2 * spacing,
        spacing,
    )
    if len(faces) == 0:
        raise EstimationError("no column of the slab fits into the outlines")
    return Mesh((vertices * stretched) @ slab.frame.T, faces, source="extruded")


def boxed(slab: Slab, *, options: ExtrudedOptions = _DEFAULTS) -> Slab | None:
    """The slab with a rectangle for its outline, of the same area; None where it is not nearly one."""
    inside = np.argwhere(slab.field < 0).astype(np.float32)
    hull = cv2.convexHull(inside[:, None])
    middle, size, angle = cv2.minAreaRect(hull)
    area = float(size[0] * size[1])
    filled = float(np.count_nonzero(slab.field < 0)) / max(float((size[0] + 1) * (size[1] + 1)), 1.0)
    if area < _LEAST_CELLS or filled < options.box:
        return None
    turn = np.radians(angle)
    x, y = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    counts = [np.arange(n) for n in slab.field.shape]
    cells = np.stack(np.meshgrid(*counts, indexing="ij"), -1) - np.array(middle)
    shrunk = np.sqrt(min(filled * 1.02, 1.0))
    half = 0.5 * (np.array(size) + 1.0) * shrunk
    off = np.stack([np.abs(cells @ x) - half[0], np.abs(cells @ y) - half[1]], -1)
    field = _ended(slab.step * off.max(-1), slab.step)
    return Slab(slab.frame, slab.low, slab.step, field, slab.thickness)
