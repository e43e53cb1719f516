"""Surface nets: a closed triangle mesh of the zero level of a function, in plain numpy.

Method: Gibson, "Constrained Elastic Surface Nets" (1998), in its one-pass form: one vertex per cell the surface
crosses, at the mean of the crossings of the cell's edges, and one quad per crossed grid edge. The quads are rounder
than marching cubes' slivers. Vertices are then moved onto the level with Newton steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array

Function = Callable[[Array], Array]


def surface_nets(
    distance: Function, low: Array, high: Array, spacing: float
) -> tuple[Array, NDArray[np.int32]]:
    """Vertices (V, 3) and faces (F, 3), counter-clockwise seen from outside, of ``distance == 0``.

    Args:
        distance: maps points (N, 3) to values (N,), negative inside, growing about as fast as distance does.
        low: (3,) lower corner of the box; the surface must lie inside it.
        high: (3,) upper corner.
        spacing: grid step; details smaller than two steps are lost.
    """
    values, low = _sample(distance, low, high, spacing)
    inside = values < 0
    index = np.full(tuple(n - 1 for n in values.shape), -1, np.int64)
    cells = np.argwhere(_mixed(inside))
    index[tuple(cells.T)] = np.arange(len(cells))
    vertices = low + spacing * (cells + _mean_crossing(values, cells))
    faces = np.concatenate([_quads(inside, index, axis) for axis in range(3)])
    vertices = _onto_level(distance, vertices, spacing)
    return vertices, _split(vertices, faces)


def _sample(distance: Function, low: Array, high: Array, spacing: float) -> tuple[Array, Array]:
    """Grid values, exact near the level; elsewhere the value of the coarse cell (only its sign is used)."""
    coarse = 4
    shape = np.ceil((high - low) / (spacing * coarse)).astype(int) + 1
    centers = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1)
    middle = low + spacing * coarse * (centers + 0.5 - 0.5 / coarse)
    rough = distance(middle.reshape(-1, 3)).reshape(shape)
    values = rough.repeat(coarse, 0).repeat(coarse, 1).repeat(coarse, 2)
    near = np.abs(rough) < 1.5 * coarse * spacing
    fine = np.argwhere(near.repeat(coarse, 0).repeat(coarse, 1).repeat(coarse, 2))
    values[tuple(fine.T)] = distance(low + spacing * fine)
    return _unambiguous(values, spacing), low


def _unambiguous(values: Array, spacing: float) -> Array:
    """Fill one corner of every grid face whose corners alternate in sign: there the surface would touch itself."""
    for _ in range(8):
        inside, found = values < 0, 0
        for axis in range(3):
            found += _fill_alternating(np.moveaxis(values, axis, 0), np.moveaxis(inside, axis, 0), spacing)
        if not found:
            break
    return values


def _fill_alternating(values: Array, inside: NDArray[np.bool_], spacing: float) -> int:
    """The faces of the grid perpendicular to the first axis; ``values`` is changed in place."""
    a, b = inside[:, :-1, :-1], inside[:, 1:, :-1]
    c, d = inside[:, :-1, 1:], inside[:, 1:, 1:]
    rising = np.argwhere(a & d & ~b & ~c)
    falling = np.argwhere(~a & ~d & b & c)
    values[tuple((rising + [0, 1, 0]).T)] = -1e-3 * spacing
    values[tuple(falling.T)] = -1e-3 * spacing
    return len(rising) + len(falling)


def _mixed(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells with corners on both sides."""
    corners = inside.astype(np.int8)
    for axis in range(3):
        first, second = _halves(corners, axis)
        corners = first + second
    mixed: NDArray[np.bool_] = (corners > 0) & (corners < 8)
    return mixed


def _halves(a: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """All but the last and all but the first entry along one axis."""
    cut: list[slice] = [slice(None)] * 3
    cut[axis] = slice(None, -1)
    first = a[tuple(cut)]
    cut[axis] = slice(1, None)
    return first, a[tuple(cut)]


def _mean_crossing(values: Array, cells: NDArray[np.int64]) -> Array:
    """(N, 3) mean position, in units of a cell, where the level crosses each cell's twelve edges."""
    total, count = np.zeros((len(cells), 3)), np.zeros((len(cells), 1))
    for axis in range(3):
        others = [k for k in range(3) if k != axis]
        for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
            start = np.zeros(3, np.int64)
            start[others] = corner
            end = start.copy()
            end[axis] = 1
            a, b = values[tuple((cells + start).T)], values[tuple((cells + end).T)]
            crossed = (a < 0) != (b < 0)
            fraction = np.where(crossed, a / np.where(crossed, a - b, 1.0), 0.0)
            point = start + fraction[:, None] * (end - start)
            total += np.where(crossed[:, None], point, 0.0)
            count += crossed[:, None]
    mean: Array = total / count
    return mean


def _quads(inside: NDArray[np.bool_], index: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """(Q, 4) vertex indices around every grid edge along ``axis`` that the level crosses, facing outwards."""
    first, second = _halves(inside, axis)
    edges = np.argwhere(first != second)
    leaving = first[tuple(edges.T)].astype(bool)  # inside at the start: the normal points along +axis
    u, v = (axis + 1) % 3, (axis + 2) % 3
    corners = []
    for du, dv in ((1, 1), (0, 1), (0, 0), (1, 0)):
        cell = edges.copy()
        cell[:, u] -= du
        cell[:, v] -= dv
        corners.append(index[tuple(cell.T)])
    quads = np.stack(corners, 1)
    quads[~leaving] = quads[~leaving][:, ::-1]
    return quads


def _onto_level(distance: Function, vertices: Array, spacing: float, steps: int = 2) -> Array:
    """Newton steps along the gradient, each no longer than half a cell."""
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], float)
    h = 0.1 * spacing
    for _ in range(steps):
        samples = np.stack([distance(vertices + h * c) for c in corners], 1)
        gradient = samples @ corners / (4 * h)
        value = samples.mean(1)
        step = -value[:, None] * gradient / np.maximum(np.sum(gradient**2, 1, keepdims=True), 1e-6)
        length = np.linalg.norm(step, axis=1, keepdims=True)
        vertices = vertices + step * np.minimum(1.0, 0.5 * spacing / np.maximum(length, 1e-12))
    return vertices


def _split(vertices: Array, quads: NDArray[np.int64]) -> NDArray[np.int32]:
    """Two triangles per quad, cut along its shorter diagonal."""
    p = vertices[quads]
    other = np.linalg.norm(p[:, 0] - p[:, 2], axis=1) > np.linalg.norm(p[:, 1] - p[:, 3], axis=1)
    quads = np.where(other[:, None], np.roll(quads, -1, axis=1), quads)
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
