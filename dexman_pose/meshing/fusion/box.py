"""A box that explains what was seen of a surface: its hidden sides are then no guess about a shape in the dark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry import se3
from dexman_pose.meshing.fusion.options import BoxOptions

_DEFAULTS = BoxOptions()


@dataclass(frozen=True)
class Box:
    """A box.

    Attributes:
        object_from_box: (4, 4), from its middle.
        sides: (3,) metres.
        explained: share of the points that lie on it.
    """

    object_from_box: Array
    sides: Array
    explained: float

    def mesh(self, spacing: float) -> Mesh:
        """A closed mesh in the object frame, its faces divided so that edges are at most ``spacing`` metres long."""
        made = trimesh.creation.box(self.sides, self.object_from_box)
        vertices, faces = trimesh.remesh.subdivide_to_size(made.vertices, made.faces, spacing, max_iter=20)
        whole = trimesh.Trimesh(vertices, faces, process=True)
        return Mesh(np.asarray(whole.vertices), np.asarray(whole.faces, np.int32), source="depth")


def box_of(points: Array, normals: Array, options: BoxOptions = _DEFAULTS, *, cut: float = 0.0) -> Box | None:
    """The box on whose faces points lie; None where they are those of something else.

    Axes are those that the normals agree on; each face lies in the middle of its points. Where only one of two opposite
    faces was seen, the other one is where the points of the faces between them end.

    Args:
        points: (N, 3) metres, of the seen surface.
        normals: (N, 3) unit, outwards.
        options: what a box is.
        cut: metres that are missing at the ends of the seen surface, as pixels at its outline are not used.
    """
    if len(points) > options.samples:
        kept = np.random.default_rng(0).choice(len(points), options.samples, replace=False)
        points, normals = points[kept], normals[kept]
    axes = _axes(normals, options)
    if axes is None:
        return None
    local, facing = points @ axes, normals @ axes
    low, high = np.quantile(local, options.trim, 0), np.quantile(local, 1.0 - options.trim, 0)
    seen = 0
    for axis in range(3):
        for sign, side in ((-1, low), (1, high)):
            on = sign * facing[:, axis] > options.aligned
            if on.mean() > options.flat:
                side[axis] = np.median(local[on, axis])
                seen += 1
            else:
                side[axis] += sign * cut
        if high[axis] <= low[axis]:
            return None
    explained = _explained(local, low, high, options)
    if seen < options.faces or explained < options.explained:
        return None
    return Box(se3(axes, axes @ (0.5 * (low + high))), high - low, explained)


def _axes(normals: Array, options: BoxOptions) -> Array | None:
    """(3, 3) columns: three perpendicular directions that most normals lie along; None where they do not."""
    first = _mode(normals, options)
    across = normals - (normals @ first)[:, None] * first
    length = np.linalg.norm(across, axis=1)
    side = length > options.aligned
    if side.mean() < options.flat:
        return None
    second = _mode(across[side] / length[side, None], options)
    second = second - (second @ first) * first
    second /= np.linalg.norm(second)
    axes = np.stack([first, second, np.cross(first, second)], 1)
    for _ in range(options.rounds):
        facing = normals @ axes
        axis = np.abs(facing).argmax(1)
        along = np.abs(facing).max(1) > options.aligned
        sign = np.sign(facing[np.arange(len(facing)), axis])
        ideal = np.zeros_like(facing)
        ideal[np.arange(len(facing)), axis] = sign
        u, _, vt = np.linalg.svd(normals[along].T @ ideal[along])
        axes = (u * [1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    return axes


def _mode(directions: Array, options: BoxOptions) -> Array:
    """The direction, up to its sign, that most others agree with."""
    few = directions[:: max(len(directions) // 400, 1)]
    count = (np.abs(few @ directions.T) > options.aligned).sum(1)
    best = few[int(count.argmax())]
    near = np.abs(directions @ best) > options.aligned
    own = directions[near] * np.sign(directions[near] @ best)[:, None]
    mean = own.mean(0)
    unit: Array = mean / np.linalg.norm(mean)
    return unit


def _explained(local: Array, low: Array, high: Array, options: BoxOptions) -> float:
    """Share of points near the surface of the box."""
    near = max(options.near * float((high - low).max()), options.nearest)
    outside = np.maximum(np.maximum(low - local, local - high), 0.0)
    inside = np.minimum(local - low, high - local).min(1)
    far = np.where((outside > 0).any(1), np.linalg.norm(outside, axis=1), np.abs(inside))
    return float((far < near).mean())
