"""Rotations and rigid transforms as plain arrays: exponential and logarithm, inverse, interpolation.

Matrices read ``b_from_a``: they map points of frame ``a`` to frame ``b``. A twist is ``(v, w)``, translation part
first, both in the frame the increment is applied in: :func:`se3_exp` times a pose on the left moves the object in
the camera frame. Formulas: Eade, "Lie Groups for 2D and 3D Transformations" (2013); near zero the coefficients are
their Taylor series, near pi the axis comes from the symmetric part of the matrix.
"""

from __future__ import annotations

from math import atan2, hypot, sin

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.given import floats, matching

_SHORT = 1e-7  # below this the vector part of a unit quaternion is half the rotation vector to rounding
_SMALL = 1e-4  # below this angle the closed forms lose digits and two series terms are exact to rounding


def hat(w: ArrayLike) -> Array:
    """Skew-symmetric matrices (..., 3, 3) of vectors (..., 3): ``hat(w) @ x == cross(w, x)``."""
    w = floats(w, "w", 3)
    out = np.zeros((*w.shape[:-1], 3, 3))
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -w[..., 2], w[..., 1], -w[..., 0]
    out[..., 1, 0], out[..., 2, 0], out[..., 2, 1] = w[..., 2], -w[..., 1], w[..., 0]
    return out


def _coefficients(angle: Array) -> tuple[Array, Array, Array]:
    """sin(t)/t, (1-cos(t))/t^2 and (t-sin(t))/t^3, each by its series near zero."""
    small = angle < _SMALL
    t = np.where(small, 1.0, angle)
    t2 = angle * angle
    a = np.where(small, 1.0 - t2 / 6.0, np.sin(t) / t)
    b = np.where(small, 0.5 - t2 / 24.0, 2.0 * (np.sin(0.5 * t) / t) ** 2)
    # t - sin(t) cancels to t^3/6: its own series is needed well before the other two need theirs.
    series = 1.0 / 6.0 - t2 / 120.0 + t2 * t2 / 5040.0 - t2 * t2 * t2 / 362880.0
    c = np.where(angle < 0.1, series, (t - np.sin(t)) / (t * t * t))
    return a, b, c


