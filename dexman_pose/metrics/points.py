"""Pose errors by what happens to the object's vertices: ADD, ADD-S, MSSD, MSPD.

Definitions as in the BOP toolkit (Hodan et al., "BOP Challenge 2020", ECCVW 2020; ADD and ADI after Hinterstoisser et
al., ACCV 2012), in metres, with two differences: no error becomes infinite when the poses are a diameter apart, and a
vertex behind the camera does not enter MSPD with a meaningless pixel.

Vertices may be given as :class:`~dexman_pose.metrics.mesh_points.kept.MeshPoints` (of ``mesh_points(vertices)``), too:
for one pose a call that saves looking whether they are still the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.metrics.mesh_points.kept import MeshPoints, mesh_points
from dexman_pose.metrics.mesh_points.limits import NEAR
from dexman_pose.metrics.nearest import nearest_vertices
from dexman_pose.metrics.poses import Symmetry, checked_poses, symmetry_transforms

Largest = Callable[[Array, Array, Array], Array]

BOP_WIDTH = 640
"""Pixels: the image width that BOP's MSPD thresholds are meant for."""

_BLOCK = 100_000  # numbers of an intermediate array: what stays in a cache is fast, too


def add(estimated: ArrayLike, true: ArrayLike, vertices: ArrayLike | MeshPoints) -> Array:
    """ADD: mean distance (...) in metres between each vertex under the estimate and the same one under the truth.

    Args:
        estimated: (..., 4, 4) camera_from_object (or world_from_object, the same for both).
        true: the same; leading dimensions are broadcast.
        vertices: (V, 3) of the object, metres. BOP takes those of ``models_eval``.

    Raises:
        InputError: no rigid transforms, no such vertices, or shapes that cannot be broadcast.
    """
    points = mesh_points(vertices)
    found = points.single.mean_distance(estimated, true)
    if found is not None:
        return found
    est, ref = checked_poses(estimated, true)
    return _over_poses(_mean_distance, est, ref, points.columns)


def add_s(estimated: ArrayLike, true: ArrayLike, vertices: ArrayLike | MeshPoints) -> Array:
    """ADD-S (ADI): mean distance (...) in metres from each vertex under the truth to the nearest under the estimate.

    The direction, truth to estimate, is BOP's and FoundationPose's; the other one gives other numbers. Exact, see
    :mod:`dexman_pose.metrics.nearest`; a search structure is kept per set of vertices.

    Args:
        estimated: (..., 4, 4) camera_from_object (or world_from_object, the same for both).
        true: the same; leading dimensions are broadcast.
        vertices: (V, 3) of the object, metres.

    Raises:
        InputError: no rigid transforms, no such vertices, or shapes that cannot be broadcast.
    """
    points = mesh_points(vertices)
    found = points.single.mean_nearest(estimated, true)
    if found is not None:
        return found
    est, ref = checked_poses(estimated, true)
    return nearest_vertices(points).mean_distances(np.linalg.inv(est) @ ref)


def mssd(
    estimated: ArrayLike, true: ArrayLike, vertices: ArrayLike | MeshPoints, symmetry: Symmetry = None
) -> Array:
    """MSSD: largest distance (...) in metres between a vertex under the estimate and under the truth.

    The smallest over the object's symmetries S: min over s in S of max over v of ``|estimated v - true s v|``.

    Args:
        estimated: (..., 4, 4) camera_from_object (or world_from_object, the same for both).
        true: the same; leading dimensions are broadcast.
        vertices: (V, 3) of the object, metres.
        symmetry: transforms (S, 4, 4) object_from_object, or a group; an axis of continuous symmetry is sampled as
            BOP does (the farthest vertex moves by at most 0.01 diameters), a sphere is solved exactly.

    Raises:
        InputError: no rigid transforms, no such vertices, or shapes that cannot be broadcast.
    """
    points = mesh_points(vertices).hull  # a convex function of the vertex is largest on the hull
    if symmetry is None and (found := points.single.largest_distance(estimated, true)) is not None:
        return found
    est, ref = checked_poses(estimated, true)
    return _over_symmetries(_largest_distance, est, ref, points, symmetry)


def mspd(
    estimated: ArrayLike,
    true: ArrayLike,
    vertices: ArrayLike | MeshPoints,
    camera: Camera,
    symmetry: Symmetry = None,
    *,
    image_width_normalized: bool = False,
) -> Array:
    """MSPD: largest distance (...) in pixels between a vertex's image under the estimate and under the truth.

    The smallest over the object's symmetries, as for :func:`mssd`. Distortion is left out, as in BOP. A vertex that
    lies behind the camera, or less than :data:`NEAR` before it, under one of the two poses has no usable pixel: it
    counts with its displacement in space as seen at that nearest depth, ``focal * |estimated v - true s v| / NEAR``.
    That is finite, zero only for no displacement, and hundreds of pixels per centimetre.

    Args:
        estimated: (..., 4, 4) camera_from_object.
        true: the same; leading dimensions are broadcast.
        vertices: (V, 3) of the object, metres.
        camera: its ``K`` projects, its ``width`` normalises.
        symmetry: as for :func:`mssd`; a sphere is turned to the smallest rotation error.
        image_width_normalized: multiply by 640 / width, for thresholds of 5 to 50 pixels whatever the image size.

    Raises:
        InputError: no rigid transforms, no such vertices, or shapes that cannot be broadcast.
    """
    points = mesh_points(vertices)
    width = BOP_WIDTH / camera.width if image_width_normalized else 1.0
    if symmetry is None and (found := points.single.largest_pixels(estimated, true, camera.K)) is not None:
        return np.asarray(found * width)
    est, ref = checked_poses(estimated, true)
    k = camera.K.copy()
    k[:2, 2] = 0.0  # where the axis meets the image does not change how far pixels are apart
    focal = max(camera.fx, camera.fy)

    def largest(one: Array, other: Array, points: Array) -> Array:
        a, b = _moved(k @ one[..., :3, :], points), _moved(k @ other[..., :3, :], points)
        if min(float(a[..., 2, :].min()), float(b[..., 2, :].min())) < NEAR:
            return _largest_near(one, other, points, k, focal)
        d = a[..., :2, :] / a[..., 2:, :] - b[..., :2, :] / b[..., 2:, :]
        d *= d
        squared = d[..., 0, :]
        squared += d[..., 1, :]
        return np.asarray(np.sqrt(squared.max(-1)))

    return _over_symmetries(largest, est, ref, points, symmetry) * width


