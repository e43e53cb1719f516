"""Alignment of estimated to true points before they are compared: none, at the root, by scale, by Procrustes.

A hand's error without the name of its alignment means nothing; every result of this room carries it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry import kabsch
from dexman_pose.metrics import _given

Alignment = Literal["none", "root", "scale_translation", "procrustes"]
ALIGNMENTS: tuple[str, ...] = get_args(Alignment)

WRIST, MIDDLE_KNUCKLE = 0, 9
"""The joints, in the order of ``JOINT_NAMES``, that root and scale alignment go by."""


@dataclass(frozen=True)
class Similarity:
    """``true = scale * rotation @ estimated + translation``, for every set of points.

    Attributes:
        rotation: (..., 3, 3), always proper.
        translation: (..., 3) metres.
        scale: (...,) factor; 1 where no scale was asked for or none can be found.
        degenerate: (...,) bool, the points leave a part of the transform open (all in one place or on one line, of
            either set): what is returned is one of the best.
    """

    rotation: Array
    translation: Array
    scale: Array
    degenerate: NDArray[np.bool_]

    def apply(self, points: ArrayLike) -> Array:
        """Estimated points (..., N, 3) among the true ones."""
        p = _given.real(points, "points")
        moved: Array = self.scale[..., None, None] * (p @ np.swapaxes(self.rotation, -1, -2))
        return moved + self.translation[..., None, :]


def procrustes(estimated: ArrayLike, true: ArrayLike, *, scale: bool = True) -> Similarity:
    """The similarity (or rigid transform) that brings estimated points closest to the true ones.

    Least squares in closed form (Umeyama, TPAMI 13(4), 1991), over all leading dimensions at once. Reflections are
    excluded: a left hand given for a right one stays wrong. (HO3D's and FreiHAND's scripts allow them.) Where all
    estimated points are in one place the scale is 1.

    Args:
        estimated: (..., N, 3) metres.
        true: (..., N, 3) metres, the same points.
        scale: whether the size may change; otherwise scale is 1.

    Raises:
        InputError: shapes differ or values are not finite.
    """
    e, t = _pair(estimated, true)
    rotation = kabsch(e, t)[..., :3, :3]
    mean_e, mean_t = e.mean(-2), t.mean(-2)
    ce, ct = e - mean_e[..., None, :], t - mean_t[..., None, :]
    spread_e, spread_t = _spread(ce), _spread(ct)
    point = spread_e[..., 0] <= 1e-12 * np.abs(e).max((-2, -1))
    fitted = np.ones(e.shape[:-2])
    if scale:
        match = ((ce @ np.swapaxes(rotation, -1, -2)) * ct).sum((-2, -1))
        power = (ce * ce).sum((-2, -1))
        # Along the best rotation the match is never negative but for rounding.
        fitted = np.where(point, 1.0, np.maximum(match, 0.0) / np.where(point, 1.0, power))
    translation = mean_t - fitted[..., None] * (rotation @ mean_e[..., None])[..., 0]
    flat = (spread_e[..., 1] <= 1e-9 * spread_e[..., 0]) | (spread_t[..., 1] <= 1e-9 * spread_t[..., 0])
    return Similarity(rotation, translation, fitted, point | flat)


def align_points(
    estimated: ArrayLike,
    true: ArrayLike,
    align: Alignment,
    *,
    root: int = WRIST,
    bone: tuple[int, int] = (WRIST, MIDDLE_KNUCKLE),
) -> Array:
    """Estimated points (..., N, 3) moved onto the true ones, as far as the alignment allows.

    - ``"none"``: as they are.
    - ``"root"``: moved so that the root is true.
    - ``"scale_translation"``: scaled so that one bone has its true length, then moved so that the bone's first joint
      is true: HO3D's evaluation, whose bone runs from the wrist to the middle finger's knuckle. A bone of no length
      leaves the scale at 1.
    - ``"procrustes"``: :func:`procrustes` with scale.

    Args:
        estimated: (..., N, 3) metres.
        true: (..., N, 3) metres, the same points.
        align: one of the above.
        root: index of the root.
        bone: indices of the bone's joints.

    Raises:
        InputError: unknown alignment, shapes differ, values not finite, no such index.
    """
    e, t = _pair(estimated, true)
    if align == "none":
        return e
    if align == "procrustes":
        return procrustes(e, t).apply(e)
    if align == "root":
        _within(e, (root,))
        return e - e[..., root, None, :] + t[..., root, None, :]
    if align != "scale_translation":
        raise InputError(f"align must be one of {', '.join(ALIGNMENTS)}, but got {align!r}")
    _within(e, bone)
    length: Array = np.linalg.norm(e[..., bone[1], :] - e[..., bone[0], :], axis=-1)
    wanted: Array = np.linalg.norm(t[..., bone[1], :] - t[..., bone[0], :], axis=-1)
    factor = np.where(length > 1e-9, wanted / np.where(length > 1e-9, length, 1.0), 1.0)
    scaled: Array = factor[..., None, None] * (e - e[..., bone[0], None, :])
    return scaled + t[..., bone[0], None, :]


def _spread(centred: Array) -> Array:
    """Singular values (..., 3) of centred points (..., N, 3), largest first: metres times the root of N."""
    values = np.asarray(np.linalg.svd(centred, compute_uv=False), dtype=np.float64)
    missing = 3 - values.shape[-1]
    return np.concatenate([values, np.zeros((*values.shape[:-1], missing))], -1) if missing > 0 else values


def _pair(estimated: ArrayLike, true: ArrayLike) -> tuple[Array, Array]:
    e, t = _given.real(estimated, "estimated points"), _given.real(true, "true points")
    if e.shape != t.shape or e.ndim < 2 or e.shape[-1] != 3 or e.shape[-2] == 0:
        raise InputError(
            f"estimated and true points must both be (..., N, 3), N of 1 or more, but got {e.shape} and {t.shape}"
        )
    if not (np.isfinite(e).all() and np.isfinite(t).all()):
        raise InputError(
            "points to compare hold NaN or infinite values; mark such frames as not valid instead"
        )
    return e, t


def _within(points: Array, indices: tuple[int, ...]) -> None:
    if any(not 0 <= i < points.shape[-2] for i in indices):
        raise InputError(f"no point {max(indices)}: there are {points.shape[-2]} points to align by")
