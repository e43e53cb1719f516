"""Exact distances to the nearest vertex of one fixed set, for millions of points: what ADD-S is made of.

An octree over a cube around the vertices holds, for each cell, every vertex that can be the nearest one to some point
of the cell. On the way down a vertex is dropped from a cell when the vertex nearest to the cell's centre is nearer to
the whole cell, that is when the plane halfway between the two misses it. The few that are left are tried one by one,
so nothing is approximate. Larger cubes are added when points lie outside, a KD-tree answers beyond the largest, and
also answers everything until so much was asked that the octree is worth building, and everything without the engine.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose._optional import has_engine
from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.metrics import _given
from dexman_pose.metrics.mesh_points.kd_tree import KdTree, kd_tree
from dexman_pose.metrics.mesh_points.kept import MeshPoints, checked_vertices, mesh_points

if TYPE_CHECKING:
    from dexman_pose.metrics._nearest_tree import CandidateTree

_MARGIN = 2.25  # half side of the inner cube in radii of the vertices: errors of a radius stay inside
_WORTH = 10  # the octree is built once that many points per vertex were asked for
_MOST_KEPT = 16
_MOST_ENTRIES = 100_000_000  # of all octrees kept, 4 bytes each


class NearestVertices:
    """Distances from points to the nearest of fixed vertices, exact to rounding.

    Args:
        vertices: (V, 3) finite, any unit; at least one; doubles and flat sets are fine.

    Raises:
        InputError: no such array.
    """

    def __init__(self, vertices: ArrayLike) -> None:
        self.vertices = _along_a_curve(checked_vertices(vertices))
        self._center = (self.vertices.min(0) + self.vertices.max(0)) / 2.0
        radius = float(np.linalg.norm(self.vertices - self._center, axis=1).max())
        self._unit = _MARGIN * radius if radius > 0.0 else 1.0
        self._in_units = (self.vertices - self._center) / self._unit
        self._asked = 0
        self._tree: CandidateTree | None = None
        self._kd_tree: KdTree | None = None
        self._lock = threading.Lock()

    @property
    def entries(self) -> int:
        """Numbers held in candidate lists; 0 before the octree is built."""
        return 0 if self._tree is None else self._tree.entries

    def build(self) -> None:
        """Build the octree now rather than when much has been asked."""
        with self._lock:
            self._octree(10 * _WORTH * len(self.vertices))

    def distances(self, points: ArrayLike) -> Array:
        """Distances (...,) of points (..., 3) to their nearest vertices, in the unit of the vertices.

        Raises:
            InputError: points are not finite or not (..., 3).
        """
        p = _given.real(points, "points")
        if p.ndim < 1 or p.shape[-1] != 3 or not np.isfinite(p).all():
            raise InputError(f"points must be finite and of shape (..., 3), but got shape {p.shape}")
        flat = np.ascontiguousarray(p.reshape(-1, 3))
        out = np.full(len(flat), -1.0)
        with self._lock:
            tree = self._octree(len(flat))
            while tree is not None and (missed := np.flatnonzero(out < 0)).size:
                out[missed] = tree.distances((flat[missed] - self._center) / self._unit) * self._unit
                if not self._grown(tree, bool((out[missed] < 0).any())):
                    break
            missed = np.flatnonzero(out < 0)
            if missed.size:
                out[missed] = self._kd().query(flat[missed])[0]
        return out.reshape(p.shape[:-1])

    def mean_distances(self, vertices_from_moved: ArrayLike) -> Array:
        """For each rigid transform (..., 4, 4): the mean, over the vertices moved by it, of :meth:`distances`.

        With ``vertices_from_moved = inverse(camera_from_estimate) @ camera_from_true`` these are ADD-S.
        """
        m = _given.real(vertices_from_moved, "vertices_from_moved")
        flat = m.reshape(-1, 4, 4)
        out = np.full(len(flat), -1.0)
        with self._lock:
            tree = self._octree(len(flat) * len(self.vertices))
            units = self._transforms_in_units(flat)
            while tree is not None and (missed := np.flatnonzero(out < 0)).size:
                out[missed] = tree.mean_distances(units[missed], self._in_units) * self._unit
                if not self._grown(tree, bool((out[missed] < 0).any())):
                    break
            for i in np.flatnonzero(out < 0):
                out[i] = self._kd().query(transform_points(flat[i], self.vertices))[0].mean()
        return out.reshape(m.shape[:-2])

    def _transforms_in_units(self, transforms: Array) -> Array:
        """The same motions of points in the octree's unit, about its centre."""
        out = np.ascontiguousarray(transforms).copy()
        moved = transforms[:, :3, :3] @ self._center + transforms[:, :3, 3] - self._center
        out[:, :3, 3] = moved / self._unit
        return out

    def _octree(self, more: int) -> CandidateTree | None:
        """The octree, built once enough was asked; None before that."""
        self._asked += more
        if self._tree is None and self._asked > _WORTH * len(self.vertices) and has_engine():
            from dexman_pose.metrics._nearest_tree import CandidateTree

            self._tree = CandidateTree(_distinct(self._in_units))
        return self._tree

    def _grown(self, tree: CandidateTree, needed: bool) -> bool:
        """Whether another cube was needed and could be added."""
        if not needed or not tree.grows:
            return False
        tree.grow()
        return True

    def _kd(self) -> KdTree:
        if self._kd_tree is None:
            self._kd_tree = kd_tree(self.vertices)
        return self._kd_tree


_kept: OrderedDict[MeshPoints, NearestVertices] = OrderedDict()
_keeping = threading.Lock()


def nearest_vertices(vertices: ArrayLike | MeshPoints) -> NearestVertices:
    """:class:`NearestVertices` of vertices (V, 3), kept for the next call with the same values."""
    points = mesh_points(vertices)
    with _keeping:
        found = _kept.get(points)
        if found is None:
            found = _kept[points] = NearestVertices(points.vertices)
        _kept.move_to_end(points)
        while len(_kept) > 1 and (
            len(_kept) > _MOST_KEPT or sum(n.entries for n in _kept.values()) > _MOST_ENTRIES
        ):
            _kept.popitem(last=False)
    return found


def _along_a_curve(vertices: Array) -> Array:
    """The vertices in Morton order (Morton 1966): points asked for one after the other use the same cells."""
    low = vertices.min(0)
    size = float((vertices.max(0) - low).max())
    steps = ((vertices - low) / (size if size > 0 else 1.0) * 1023.0).astype(np.int64)
    code = np.zeros(len(vertices), np.int64)
    for bit in range(10):
        for axis in range(3):
            code |= ((steps[:, axis] >> bit) & 1) << (3 * bit + axis)
    return np.ascontiguousarray(vertices[np.argsort(code, kind="stable")])


def _distinct(vertices: Array) -> Array:
    """The vertices without doubles, in their order."""
    _, first = np.unique(vertices, axis=0, return_index=True)
    return np.ascontiguousarray(vertices[np.sort(first)])
