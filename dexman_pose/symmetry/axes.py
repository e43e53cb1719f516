"""Where the symmetry axes of a shape may be: a coarse search over all directions.

Two functions of direction are made from the surface: its support function (how far it reaches) and a high moment
(where its area lies). Every symmetry of the shape leaves both as they are. Around each axis of a dense set they are
sampled on rings, and the Fourier coefficients along the rings say at once how well each order fits: a rotation by
1/n of a turn keeps the harmonics that are multiples of n and changes all others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.symmetry.options import AXES
from dexman_pose.symmetry.surface import Surface, even_directions

ORDERS: tuple[int, ...] = tuple(range(2, 13))
"""The orders of finite rotation axes that are looked for."""
_COLUMNS = (*ORDERS, 0)  # 0 stands for any angle
_LATITUDES, _LONGITUDES = 61, 120
_MOMENT = 6  # order of the moment of the area
_ALONG_Z = 0.8  # of an axis's z above which x serves better to build a frame on it
_RINGS, _AROUND = 7, 48


@dataclass(frozen=True)
class AxisCandidates:
    """Axes that may be symmetric.

    Attributes:
        directions: (A, 3) unit.
        misfit: (A, 12) by how much the functions change (RMS) for each of :data:`ORDERS` and,
            last, for any angle.
    """

    directions: Array
    misfit: Array


class DirectionFunctions:
    """Functions of direction, tabulated, with bilinear lookup.

    Args:
        values: maps unit vectors (N, 3) to values (N, C).
    """

    def __init__(self, values: Callable[[Array], Array]) -> None:
        theta = np.linspace(0, np.pi, _LATITUDES)
        phi = np.arange(_LONGITUDES) * 2 * np.pi / _LONGITUDES
        t, p = np.meshgrid(theta, phi, indexing="ij")
        directions = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], -1).reshape(-1, 3)
        table = values(directions).reshape(_LATITUDES, _LONGITUDES, -1)
        self._table = np.concatenate([table, table[:, :1]], 1).astype(np.float64)

    def misfit(self, axes: Array) -> Array:
        """(A, 12) as :attr:`AxisCandidates.misfit`, of axes (A, 3)."""
        return np.concatenate(
            [self._misfit(axes[i : i + AXES.batch]) for i in range(0, len(axes), AXES.batch)]
        )

    def _misfit(self, axes: Array) -> Array:
        values = self._lookup(_rings(axes))
        power = (np.abs(np.fft.rfft(values, axis=2)) / _AROUND) ** 2
        power[:, :, 1 : _AROUND // 2] *= 2
        power = power.mean(1).sum(-1)  # rings are of equal area
        harmonic = np.arange(power.shape[1])
        keep = np.stack([harmonic % n == 0 if n else harmonic == 0 for n in _COLUMNS])
        return np.sqrt(power @ (~keep).T)

    def _lookup(self, directions: Array) -> Array:
        row = np.arccos(np.clip(directions[..., 2], -1, 1)) * ((_LATITUDES - 1) / np.pi)
        column = (
            np.arctan2(directions[..., 1], directions[..., 0]) * (_LONGITUDES / (2 * np.pi)) % _LONGITUDES
        )
        i = np.minimum(row.astype(np.int64), _LATITUDES - 2)
        j = np.minimum(column.astype(np.int64), _LONGITUDES - 1)
        a, b = (row - i)[..., None], (column - j)[..., None]
        t = self._table
        top, bottom = t[i, j] * (1 - b) + t[i, j + 1] * b, t[i + 1, j] * (1 - b) + t[i + 1, j + 1] * b
        out: Array = top * (1 - a) + bottom * a
        return out


def across(axes: Array) -> tuple[Array, Array]:
    """Two unit vectors (..., 3) that make a right-handed frame with each axis (..., 3)."""
    helper = np.where(np.abs(axes[..., 2:]) < _ALONG_Z, [0.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    u = np.cross(axes, helper)
    u /= np.linalg.norm(u, axis=-1, keepdims=True)
    return u, np.cross(axes, u)


def _rings(axes: Array) -> Array:
    """Directions (A, rings, around, 3) on circles about each axis, equal area apart."""
    u, v = across(axes)
    z = 1.0 - 2.0 * (np.arange(_RINGS) + 0.5) / _RINGS
    phi = np.arange(_AROUND) * 2 * np.pi / _AROUND
    circle = np.cos(phi)[:, None] * u[:, None] + np.sin(phi)[:, None] * v[:, None]
    r = np.sqrt(1 - z * z)
    return z[:, None, None] * axes[:, None, None] + r[:, None, None] * circle[:, None]


def shape_functions(surface: Surface) -> DirectionFunctions:
    """The support function and the sixth moment of the area, both lengths."""
    points = surface.points[surface.probes].T.astype(np.float32)

    def values(directions: Array) -> Array:
        # In pieces that stay in the processor's cache.
        pieces = [directions[i : i + AXES.batch] for i in range(0, len(directions), AXES.batch)]
        return np.concatenate([_support_and_moment(points, piece) for piece in pieces])

    return DirectionFunctions(values)


def _support_and_moment(points: NDArray[np.float32], directions: Array) -> Array:
    """(D, 2) of points (3, N) and directions (D, 3)."""
    reach = directions.astype(np.float32) @ points
    support = reach.max(1)
    np.maximum(reach, 0.0, out=reach)
    np.square(reach, out=reach)
    moment = np.einsum("dn,dn,dn->d", reach, reach, reach) / points.shape[1]
    return np.stack([support, moment ** (1 / _MOMENT)], -1).astype(np.float64)


def color_functions(surface: Surface) -> DirectionFunctions:
    """The colour where a sphere's surface faces each direction."""
    color, radius = surface.color, float(np.linalg.norm(surface.points, axis=1).mean())
    assert color is not None
    return DirectionFunctions(lambda directions: color[surface.tree.query(directions * radius)[1]])


