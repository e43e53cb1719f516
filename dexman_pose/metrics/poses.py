"""Errors of rotation and translation, the diameter, and the checks that all pose metrics share."""

from __future__ import annotations

from collections import OrderedDict
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import rotation_angle
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.metrics import _given
from dexman_pose.metrics.mesh_points.kept import MeshPoints, mesh_points
from dexman_pose.metrics.mesh_points.limits import RIGID

Symmetry = ArrayLike | SymmetryGroup | None

SYMMETRY_STEP = 0.01
"""Of a diameter: how far the farthest vertex moves, at most, between samples of a continuous symmetry (BOP)."""

_MOST_SYMMETRIES = 1024
_MOST_CHECKED = 64  # sets of transforms given as symmetries
_BLOCK = 4_000_000  # numbers of an intermediate array


def rotation_error(estimated: ArrayLike, true: ArrayLike, symmetry: Symmetry = None) -> Array:
    """Angle (...) in radians, in [0, pi], between the rotations of poses (..., 4, 4); exact near zero and near pi.

    BOP's RE (Hodan et al. 2016, "On Evaluation of 6D Object Pose Estimation"), in radians.

    Args:
        estimated: camera_from_object (or world_from_object, the same for both).
        true: the same; leading dimensions are broadcast.
        symmetry: the error is the smallest over the object's symmetries: transforms (S, 4, 4) object_from_object, or
            a group, whose continuous part is solved in closed form.

    Raises:
        InputError: no rigid transforms, or shapes that cannot be broadcast.
    """
    est, ref = checked_poses(estimated, true)
    if isinstance(symmetry, SymmetryGroup):
        if not symmetry.is_trivial:
            return np.asarray(symmetry.rotation_error(est, ref))
        symmetry = None
    turned = np.swapaxes(ref[..., :3, :3], -1, -2) @ est[..., :3, :3]
    if symmetry is None:
        return rotation_angle(turned)
    elements = symmetry_transforms(symmetry)[:, :3, :3]
    flat = turned.reshape(-1, 3, 3)
    out = np.empty(len(flat))
    step = max(1, _BLOCK // (40 * len(elements)))
    for i in range(0, len(flat), step):
        out[i : i + step] = rotation_angle(np.swapaxes(elements, 1, 2) @ flat[i : i + step, None]).min(1)
    return out.reshape(turned.shape[:-2])


def translation_error(estimated: ArrayLike, true: ArrayLike) -> Array:
    """Distance (...) in metres between the translations of poses (..., 4, 4): where the object's origin is.

    BOP's TE, in metres. Leading dimensions are broadcast.

    Raises:
        InputError: no rigid transforms, or shapes that cannot be broadcast.
    """
    est, ref = checked_poses(estimated, true)
    return np.asarray(np.linalg.norm(est[..., :3, 3] - ref[..., :3, 3], axis=-1))


def diameter(vertices: ArrayLike) -> float:
    """Largest distance between any two of vertices (V, 3), exact, in their unit (BOP's diameter).

    Raises:
        InputError: no finite (V, 3) array with at least one vertex.
    """
    return mesh_points(vertices).diameter


def hull_vertices(vertices: ArrayLike) -> Array:
    """The vertices (H, 3) of the convex hull of vertices (V, 3); in a plane or on a line, of that hull.

    The largest distance between two poses of an object is at one of them: it is a convex function of the vertex.
    Kept from call to call: not to be written into.
    """
    return mesh_points(vertices).hull.vertices


def checked_poses(estimated: ArrayLike, true: ArrayLike) -> tuple[Array, Array]:
    """Poses (..., 4, 4), broadcast against each other, or an :class:`InputError`."""
    est, ref = _rigid(estimated, "estimated"), _rigid(true, "true")
    if est.shape == ref.shape:
        return est, ref
    try:
        shape = np.broadcast_shapes(est.shape, ref.shape)
    except ValueError as error:
        raise InputError(
            f"estimated poses {est.shape} and true poses {ref.shape} do not match: give one of each per frame, "
            "or a single one for all"
        ) from error
    return np.broadcast_to(est, shape), np.broadcast_to(ref, shape)


def symmetry_transforms(symmetry: Symmetry, vertices: ArrayLike | MeshPoints | None = None) -> Array:
    """Symmetries as transforms (S, 4, 4) object_from_object, identity first; kept, not to be written into.

    Args:
        symmetry: such transforms (the identity is added where it is missing), a group, or None.
        vertices: (V, 3); a group's continuous part is sampled so that the farthest of them moves by at most
            :data:`SYMMETRY_STEP` diameters between samples, as BOP does; required for such a group.

    Raises:
        InputError: no rigid transforms, or no vertices for a continuous group.
    """
    if symmetry is None:
        return _IDENTITY
    if not isinstance(symmetry, SymmetryGroup):
        return _given_transforms(_given.real(symmetry, "symmetry poses"))
    if not symmetry.is_continuous:
        return symmetry.sampled()
    if vertices is None:
        raise InputError("a continuous symmetry is sampled by how far vertices move: give vertices too")
    points = mesh_points(vertices)
    parts = [
        symmetry.discrete,
        *(part for axis in symmetry.axes for part in axis),
        np.asarray(symmetry.sphere),
    ]
    key = b"/".join(part.tobytes() for part in parts if part.dtype != object)
    found = points.sample(key)
    return points.keep_sample(key, _sampled(symmetry, points)) if found is None else found


def _sampled(symmetry: SymmetryGroup, points: MeshPoints) -> Array:
    """The elements of a continuous group, as finely as these points need it."""
    away = points.hull.vertices - symmetry.center
    if symmetry.axes:
        away = np.cross(away, symmetry.axes[0].direction)
    reach = float(np.linalg.norm(away, axis=1).max())
    if reach <= 0.0:
        return symmetry.discrete.copy()
    return symmetry.sampled(min(np.pi, SYMMETRY_STEP * points.diameter / reach), _MOST_SYMMETRIES)


_IDENTITY = np.eye(4)[None]
_IDENTITY.setflags(write=False)
_checked: OrderedDict[tuple[tuple[int, ...], bytes], Array] = OrderedDict()


def _given_transforms(symmetry: Array) -> Array:
    """Transforms that a caller gave as symmetries, checked, with the identity first."""
    key = symmetry.shape, symmetry.tobytes()
    found = _checked.get(key)
    if found is None:
        given = _rigid(symmetry, "symmetry")
        if given.ndim != 3 or len(given) == 0:
            raise InputError(
                f"symmetry must be (S, 4, 4) transforms or a SymmetryGroup, but got {given.shape}"
            )
        same = np.abs(given - np.eye(4)).max((1, 2)) < 1e-9
        found = np.concatenate([_IDENTITY, given[~same]])
        found.setflags(write=False)
        _checked[key] = found
        while len(_checked) > _MOST_CHECKED:
            _checked.popitem(last=False)
    return found


def _rigid(poses: ArrayLike, name: str) -> Array:
    p = _given.real(poses, f"{name} poses")
    if p.shape == (4, 4) and _plainly_rigid(p):
        return p
    if p.ndim < 2 or p.shape[-2:] != (4, 4):
        raise InputError(f"{name} poses must have shape (..., 4, 4), but got {p.shape}")
    if not np.isfinite(p).all():
        raise InputError(
            f"{name} poses hold NaN or infinite values: leave frames without a pose out, and mark them in valid"
        )
    r = p[..., :3, :3]
    off = np.abs(r @ np.swapaxes(r, -1, -2) - np.eye(3)).max((-1, -2))
    bad = (off > RIGID) | (np.linalg.det(r) < 0) | (np.abs(p[..., 3, :] - [0, 0, 0, 1]).max(-1) > RIGID)
    if bad.any():
        raise InputError(
            f"{name} poses: entry {int(np.argmax(bad))} of {bad.size} is not a rotation and a translation "
            "(orthonormal, no mirror, last row 0 0 0 1)"
        )
    return p


def _plainly_rigid(pose: Array) -> bool:
    """Whether one (4, 4) matrix passes, in plain numbers: arrays of sixteen cost more than they compute."""
    (a, b, c, x), (d, e, f, y), (g, h, i, z), (k, m, n, o) = pose.tolist()
    return (
        abs(a * a + b * b + c * c - 1.0) <= RIGID
        and abs(d * d + e * e + f * f - 1.0) <= RIGID
        and abs(g * g + h * h + i * i - 1.0) <= RIGID
        and abs(a * d + b * e + c * f) <= RIGID
        and abs(a * g + b * h + c * i) <= RIGID
        and abs(d * g + e * h + f * i) <= RIGID
        and a * (e * i - f * h) + b * (f * g - d * i) + c * (d * h - e * g) > 0.0
        and abs(k) <= RIGID
        and abs(m) <= RIGID
        and abs(n) <= RIGID
        and abs(o - 1.0) <= RIGID
        and isfinite(x + y + z)
    )
