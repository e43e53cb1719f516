"""Distances to the nearest of a set of points, by scipy's k-d tree, or by numpy alone where the engine is missing.

Without scipy points and vertices are cut into groups of neighbours (Bentley, "Multidimensional binary search trees used
for associative searching", CACM 18(9), 1975). For each group of points, groups of vertices are tried from the nearest
box on, until no box that is left can hold anything nearer. Both ways are exact.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array

_LEAF = 48  # points of a group
_AT_ONCE = 8  # groups of vertices that are tried together


class KdTree(Protocol):
    """What finds nearest points."""

    def query(self, points: Array, /) -> tuple[Array, NDArray[np.intp]]:
        """Distances (P,) of points (P, 3) to the nearest of the set, and its indices (P,)."""
        ...


def kd_tree(points: Array) -> KdTree:
    """A tree of points (N, 3), N at least 1."""
    try:
        from scipy.spatial import cKDTree
    except ImportError:  # scipy comes with the engine
        return PlainTree(points)
    found: KdTree = cKDTree(points)
    return found


class PlainTree:
    """The tree by numpy alone.

    Args:
        points: (N, 3), N at least 1.
    """

    def __init__(self, points: Array) -> None:
        self._leaves = leaves_of(points)
        self._low = np.stack([points[leaf].min(0) for leaf in self._leaves])
        self._high = np.stack([points[leaf].max(0) for leaf in self._leaves])
        self._points = points

    def query(self, points: Array, /) -> tuple[Array, NDArray[np.intp]]:
        """Distances (P,) of points (P, 3) to the nearest of the set, and its indices (P,)."""
        distances, indices = np.empty(len(points)), np.empty(len(points), np.intp)
        for group in leaves_of(points) if len(points) else ():
            distances[group], indices[group] = self._nearest(points[group])
        return distances, indices

    def _nearest(self, points: Array) -> tuple[Array, NDArray[np.intp]]:
        """The same for a group of neighbours."""
        low, high = points.min(0), points.max(0)
        apart = np.maximum(np.maximum(self._low - high, low - self._high), 0.0)
        bound = np.einsum("ij,ij->i", apart, apart)
        order = np.argsort(bound)
        best, which = np.full(len(points), np.inf), np.zeros(len(points), np.intp)
        every = np.arange(len(points))
        for start in range(0, len(order), _AT_ONCE):
            some = order[start : start + _AT_ONCE]
            if bound[some[0]] > best.max():
                break
            tried = np.concatenate([self._leaves[i] for i in some])
            away = points[:, None] - self._points[tried]
            squared = np.einsum("ijk,ijk->ij", away, away)
            nearest = squared.argmin(1)
            found = squared[every, nearest]
            better = found < best
            best[better], which[better] = found[better], tried[nearest[better]]
        return np.sqrt(best), which


def leaves_of(points: Array) -> list[NDArray[np.intp]]:
    """Indices of points (N, 3) in groups of neighbours, cut in the middle across their longest side."""
    out: list[NDArray[np.intp]] = []
    waiting = [np.arange(len(points))]
    while waiting:
        group = waiting.pop()
        if len(group) <= _LEAF:
            out.append(group)
            continue
        axis = int(np.ptp(points[group], axis=0).argmax())
        half = len(group) // 2
        cut = group[np.argpartition(points[group, axis], half)]
        waiting += [cut[:half], cut[half:]]
    return out
