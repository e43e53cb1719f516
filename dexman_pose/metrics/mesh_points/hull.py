"""The hull of points, the longest distance between two of them, and a few that lie far apart."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array

_BLOCK = 4_000_000  # numbers of an intermediate array
_FEW = 16  # vertices that need no hull


def hull_of(vertices: Array) -> Array:
    """The vertices (H, 3) of the convex hull of vertices (V, 3); in a plane or on a line, of that hull.

    Without the engine all vertices where that takes a hull: slower to go over, with the same answers.
    """
    if len(vertices) <= _FEW:
        return vertices
    centered = vertices - vertices.mean(0)
    _, spread, axes = np.linalg.svd(centered, full_matrices=False)
    rank = int((spread > 1e-9 * spread[0]).sum()) if spread[0] > 0 else 0
    if rank < 3:
        # What a plane or a line leaves out is below rounding; coordinates in it find its hull.
        flat = centered @ axes[:rank].T
        if rank == 0:
            return vertices[:1]
        if rank == 1:
            return vertices[[int(flat[:, 0].argmin()), int(flat[:, 0].argmax())]]
        centered = flat
    try:
        from scipy.spatial import ConvexHull, QhullError
    except ImportError:  # it comes with the engine; what is asked of a hull can be asked of all vertices
        return vertices
    try:
        return vertices[ConvexHull(centered).vertices]
    except QhullError:
        return vertices


def longest_distance(corners: Array) -> float:
    """Largest distance between any two of points (H, 3), exact; fast for points of a hull."""
    center = (corners.min(0) + corners.max(0)) / 2.0
    corners = corners - center
    radius = np.linalg.norm(corners, axis=1)
    # A pair farther apart than a known one has both its ends far from the centre.
    known = _some_long_distance(corners)
    corners = corners[radius + radius.max() >= known * (1.0 - 1e-9)]
    squares = np.einsum("ij,ij->i", corners, corners)
    step = max(1, _BLOCK // len(corners))
    best = known
    for i in range(0, len(corners), step):
        some = corners[i : i + step]
        apart = squares[i : i + step, None] + squares[i:] - 2.0 * (some @ corners[i:].T)
        a, b = np.divmod(int(np.argmax(apart)), apart.shape[1])
        best = max(best, float(np.linalg.norm(some[a] - corners[i + b])))
    return best


def _some_long_distance(points: Array) -> float:
    """Distance of two points found by going to the farthest one a few times: often the largest."""
    best, at = 0.0, int(np.argmax(np.einsum("ij,ij->i", points, points)))
    for _ in range(8):
        distances = np.linalg.norm(points - points[at], axis=1)
        at = int(np.argmax(distances))
        if distances[at] <= best:
            break
        best = float(distances[at])
    return best


def far_apart(points: Array, count: int) -> Array:
    """``count`` points far from each other (farthest-point sampling), or all if there are no more."""
    if len(points) <= count:
        return points
    chosen = [int(np.argmax(np.linalg.norm(points - points.mean(0), axis=1)))]
    away = np.full(len(points), np.inf)
    for _ in range(count - 1):
        away = np.minimum(away, np.linalg.norm(points - points[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(away)))
    return points[chosen]