def _largest_near(one: Array, other: Array, points: Array, k: Array, focal: float) -> Array:
    """MSPD of poses under which some vertex is too near to have a pixel."""
    a, b = _moved(one, points), _moved(other, points)
    nearest = np.minimum(a[..., 2, :], b[..., 2, :])
    d = _pixels(k, a) - _pixels(k, b)
    d *= d
    squared = d[..., 0, :] + d[..., 1, :]
    away = _squared_distances(one, other, points) * (focal / NEAR) ** 2
    return np.asarray(np.sqrt(np.where(nearest < NEAR, away, squared).max(-1)))


def _moved(matrices: Array, points: Array) -> Array:
    """Columns (4, V) under the upper rows of matrices (..., 4, 4) or (..., 3, 4): (..., 3, V)."""
    # For one matrix ``dot`` takes half the time of ``@``.
    out: Array = matrices[:3].dot(points) if matrices.ndim == 2 else matrices[..., :3, :] @ points
    return out


def _pixels(k: Array, points: Array) -> Array:
    """Images (..., 2, V) of camera points (..., 3, V); points too near are taken as at :data:`NEAR`."""
    out: Array = k[:2, :2] @ (points[..., :2, :] / np.maximum(points[..., 2:, :], NEAR))
    return out


def _squared_distances(one: Array, other: Array, points: Array) -> Array:
    """(..., V) square metres of columns (4, V); through the difference of the poses, exact for near ones, too."""
    d = _moved(one - other, points)
    d *= d
    x, y, z = d if d.ndim == 2 else (d[..., 0, :], d[..., 1, :], d[..., 2, :])
    x += y
    x += z
    return x


def _mean_distance(one: Array, other: Array, points: Array) -> Array:
    distances = _squared_distances(one, other, points)
    np.sqrt(distances, out=distances)
    return np.asarray(np.add.reduce(distances, -1) / points.shape[1])


def _largest_distance(one: Array, other: Array, points: Array) -> Array:
    return np.asarray(np.sqrt(_squared_distances(one, other, points).max(-1)))


def _over_poses(error: Largest, one: Array, other: Array, points: Array) -> Array:
    """``error`` of all pairs of poses (..., 4, 4) for points as columns (4, V), in blocks of bounded memory."""
    if one.ndim == 2:
        return error(one, other, points)
    shape = one.shape[:-2]
    a, b = one.reshape(-1, 4, 4), other.reshape(-1, 4, 4)
    out = np.zeros(len(a))
    step = max(1, _BLOCK // (3 * points.shape[1]))
    for i in range(0, len(a), step):
        out[i : i + step] = error(a[i : i + step], b[i : i + step], points)
    return out.reshape(shape)


def _over_symmetries(error: Largest, est: Array, ref: Array, points: MeshPoints, symmetry: Symmetry) -> Array:
    """The smallest ``error`` (a largest one over points) over the symmetric equivalents of the truth.

    A few points bound each one's error from below; all points are looked at for those that can still win.
    """
    if isinstance(symmetry, SymmetryGroup) and symmetry.sphere is not None:
        # Turned to the estimate, every vertex is as far as the centre, and none of a sphere can do with less.
        ref = np.asarray(symmetry.closest(ref, est))
        symmetry = None
    elements = symmetry_transforms(symmetry, points)
    if len(elements) == 1:
        return _over_poses(error, est, ref, points.columns)
    if est.ndim == 2 and 3 * len(elements) * len(points) <= _BLOCK:
        return np.asarray(error(est, ref @ elements, points.columns).min())
    shape = est.shape[:-2]
    est, ref = est.reshape(-1, 4, 4), ref.reshape(-1, 4, 4)
    out = np.zeros(len(est))
    step = max(1, 20 * _BLOCK // (16 * len(elements)))
    for i in range(0, len(est), step):
        out[i : i + step] = _smallest(error, est[i : i + step], ref[i : i + step], elements, points)
    return out.reshape(shape)


def _smallest(error: Largest, est: Array, ref: Array, elements: Array, points: MeshPoints) -> Array:
    """(P,) smallest error of poses (P, 4, 4) over the poses ``ref @ elements``."""
    equivalents = ref[:, None] @ elements
    everywhere = np.broadcast_to(est[:, None], equivalents.shape)
    bound = _over_poses(error, everywhere, equivalents, points.scouts)
    order = np.argsort(bound, axis=1, kind="stable")
    best = np.full(len(est), np.inf)
    rows = np.arange(len(est))
    for rank in range(len(elements)):
        which = order[rows, rank]
        # Bounds only grow from here on: a pose whose best error lies below its bound for this one is done.
        going = bound[rows, which] < best[rows]
        rows, which = rows[going], which[going]
        if not len(rows):
            break
        found = _over_poses(error, est[rows], equivalents[rows, which], points.columns)
        best[rows] = np.minimum(best[rows], found)
    return best
