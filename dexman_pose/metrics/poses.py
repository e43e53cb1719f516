"""Errors of rotation and translation, the diameter, and the checks that all pose metrics share."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import ConvexHull, QhullError

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import rotation_angle
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.metrics import _given

Symmetry = ArrayLike | SymmetryGroup | None

SYMMETRY_STEP = 0.01
"""Of a diameter: how far the farthest vertex moves, at most, between samples of a continuous symmetry (BOP)."""

_RIGID = 1e-3  # by which the rotation part may miss orthonormality: poses of float32 files pass, scaled ones do not
_MOST_SYMMETRIES = 1024
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
    corners = hull_vertices(vertices)
    center = (corners.min(0) + corners.max(0)) / 2.0
    corners = corners - center
    radius = np.linalg.norm(corners, axis=1)
    # A pair farther apart than a known one has both its ends far from the centre.
    known = _some_long_distance(corners)
    corners = corners[radius + radius.max() >= known * (1.0 - 1e-9)]
    squares = np.einsum("ij,ij->i", corners, corners)
    step = max(1, _BLOCK // len(corners))
    best = known
    for i in range(0, len(corners), step):
        some = corners[i : i + step]
        apart = squares[i : i + step, None] + squares[i:] - 2.0 * (some @ corners[i:].T)
        a, b = np.divmod(int(np.argmax(apart)), apart.shape[1])
        best = max(best, float(np.linalg.norm(some[a] - corners[i + b])))
    return best


def _some_long_distance(points: Array) -> float:
    """Distance of two points found by going to the farthest one a few times: often the largest."""
    best, at = 0.0, int(np.argmax(np.einsum("ij,ij->i", points, points)))
    for _ in range(8):
        distances = np.linalg.norm(points - points[at], axis=1)
        at = int(np.argmax(distances))
        if distances[at] <= best:
            break
        best = float(distances[at])
    return best


_hulls: OrderedDict[bytes, Array] = OrderedDict()


def hull_vertices(vertices: ArrayLike) -> Array:
    """The vertices (H, 3) of the convex hull of vertices (V, 3); in a plane or on a line, of that hull.

    The largest distance between two poses of an object is at one of them: it is a convex function of the vertex.
    """
    v = checked_vertices(vertices)
    key = hashlib.blake2b(v.tobytes(), digest_size=16).digest()
    found = _hulls.get(key)
    if found is None:
        found = _hulls[key] = _hull(v)
        while len(_hulls) > 64:
            _hulls.popitem(last=False)
    return found


def _hull(vertices: Array) -> Array:
    if len(vertices) <= 16:
        return vertices
    centered = vertices - vertices.mean(0)
    _, spread, axes = np.linalg.svd(centered, full_matrices=False)
    rank = int((spread > 1e-9 * spread[0]).sum()) if spread[0] > 0 else 0
    if rank < 3:
        # What a plane or a line leaves out is below rounding; coordinates in it find its hull.
        flat = centered @ axes[:rank].T
        if rank == 0:
            return vertices[:1]
        if rank == 1:
            return vertices[[int(flat[:, 0].argmin()), int(flat[:, 0].argmax())]]
        centered = flat
    try:
        return vertices[ConvexHull(centered).vertices]
    except QhullError:
        return vertices


def checked_vertices(vertices: ArrayLike) -> Array:
    """Vertices as a contiguous (V, 3) array of finite numbers with V >= 1, or an :class:`InputError`."""
    v = np.ascontiguousarray(_given.real(vertices, "vertices"))
    if v.ndim != 2 or v.shape[1] != 3 or len(v) == 0:
        raise InputError(
            f"vertices must have shape (V, 3) with V at least 1, metres, but got {v.shape}: give Mesh.vertices"
        )
    if not np.isfinite(v).all():
        raise InputError("vertices must be finite, but some are NaN or infinite: repair the mesh first")
    return v


def checked_poses(estimated: ArrayLike, true: ArrayLike) -> tuple[Array, Array]:
    """Poses (..., 4, 4), broadcast against each other, or an :class:`InputError`."""
    est, ref = _rigid(estimated, "estimated"), _rigid(true, "true")
    try:
        shape = np.broadcast_shapes(est.shape, ref.shape)
    except ValueError as error:
        raise InputError(
            f"estimated poses {est.shape} and true poses {ref.shape} do not match: give one of each per frame, "
            "or a single one for all"
        ) from error
    return np.broadcast_to(est, shape), np.broadcast_to(ref, shape)


def symmetry_transforms(symmetry: Symmetry, vertices: ArrayLike | None = None) -> Array:
    """Symmetries as transforms (S, 4, 4) object_from_object, identity first.

    Args:
        symmetry: such transforms (the identity is added where it is missing), a group, or None.
        vertices: (V, 3); a group's continuous part is sampled so that the farthest of them moves by at most
            :data:`SYMMETRY_STEP` diameters between samples, as BOP does; required for such a group.

    Raises:
        InputError: no rigid transforms, or no vertices for a continuous group.
    """
    if symmetry is None:
        return np.eye(4)[None]
    if not isinstance(symmetry, SymmetryGroup):
        given = _rigid(symmetry, "symmetry")
        if given.ndim != 3 or len(given) == 0:
            raise InputError(
                f"symmetry must be (S, 4, 4) transforms or a SymmetryGroup, but got {given.shape}"
            )
        same = np.abs(given - np.eye(4)).max((1, 2)) < 1e-9
        return np.concatenate([np.eye(4)[None], given[~same]])
    if not symmetry.is_continuous:
        return symmetry.sampled()
    if vertices is None:
        raise InputError("a continuous symmetry is sampled by how far vertices move: give vertices too")
    corners = hull_vertices(vertices)
    away = corners - symmetry.center
    if symmetry.axes:
        away = np.cross(away, symmetry.axes[0].direction)
    reach = float(np.linalg.norm(away, axis=1).max())
    if reach <= 0.0:
        return symmetry.discrete.copy()
    return symmetry.sampled(min(np.pi, SYMMETRY_STEP * diameter(vertices) / reach), _MOST_SYMMETRIES)


def _rigid(poses: ArrayLike, name: str) -> Array:
    p = _given.real(poses, f"{name} poses")
    if p.ndim < 2 or p.shape[-2:] != (4, 4):
        raise InputError(f"{name} poses must have shape (..., 4, 4), but got {p.shape}")
    if not np.isfinite(p).all():
        raise InputError(
            f"{name} poses hold NaN or infinite values: leave frames without a pose out, and mark them in valid"
        )
    r = p[..., :3, :3]
    off = np.abs(r @ np.swapaxes(r, -1, -2) - np.eye(3)).max((-1, -2))
    bad = (off > _RIGID) | (np.linalg.det(r) < 0) | (np.abs(p[..., 3, :] - [0, 0, 0, 1]).max(-1) > _RIGID)
    if bad.any():
        raise InputError(
            f"{name} poses: entry {int(np.argmax(bad))} of {bad.size} is not a rotation and a translation "
            "(orthonormal, no mirror, last row 0 0 0 1)"
        )
    return p
