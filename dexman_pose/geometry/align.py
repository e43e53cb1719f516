"""Rigid and similarity alignment of corresponding points in closed form.

Umeyama, "Least-squares estimation of transformation parameters between two point patterns", TPAMI 13(4),
1991.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.given import floats, matching
from dexman_pose.geometry.se3 import se3


def kabsch(a: ArrayLike, b: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """``b_from_a`` (..., 4, 4): the rigid transform that maps points ``a`` closest to ``b``.

    The rotation is always proper (determinant +1), for mirrored, planar and collinear points too; where the
    points leave it undetermined (all on a line, all in one place) it is one of the best ones.

    Args:
        a: (..., N, 3) points in frame a.
        b: (..., N, 3) the same points in frame b.
        weights: (..., N) 0 or more; equal when left out.

    Raises:
        InputError: shapes differ, values are not finite, weights are negative or all zero.
    """
    rotation, _, mean_a, mean_b = _solve(a, b, weights)
    return se3(rotation, mean_b - (rotation @ mean_a[..., None])[..., 0])


def umeyama(a: ArrayLike, b: ArrayLike, weights: ArrayLike | None = None) -> tuple[Array, Array]:
    """Similarity ``b = scale * R a + t`` with the smallest squared error: rigid part and scale.

    Args:
        a: (..., N, 3) points in frame a, not all in one place.
        b: (..., N, 3) the same points in frame b.
        weights: (..., N) 0 or more; equal when left out.

    Returns:
        ``b_from_a`` (..., 4, 4), rotation R and translation t, and ``scale`` (...,):
        ``b = transform_points(b_from_a, scale * a)``.

    Raises:
        InputError: as :func:`kabsch`, or the points ``a`` are all in one place, which leaves the scale open.
    """
    rotation, scale, mean_a, mean_b = _solve(a, b, weights)
    if not np.isfinite(scale).all():
        raise InputError("the points to align are all in one place, so no scale can be found")
    moved = scale[..., None] * (rotation @ mean_a[..., None])[..., 0]
    return se3(rotation, mean_b - moved), scale


def _solve(a: ArrayLike, b: ArrayLike, weights: ArrayLike | None) -> tuple[Array, Array, Array, Array]:
    """Rotation, scale (infinite where undetermined), weighted means of a and of b."""
    a, b, w = _checked(a, b, weights)
    mean_a, mean_b = (w[..., None] * a).sum(-2), (w[..., None] * b).sum(-2)
    ca, cb = a - mean_a[..., None, :], b - mean_b[..., None, :]
    covariance = np.swapaxes(w[..., None] * cb, -1, -2) @ ca
    u, s, vt = np.linalg.svd(covariance)
    # A reflection would fit better: turn the weakest direction round instead (Umeyama, eq. 43).
    sign = np.ones_like(s)
    sign[..., 2] = np.where(np.linalg.det(u) * np.linalg.det(vt) < 0, -1.0, 1.0)
    rotation = (u * sign[..., None, :]) @ vt
    spread = (w * (ca * ca).sum(-1)).sum(-1)
    size = np.max(np.abs(a), axis=(-2, -1), initial=0.0)
    flat = spread <= (1e-14 * size) ** 2
    scale = np.where(flat, np.inf, (s * sign).sum(-1) / np.where(flat, 1.0, spread))
    return rotation, scale, mean_a, mean_b


def _checked(a: ArrayLike, b: ArrayLike, weights: ArrayLike | None) -> tuple[Array, Array, Array]:
    pa, pb = floats(a, "a"), floats(b, "b")
    if pa.shape != pb.shape or pa.ndim < 2 or pa.shape[-1] != 3 or pa.shape[-2] == 0:
        raise InputError(
            f"points to align must both be (..., N, 3) with N of 1 or more: {pa.shape} and {pb.shape}"
        )
    w = np.ones(pa.shape[:-1]) if weights is None else floats(weights, "weights")
    if w.shape[-1:] != pa.shape[-2:-1]:
        raise InputError(f"weights must be (..., {pa.shape[-2]}), one per point, but got {w.shape}")
    matching(w.shape, pa.shape[:-1], "weights and points")
    w = np.broadcast_to(w, pa.shape[:-1])
    if not (np.isfinite(pa).all() and np.isfinite(pb).all() and np.isfinite(w).all()):
        raise InputError("points to align hold NaN or infinite values")
    total = w.sum(-1, keepdims=True)
    if (w < 0).any() or (total <= 0).any():
        raise InputError("weights must be 0 or more, and some must be positive")
    return pa, pb, w / total
