"""Polygons split into triangles: as fans where a fan stays inside of the polygon, else by cutting ears off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array

Places = NDArray[np.int64]
_FOLDED = 1e-9
"""Area of a fan's triangle against the polygon's sense, as a share of the polygon's, that is none but rounding."""


def split_polygons(starts: Places, corners: Places, vertices: Array) -> tuple[Places, Places]:
    """Split polygons into triangles that cover them once, concave ones too.

    Args:
        starts: (P + 1,) where the corners of each polygon begin.
        corners: (C,) vertex of every corner; polygons with vertices that are not there are split as fans.
        vertices: (V, 3) in any unit.

    Returns:
        (F, 3) places in the polygon's own corners, and (F,) the polygon each triangle belongs to. A polygon of n
        corners gives n - 2 triangles, in the sense of its corners.
    """
    place, face = _fans(starts)
    if not (np.diff(starts) > 3).any():
        return place, face
    there = (corners >= 0) & (corners < len(vertices))
    points = vertices[np.where(there, corners, 0)] if len(vertices) else np.zeros((len(corners), 3))
    at = points[starts[face][:, None] + place]
    with np.errstate(all="ignore"):  # what is not finite is refused by those who make the mesh
        area = np.cross(at[:, 1] - at[:, 0], at[:, 2] - at[:, 0])
        whole = np.stack([np.bincount(face, area[:, k], len(starts) - 1) for k in range(3)], 1)
        folded = np.einsum("fi,fi->f", area, whole[face]) < -_FOLDED * (whole[face] ** 2).sum(1)
    first = np.searchsorted(face, np.arange(len(starts)))
    for p in np.unique(face[folded]):
        own = slice(int(starts[p]), int(starts[p + 1]))
        if there[own].all():
            ears = _ears(_flat(points[own], whole[p]))
            place[first[p] : first[p + 1]] = place[first[p] : first[p + 1]] if ears is None else ears
    return place, face


def _fans(starts: Places) -> tuple[Places, Places]:
    """Triangles of polygons around their first corner."""
    count = np.maximum(np.diff(starts) - 2, 0)
    face = np.repeat(np.arange(len(count)), count)
    step = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    return np.stack([np.zeros_like(step), step + 1, step + 2], 1), face


def _flat(points: Array, normal: Array) -> Array:
    """(n, 2) of the polygon seen against its normal: its corners run counter-clockwise."""
    axis = int(np.abs(normal).argmax())
    others = [(axis + 1) % 3, (axis + 2) % 3]
    return points[:, others if normal[axis] > 0 else others[::-1]]


def _ears(flat: Array) -> Places | None:
    """Triangles (n - 2, 3) of a simple polygon, counter-clockwise; None where no ear can be cut."""
    left, out = list(range(len(flat))), []
    while len(left) > 3:
        for i in range(len(left)):
            ear = [left[i - 1], left[i], left[(i + 1) % len(left)]]
            if _is_ear(flat, ear, left):
                break
        else:
            return None
        out.append(ear)
        left.remove(ear[1])
    return np.array([*out, left], np.int64)


def _is_ear(flat: Array, ear: list[int], left: list[int]) -> bool:
    """Whether a corner is convex and no other one lies in its triangle; copies of its own corners do not count."""
    a, b, c = flat[ear]
    if _turn(a, b, c) <= 0:
        return False
    others = [p for p in flat[[k for k in left if k not in ear]] if not (p == flat[ear]).all(1).any()]
    return not any(_turn(a, b, p) >= 0 and _turn(b, c, p) >= 0 and _turn(c, a, p) >= 0 for p in others)


def _turn(a: Array, b: Array, c: Array) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