def candidate_axes(
    functions: DirectionFunctions,
    limit: float,
    *,
    slack: float = 0.04,
    starts: Array | None = None,
    most: int = 24,
) -> AxisCandidates:
    """Axes about which some order fits to ``limit`` (RMS), at most ``most`` of each order.

    Args:
        functions: what the symmetry must keep.
        limit: RMS misfit allowed.
        slack: the more allowed on the coarse directions, which miss an axis by up to 2.5 degrees.
        starts: (N, 3) directions that are tried besides.
        most: of each order, the best.
    """
    directions = even_directions(AXES.directions)[: AXES.directions // 2]
    misfit = functions.misfit(directions)
    first = directions[_local_minima(directions, misfit, limit + slack, most)]
    if starts is not None:
        first = np.concatenate([first, starts])
    axes = _distinct(_refined(functions, first), functions)
    found = functions.misfit(axes)
    good = found.min(1) < limit
    return AxisCandidates(axes[good], found[good])


def _local_minima(directions: Array, misfit: Array, limit: float, most: int) -> list[int]:
    """Indices of the directions that fit some order better than the directions around them."""
    both = np.concatenate([directions, -directions])
    _, around = cKDTree(both).query(directions, k=AXES.neighbors)
    neighbors = misfit[around[:, 1:] % len(directions)].min(1)
    lowest = (misfit <= neighbors) & (misfit < limit)
    chosen: set[int] = set()
    for column in range(misfit.shape[1]):
        found = np.flatnonzero(lowest[:, column])
        chosen.update(int(i) for i in found[np.argsort(misfit[found, column], kind="stable")][:most])
    return sorted(chosen)


def principal_axes(surface: Surface) -> Array:
    """(3, 3) the principal axes of the surface, good starts where its moments of inertia differ."""
    axes: Array = np.linalg.svd(surface.points - surface.points.mean(0), full_matrices=False)[2]
    return axes


def _refined(functions: DirectionFunctions, axes: Array) -> Array:
    """Axes (A, 3) moved downhill in the misfit of the order that fits each best, from 2 degrees to 1/8 degree."""
    misfit = functions.misfit(axes)
    column = misfit.argmin(1)
    rows = np.arange(len(axes))
    best = misfit[rows, column]
    step = AXES.first_step
    while step > AXES.last_step:
        u, v = across(axes)
        ways = np.arange(AXES.ways) * np.pi / 3
        offset = np.cos(ways)[:, None] * u[:, None] + np.sin(ways)[:, None] * v[:, None]
        tried = axes[:, None] + step * offset
        tried /= np.linalg.norm(tried, axis=-1, keepdims=True)
        value = functions.misfit(tried.reshape(-1, 3)).reshape(len(axes), len(ways), -1)[rows, :, column]
        way = value.argmin(1)
        better = value[rows, way] < best
        axes = np.where(better[:, None], tried[rows, way], axes)
        best = np.minimum(best, value.min(1))
        step *= AXES.shrink
    return axes


def _distinct(axes: Array, functions: DirectionFunctions, apart: float = 0.03) -> Array:
    """Axes that differ by more than ``apart`` radians, of each bunch the one that fits best."""
    order = np.argsort(functions.misfit(axes).min(1), kind="stable")
    kept: list[Array] = []
    for axis in axes[order]:
        if all(np.linalg.norm(np.cross(axis, other)) > apart for other in kept):
            kept.append(axis)
    return np.array(kept)