def so3_exp(w: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) of rotation vectors (..., 3) in radians (Rodrigues)."""
    w = floats(w, "w", 3)
    if w.ndim == 1:
        return _rotation_of_one(*w.tolist())
    angle = np.linalg.norm(w, axis=-1)
    a, b, _ = _coefficients(angle)
    k = hat(w)
    return np.eye(3) + a[..., None, None] * k + b[..., None, None] * (k @ k)


def so3_left_jacobian(w: ArrayLike) -> Array:
    """Left Jacobians (..., 3, 3) of rotation vectors (..., 3): ``exp(w + d) = exp(J d) exp(w)``, d small."""
    w = floats(w, "w", 3)
    _, b, c = _coefficients(np.linalg.norm(w, axis=-1))
    k = hat(w)
    out: Array = np.eye(3) + b[..., None, None] * k + c[..., None, None] * (k @ k)
    return out


def _rotation_of_one(x: float, y: float, z: float) -> Array:
    """The rotation matrix (3, 3) of one rotation vector: numbers of Python are ten times as fast as small arrays."""
    angle = hypot(x, y, z)
    t2 = angle * angle
    if angle < _SMALL:
        a, b = 1.0 - t2 / 6.0, 0.5 - t2 / 24.0
    else:
        a, b = sin(angle) / angle, 2.0 * (sin(0.5 * angle) / angle) ** 2
    xx, yy, zz, xy, xz, yz = x * x, y * y, z * z, b * x * y, b * x * z, b * y * z
    return np.array(
        [
            [1.0 - b * (yy + zz), xy - a * z, xz + a * y],
            [xy + a * z, 1.0 - b * (xx + zz), yz - a * x],
            [xz - a * y, yz + a * x, 1.0 - b * (xx + yy)],
        ]
    )


def so3_log(rotation: ArrayLike) -> Array:
    """Rotation vectors (..., 3), angle in [0, pi], of rotation matrices (..., 3, 3).

    Goes through the unit quaternion of largest component (Shepperd 1978), which stays exact at zero and at pi.
    """
    q = quaternion_from_matrix(rotation)
    if q.ndim == 1:
        return _vector_of_quaternion(*q.tolist())
    q = np.where(q[..., :1] < 0, -q, q)
    vector = q[..., 1:]
    s = np.linalg.norm(vector, axis=-1)
    angle = 2.0 * np.arctan2(s, q[..., 0])
    small = s < _SHORT
    factor = np.where(small, 2.0 / np.maximum(q[..., 0], 0.5), angle / np.where(small, 1.0, s))
    return factor[..., None] * vector


def quaternion_from_matrix(rotation: ArrayLike) -> Array:
    """Unit quaternions (..., 4), wxyz, of rotation matrices (..., 3, 3); the sign is free."""
    r = floats(rotation, "rotation", 3, 3)
    if r.ndim == 2:
        return _quaternion_of_one(r)
    trace = r[..., 0, 0] + r[..., 1, 1] + r[..., 2, 2]
    diagonal = np.stack([trace, r[..., 0, 0], r[..., 1, 1], r[..., 2, 2]], -1)
    largest = np.argmax(diagonal, -1)
    w = np.stack(
        [1 + trace, r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]], -1
    )
    x = np.stack(
        [w[..., 1], 1 - trace + 2 * r[..., 0, 0], r[..., 0, 1] + r[..., 1, 0], r[..., 0, 2] + r[..., 2, 0]],
        -1,
    )
    y = np.stack([w[..., 2], x[..., 2], 1 - trace + 2 * r[..., 1, 1], r[..., 1, 2] + r[..., 2, 1]], -1)
    z = np.stack([w[..., 3], x[..., 3], y[..., 3], 1 - trace + 2 * r[..., 2, 2]], -1)
    stacked = np.stack([w, x, y, z], -2)
    q = np.take_along_axis(stacked, largest[..., None, None], -2)[..., 0, :]
    unit: Array = q / np.linalg.norm(q, axis=-1, keepdims=True)
    return unit


def _quaternion_of_one(rotation: Array) -> Array:
    """The unit quaternion (4,) of one matrix (3, 3)."""
    (a, b, c), (d, e, f), (g, h, i) = rotation.tolist()
    trace = a + e + i
    w = (1 + trace, h - f, c - g, d - b)
    rows = (
        w,
        (w[1], 1 - trace + 2 * a, b + d, c + g),
        (w[2], b + d, 1 - trace + 2 * e, f + h),
        (w[3], c + g, f + h, 1 - trace + 2 * i),
    )
    diagonal = (trace, a, e, i)
    q = np.array(rows[diagonal.index(max(diagonal))])
    unit: Array = q / np.linalg.norm(q)
    return unit


def _vector_of_quaternion(w: float, x: float, y: float, z: float) -> Array:
    """The rotation vector (3,) of one unit quaternion."""
    sign = -1.0 if w < 0 else 1.0
    length = hypot(x, y, z)
    small = length < _SHORT
    factor = 2.0 / max(sign * w, 0.5) if small else 2.0 * atan2(length, sign * w) / length
    return np.array([sign * factor * x, sign * factor * y, sign * factor * z])


def matrix_from_quaternion(wxyz: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) of quaternions (..., 4), wxyz, normalised first."""
    q = floats(wxyz, "wxyz", 4)
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    w, x, y, z = np.moveaxis(q, -1, 0)
    rows = [
        np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], -1),
        np.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], -1),
        np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], -1),
    ]
    return np.stack(rows, -2)


def se3(rotation: ArrayLike, translation: ArrayLike) -> Array:
    """Assemble 4x4 transforms (..., 4, 4) from rotations (..., 3, 3) and translations (..., 3)."""
    r, t = floats(rotation, "rotation", 3, 3), floats(translation, "translation", 3)
    batch = matching(r.shape[:-2], t.shape[:-1], "rotation and translation")
    out = np.zeros((*batch, 4, 4))
    out[..., :3, :3] = r
    out[..., :3, 3] = t
    out[..., 3, 3] = 1.0
    return out


def se3_exp(twist: ArrayLike) -> Array:
    """Transforms (..., 4, 4) of twists (..., 6) = (v, w): metres and radians."""
    twist = floats(twist, "twist", 6)
    v, w = twist[..., :3], twist[..., 3:]
    return se3(so3_exp(w), (so3_left_jacobian(w) @ v[..., None])[..., 0])


