"""The closed symmetry group that given symmetries generate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.finite_group import close_rotations, fixed_point
from dexman_pose.geometry.se3 import orthonormalize, se3, so3_exp
from dexman_pose.geometry.symmetry import Axis, SymmetryGroup, unit_of_translation


def generate_symmetry(
    discrete: Iterable[ArrayLike] = (),
    axes: Iterable[tuple[ArrayLike, ArrayLike]] = (),
    *,
    sphere: ArrayLike | None = None,
    angle: float = 0.02,
    distance: float = 1e-3,
    max_count: int = 120,
) -> SymmetryGroup:
    """Generate the smallest group that holds transforms (4, 4), rotations about axes, and all about ``sphere``.

    Args:
        discrete: transforms ``object_from_object``, metres.
        axes: (point, direction) of continuous symmetries.
        sphere: centre of a spherical symmetry.
        angle: radians the generators may be off; closer rotations are one element.
        distance: metres by which the generators may disagree about the point they keep in place.
        max_count: a finite group may have this many elements.

    Raises:
        InputError: a translation, axes that pass each other, or a finite part that does not close.
    """
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


def symmetry_from_bop(
    symmetries_discrete: Sequence[Sequence[float]] = (),
    symmetries_continuous: Sequence[Mapping[str, Any]] = (),
    *,
    unit: float = 0.001,
) -> SymmetryGroup:
    """Read the fields of a BOP ``models_info.json``; ``unit`` is the metres of one unit there.

    Raises:
        InputError: not 16 numbers, no ``axis``, or nothing a bounded object can have.
    """
    flat = [np.asarray(numbers, dtype=np.float64) for numbers in symmetries_discrete]
    if any(m.size != 16 for m in flat):
        raise InputError("each of symmetries_discrete must hold 16 numbers, a 4x4 matrix row by row")
    discrete = [m.reshape(4, 4) * unit_of_translation(unit) for m in flat]
    axes = []
    for entry in symmetries_continuous:
        if "axis" not in entry:
            raise InputError(f"each of symmetries_continuous must have an axis, but got {dict(entry)}")
        offset = np.asarray(entry.get("offset", (0, 0, 0)), dtype=np.float64)
        axes.append((offset * unit, entry["axis"]))
    return generate_symmetry(discrete, axes)


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
