"""Outlines swollen about a plane: about the plane of the picture, or about the table that long things lie on."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.isosurface import surface_nets
from dexman_pose.meshing.hypotheses.options import SwollenOptions
from dexman_pose.meshing.hypotheses.revolved import across
from dexman_pose.meshing.inflate import SwollenOutline

_DEFAULTS = SwollenOptions()


def swollen_on(
    outline: SwollenOutline,
    normal: Array,
    size: float,
    *,
    place: Array | None = None,
    options: SwollenOptions = _DEFAULTS,
) -> Mesh:
    """A closed mesh of an outline swollen to both sides of a plane.

    Args:
        outline: how thick it is where.
        normal: (3,) unit, of the plane, object frame.
        size: longest side of the outline, metres.
        place: (3,) a point of the plane; the origin when None.
        options: of the grid.

    Raises:
        EstimationError: nothing is left of it on the grid.
    """
    at = np.zeros(3) if place is None else place
    u, v = across(normal)
    frame = np.stack([u, v, normal], 1)
    reach = 0.5 * options.reach * size / max(abs(float(normal[2])), 0.25) + outline.thickest
    spots = np.linspace(-reach, reach, 64)
    a, b = np.meshgrid(spots, spots, indexing="ij")
    inside = outline.half(at + a.ravel()[:, None] * u + b.ravel()[:, None] * v) > 0
    if not inside.any():
        raise EstimationError("nothing of the outline lies on the plane")
    own = np.stack([a.ravel()[inside], b.ravel()[inside]], 1)
    slack = 2.5 * (spots[1] - spots[0]) + outline.thickest
    low = np.array([*(own.min(0) - slack), -outline.thickest])
    high = np.array([*(own.max(0) + slack), outline.thickest])
    spacing = float((high - low)[:2].max()) / options.resolution
    squeeze = min(1.0, 2.0 * outline.thickest / (8.0 * spacing))
    stretched = np.array([1.0, 1.0, squeeze])
    middle, side = 0.5 * (low + high)[:2], 0.5 * (high - low)[:2] + 0.5 * spacing

    def distance(points: Array) -> Array:
        local = points * stretched
        half = outline.half(at + local @ frame.T)
        away = np.abs(local[:, 2])
        value = np.where(half > 0, away - half, np.hypot(away, half))
        off = np.maximum(np.abs(points[:, :2] - middle) - side, 0.0).max(1)  # the grid's end is the shape's
        out: Array = np.where(off > 0, np.maximum(value, off + 0.1 * spacing), value)
        return out

    low[2], high[2] = low[2] / squeeze, high[2] / squeeze
    vertices, faces = surface_nets(distance, low - 2 * spacing, high + 2 * spacing, spacing)
    if len(faces) == 0:
        raise EstimationError("nothing of the outline lies on the plane")
    return Mesh(at + (vertices * stretched) @ frame.T, faces, source="silhouette")
