"""The closed symmetry group that given symmetries generate."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.errors import InputError
from dexman_pose.geometry.finite_group import close_rotations, fixed_point
from dexman_pose.geometry.se3 import orthonormalize, se3, so3_exp
from dexman_pose.geometry.symmetry import Axis, SymmetryGroup

Array = NDArray[np.float64]


def generate(
    discrete: Iterable[ArrayLike],
    axes: Iterable[tuple[ArrayLike, ArrayLike]],
    sphere: ArrayLike | None,
    angle: float,
    distance: float,
    max_count: int,
) -> SymmetryGroup:
    """See :meth:`SymmetryGroup.generate`."""
    transforms = _rigid(discrete, angle)
    lines = [SymmetryGroup(axes=(Axis(np.asarray(p), np.asarray(d)),)).axes[0] for p, d in axes]
    if sphere is not None:
        return SymmetryGroup(sphere=np.asarray(sphere, dtype=np.float64))
    if not lines:
        return _finite(transforms, angle, distance, max_count)
    images = [
        Axis(m[:3, :3] @ a.point + m[:3, 3], m[:3, :3] @ a.direction) for m in transforms for a in lines
    ]
    first = lines[0]
    for other in lines + images:
        if np.linalg.norm(np.cross(first.direction, other.direction)) > np.sin(angle):
            return SymmetryGroup(sphere=_crossing(first, other, distance))
        away = np.cross(first.direction, other.point - first.point)
        if np.linalg.norm(away) > distance:
            raise InputError(_apart("two parallel symmetry axes", float(np.linalg.norm(away)), distance))
    return _axial(first, transforms, distance)


def _rigid(discrete: Iterable[ArrayLike], angle: float) -> Array:
    m = np.array([np.asarray(d, dtype=np.float64) for d in discrete]).reshape(-1, 4, 4)
    clean = orthonormalize(m) if len(m) else m
    if len(m) and not np.abs(m - clean).max() < max(0.5 * angle, 1e-6):
        raise InputError("discrete symmetries must be rigid transforms: a rotation, a translation, 0 0 0 1")
    return clean


def _finite(transforms: Array, angle: float, distance: float, max_count: int) -> SymmetryGroup:
    if len(transforms) == 0:
        return SymmetryGroup()
    rotations = close_rotations(transforms[:, :3, :3], angle=angle, max_count=max_count)
    point, moved = fixed_point(transforms, max(angle, 1e-6))
    if moved > distance:
        raise InputError(_apart("the given symmetries keep no common point in place: they", moved, distance))
    return SymmetryGroup(se3(rotations, point - rotations @ point))


def _axial(axis: Axis, transforms: Array, distance: float) -> SymmetryGroup:
    """One axis and transforms that map it to itself: at most a half turn across it is new."""
    along = np.einsum("i,nij,j->n", axis.direction, transforms[:, :3, :3], axis.direction)
    image = transforms[:, :3, :3] @ axis.point + transforms[:, :3, 3]
    shift = (image - axis.point) @ axis.direction
    keeping, turning = along > 0, along < 0
    slide = float(np.abs(shift[keeping]).max(initial=0.0))
    if slide > distance:
        raise InputError(_apart("a symmetry slides the object along its axis: points", slide, distance))
    if not turning.any():
        return SymmetryGroup(axes=(axis,))
    if float(np.ptp(shift[turning])) > 2 * distance:
        slide = float(np.ptp(shift[turning]))
        raise InputError(_apart("the symmetries that turn the axis over", slide, 2 * distance))
    center = axis.point + 0.5 * shift[turning].mean() * axis.direction
    # Column sums of R + 1 lie along the half turn's own axis; the longest one across the main axis is it.
    columns = (transforms[turning][0, :3, :3] + np.eye(3)).T
    across = columns - (columns @ axis.direction)[:, None] * axis.direction
    longest = across[np.argmax(np.linalg.norm(across, axis=1))]
    half = so3_exp(np.pi * longest / np.linalg.norm(longest))
    return SymmetryGroup(
        np.stack([np.eye(4), se3(half, center - half @ center)]), (Axis(center, axis.direction),)
    )


def _crossing(a: Axis, b: Axis, distance: float) -> Array:
    """The point nearest to two lines that are not parallel."""
    p: Array = np.eye(3) - np.outer(a.direction, a.direction)
    q: Array = np.eye(3) - np.outer(b.direction, b.direction)
    point = np.asarray(np.linalg.solve(p + q, p @ a.point + q @ b.point), dtype=np.float64)
    gap = 2 * float(np.linalg.norm(p @ (point - a.point)))
    if gap > distance:
        raise InputError(_apart("two symmetry axes pass each other: they", gap, distance))
    return point


def _apart(what: str, by: float, limit: float) -> str:
    limits = f"{by:g} m apart (allowed: {limit:g})"
    return f"{what} are {limits}, which no bounded object has; check the unit and the offsets"
