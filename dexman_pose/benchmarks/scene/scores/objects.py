"""Objects: where they are (no alignment), how large, how they tremble, how far from each other."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh, RigidObject, Trajectory
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.metrics.points import add_s
from dexman_pose.metrics.poses import rotation_error
from dexman_pose.metrics.scores import auc
from dexman_pose.metrics.shape import surface_points
from dexman_pose.metrics.stability import jitter
from dexman_pose.metrics.vsd import vsd
from dexman_pose.synthetic.grasps.placed import FPS
from dexman_pose.synthetic.grasps.record import FilmRecord

Scores = dict[str, float | None]

SEEN = 0.1
"""Share of an object's outline that must be seen in a frame for the frame to be scored."""
_POINTS = 2000


def score_object(
    record: FilmRecord, index: int, mesh: Mesh, found: RigidObject | None, *, same: bool
) -> Scores:
    """Scores of one object.

    Args:
        record: the film.
        index: of the object in the truth.
        mesh: the true one, metres.
        found: what was estimated, None where nothing was.
        same: whether the estimate's mesh is the true one; else distances are between surfaces, and VSD and rotation
            are None: they would need one object frame.

    Returns:
        ``valid`` (share of the frames in which the object is seen), ``add_s_mm`` (median), ``add_s_auc`` (0 to 0.1 m,
        missing frames count as 0), ``vsd`` (mean over thresholds, missing frames 1), ``depth_percent`` (median of
        estimated over true distance, less 1), ``scale_percent`` (size of the mesh likewise), ``rotation_deg`` (but
        for the symmetries the estimate carries), ``jitter`` (m/s^2 beyond the truth's).
    """
    truth = record.truth
    scored = truth.visible[index] > SEEN
    names = (
        "valid",
        "add_s_mm",
        "add_s_auc",
        "vsd",
        "depth_percent",
        "scale_percent",
        "rotation_deg",
        "jitter",
    )
    out: Scores = dict.fromkeys(names)
    if not scored.any():
        return out
    true = truth.camera_from_object[index]
    valid = scored & found.valid if found is not None else np.zeros_like(scored)
    out["valid"], out["add_s_auc"] = float(valid[scored].mean()), 0.0
    if same:
        out["vsd"] = 1.0
    if found is None or not valid.any():
        return out
    own, real = found.camera_from_object[valid], true[valid]
    errors = _surface_errors(found.mesh, own, mesh, real, same=same)
    every = np.zeros(len(scored))
    every[valid] = errors
    out["add_s_mm"] = 1e3 * float(np.median(errors))
    out["add_s_auc"] = auc(every[scored], valid[scored])
    out["depth_percent"] = 100 * float(np.median(_depths(found.mesh, own) / _depths(mesh, real)) - 1)
    out["scale_percent"] = 100 * (found.mesh.radius / mesh.radius - 1)
    out["jitter"] = jitter(
        _middles(found.mesh, found.camera_from_object), valid, FPS, true=_middles(mesh, true)
    ).relative
    if same:
        out["rotation_deg"] = float(np.degrees(np.median(rotation_error(own, real, found.symmetry))))
        out["vsd"] = _vsd(record, mesh, own, real, valid, scored)
    return out


def score_distances(record: FilmRecord, meshes: dict[str, Mesh], trajectory: Trajectory) -> Scores:
    """``distance_mm``: median error of the distances between the middles of every two objects."""
    errors = []
    for (i, a), (j, b) in combinations(enumerate(record.truth.objects), 2):
        one, two = trajectory.objects.get(a), trajectory.objects.get(b)
        if one is None or two is None:
            continue
        both = one.valid & two.valid
        apart = np.linalg.norm(
            _middles(one.mesh, one.camera_from_object) - _middles(two.mesh, two.camera_from_object), axis=1
        )
        poses = record.truth.camera_from_object
        real = np.linalg.norm(_middles(meshes[a], poses[i]) - _middles(meshes[b], poses[j]), axis=1)
        errors.append(np.abs(apart - real)[both])
    values = np.concatenate(errors) if errors else np.zeros(0)
    return {"distance_mm": 1e3 * float(np.median(values)) if len(values) else None}


def _surface_errors(found: Mesh, own: Array, mesh: Mesh, real: Array, *, same: bool) -> Array:
    """(V,) metres: ADD-S, or of another mesh the mean distance from true surface points to the estimated surface's."""
    if same:
        return add_s(own, real, mesh.vertices)
    tree = cKDTree(surface_points(found, _POINTS, 0))
    points = surface_points(mesh, _POINTS, 1)
    there = transform_points(np.linalg.inv(own) @ real, points)
    return np.array([tree.query(p)[0].mean() for p in there])


def _vsd(
    record: FilmRecord,
    mesh: Mesh,
    own: Array,
    real: Array,
    valid: NDArray[np.bool_],
    scored: NDArray[np.bool_],
) -> float:
    frames = np.flatnonzero(valid)
    errors = vsd(own, real, mesh, record.truth.camera, lambda k: record.depth_image(int(frames[k])))
    total = float(errors.mean(-1).sum()) + float((scored & ~valid).sum())
    return total / float(scored.sum())


def _middles(mesh: Mesh, poses: Array) -> Array:
    """(T, 3) where the middle of a mesh is."""
    out: Array = transform_points(poses, mesh.center[None])[:, 0]
    return out


def _depths(mesh: Mesh, poses: Array) -> Array:
    out: Array = np.linalg.norm(_middles(mesh, poses), axis=1)
    return out