def se3_log(transform: ArrayLike) -> Array:
    """Twists (..., 6) of transforms (..., 4, 4); inverse of :func:`se3_exp` for angles up to pi."""
    transform = floats(transform, "transform", 4, 4)
    w = so3_log(transform[..., :3, :3])
    angle = np.linalg.norm(w, axis=-1)
    a, b, _ = _coefficients(angle)
    # 1/t^2 - (1 + cos t)/(2 t sin t), written (1 - a/(2b))/t^2 so that t = pi divides by nothing small;
    # near zero its series.
    small = angle < 1e-2
    t2 = angle * angle
    closed = (1.0 - a / (2.0 * np.where(small, 1.0, b))) / np.where(small, 1.0, t2)
    d = np.where(small, 1.0 / 12.0 + t2 / 720.0 + t2 * t2 / 30240.0, closed)
    k = hat(w)
    inverse_left = np.eye(3) - 0.5 * k + d[..., None, None] * (k @ k)
    v = (inverse_left @ transform[..., :3, 3, None])[..., 0]
    return np.concatenate([v, w], -1)


def inverse(b_from_a: ArrayLike) -> Array:
    """``a_from_b`` (..., 4, 4) of rigid ``b_from_a`` (..., 4, 4)."""
    m = floats(b_from_a, "b_from_a", 4, 4)
    rt = np.swapaxes(m[..., :3, :3], -1, -2)
    return se3(rt, -(rt @ m[..., :3, 3, None])[..., 0])


def transform_points(b_from_a: ArrayLike, points: ArrayLike) -> Array:
    """Points (..., N, 3) of frame ``a`` in frame ``b``, for transforms (..., 4, 4)."""
    m, p = floats(b_from_a, "b_from_a", 4, 4), floats(points, "points", 3)
    if p.ndim < 2:
        raise InputError(f"points must have shape (..., N, 3), but got {p.shape}")
    matching(m.shape[:-2], p.shape[:-2], "b_from_a and points")
    moved: Array = p @ np.swapaxes(m[..., :3, :3], -1, -2) + m[..., None, :3, 3]
    return moved


def rotation_angle(rotation: ArrayLike) -> Array:
    """Angle (...) in radians of rotation matrices (..., 3, 3), exact near zero and near pi."""
    angle: Array = np.linalg.norm(so3_log(_turning(rotation)), axis=-1)
    return angle


def _turning(transform: ArrayLike) -> Array:
    """The rotations (..., 3, 3) of rotations or of whole transforms."""
    m = floats(transform, "rotation")
    if m.shape[-2:] not in ((3, 3), (4, 4)):
        raise InputError(f"rotation must have shape (..., 3, 3), but got {m.shape}")
    return m[..., :3, :3]


def interpolate(first: ArrayLike, second: ArrayLike, fraction: ArrayLike) -> Array:
    """Transforms between two (4, 4): shortest rotation (slerp), straight translation, at ``fraction`` (...,)."""
    first, second = floats(first, "first", 4, 4), floats(second, "second", 4, 4)
    f = floats(fraction, "fraction")
    if first.ndim > 2 or second.ndim > 2:
        raise InputError(f"interpolation is between two (4, 4), but got {first.shape} and {second.shape}")
    step = so3_log(first[:3, :3].T @ second[:3, :3])
    rotation = first[:3, :3] @ so3_exp(f[..., None] * step)
    translation = first[:3, 3] + f[..., None] * (second[:3, 3] - first[:3, 3])
    return se3(rotation, translation)


def orthonormalize(transform: ArrayLike) -> Array:
    """Nearest rigid transform (..., 4, 4): rotation by SVD with determinant +1."""
    m = floats(transform, "transform", 4, 4)
    if not np.isfinite(m).all():
        raise InputError("transform holds NaN or infinite values")
    u, _, vt = np.linalg.svd(m[..., :3, :3])
    sign = np.sign(np.linalg.det(u @ vt))
    u = u.copy()
    u[..., :, 2] *= sign[..., None]
    return se3(u @ vt, m[..., :3, 3])


def scaled_translations(poses: Array, factor: float) -> Array:
    """Poses (T, 4, 4) of an object ``factor`` times as large and as far: the picture stays the same."""
    out = poses.copy()
    out[:, :3, 3] *= factor
    return out
