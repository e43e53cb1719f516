"""Solids as functions of space, negative inside: boxes, bars, discs, their unions and cuts; metres."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array

Field = Callable[[Array], Array]
"""Maps points (N, 3) to values (N,) that grow about as fast as distance does."""


def block(low: ArrayLike, high: ArrayLike, rounding: float = 0.0015) -> Field:
    """A box between two corners (3,), its edges rounded by so many metres."""
    a, b = np.asarray(low, np.float64), np.asarray(high, np.float64)
    middle, half = 0.5 * (a + b), 0.5 * (b - a) - rounding

    def field(p: Array) -> Array:
        q = np.abs(p - middle) - half
        return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(1), 0) - rounding

    return field


def bar(start: ArrayLike, end: ArrayLike, first: float, last: float | None = None) -> Field:
    """A straight bar with round ends between two points (3,), its radius from ``first`` to ``last``."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    way, grow = b - a, (first if last is None else last) - first

    def field(p: Array) -> Array:
        t = np.clip((p - a) @ way / max(float(way @ way), 1e-12), 0, 1)
        return np.linalg.norm(p - a - t[:, None] * way, axis=1) - first - grow * t

    return field


def string(points: ArrayLike, radii: ArrayLike) -> Field:
    """A bent bar through points (N, 3) with a radius (N,) at each."""
    p = np.asarray(points, np.float64)
    r = np.broadcast_to(np.asarray(radii, np.float64), len(p))
    return union(*(bar(p[k], p[k + 1], float(r[k]), float(r[k + 1])) for k in range(len(p) - 1)))


def disc(middle: ArrayLike, axis: int, radius: float, half: float) -> Field:
    """A round disc about a point (3,) along a coordinate axis, ``half`` its half thickness."""
    c = np.asarray(middle, np.float64)
    across = [k for k in range(3) if k != axis]

    def field(p: Array) -> Array:
        out = np.linalg.norm((p - c)[:, across], axis=1) - radius
        return np.maximum(out, np.abs(p[:, axis] - c[axis]) - half)

    return field


def half_space(point: ArrayLike, normal: ArrayLike) -> Field:
    """What lies behind a plane through a point (3,), ``normal`` (3,) pointing out of it."""
    c, n = np.asarray(point, np.float64), np.asarray(normal, np.float64)
    n = n / np.linalg.norm(n)
    return lambda p: (p - c) @ n


def union(*fields: Field) -> Field:
    """All of them together."""
    return lambda p: np.min([f(p) for f in fields], axis=0)


def without(solid: Field, *cuts: Field) -> Field:
    """A solid with others cut out of it."""
    return lambda p: np.max([solid(p), *(-cut(p) for cut in cuts)], axis=0)


def melted(first: Field, second: Field, width: float) -> Field:
    """Both together, the corner between them filled over a width in metres."""

    def field(p: Array) -> Array:
        a, b = first(p), second(p)
        h = np.maximum(width - np.abs(a - b), 0) / width
        return np.minimum(a, b) - 0.25 * width * h * h

    return field


def bevelled(first: Field, second: Field, width: float) -> Field:
    """What both share, the edge between them taken off over a width in metres."""
    filled = melted(lambda p: -first(p), lambda p: -second(p), width)
    return lambda p: -filled(p)
