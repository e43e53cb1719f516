"""Hands: joints as they are, relative to the wrist, and relative to what the hand handles."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.scene.scores.objects import Scores
from dexman_pose.data import HandTrack, Mesh, Trajectory
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.metrics.hands import joint_errors
from dexman_pose.metrics.stability import jitter
from dexman_pose.synthetic.grasps.placed import FPS
from dexman_pose.synthetic.grasps.record import FilmRecord

IN_PICTURE = 0.5
"""Share of a hand's joints within the picture from which on a frame is scored."""
IN_SIGHT = 0.5
"""Share of its joints where the picture shows the hand from which on most of it is not hidden."""
NEAR = 0.06
"""Metres between skin and object within which joints are compared relative to the object."""


def score_hand(record: FilmRecord, index: int, meshes: dict[str, Mesh], trajectory: Trajectory) -> Scores:
    """Scores of one hand.

    Args:
        record: the film.
        index: of the hand in the truth.
        meshes: the true ones by name, metres.
        trajectory: the estimate.

    Returns:
        ``hand_valid`` (share of the frames in which it is in the picture), ``hand_valid_seen`` (of those in which
        most of it is not hidden), medians over frames of the mean joint error
        in millimetres: ``hand_mm`` (camera frame, no alignment), ``hand_wrist_mm`` (wrists brought together),
        ``hand_object_mm`` (relative to the middle of the object it is near to, axes of the camera); and
        ``hand_jitter`` (m/s^2 beyond the truth's, of all joints).
    """
    truth = record.truth
    out: Scores = dict.fromkeys(
        ("hand_valid", "hand_valid_seen", "hand_mm", "hand_wrist_mm", "hand_object_mm", "hand_jitter")
    )
    scored = truth.hand_visible[index] >= IN_PICTURE
    if not scored.any():
        return out
    found = trajectory.hands.get(truth.sides[index])
    valid = scored & found.valid if found is not None else np.zeros_like(scored)
    out["hand_valid"] = float(valid[scored].mean())
    seen = scored & (truth.hand_seen[index] >= IN_SIGHT)
    out["hand_valid_seen"] = float(valid[seen].mean()) if seen.any() else None
    if found is None or not valid.any():
        return out
    own, real = found.joints[valid], truth.joints[index][valid]
    out["hand_mm"] = _median_mm(joint_errors(own, real).mean(-1))
    out["hand_wrist_mm"] = _median_mm(joint_errors(own, real, align="root").mean(-1))
    out["hand_object_mm"] = _relative(record, index, meshes, trajectory, found)
    out["hand_jitter"] = jitter(found.joints, valid, FPS, true=truth.joints[index]).relative
    return out


def _relative(
    record: FilmRecord, index: int, meshes: dict[str, Mesh], trajectory: Trajectory, found: HandTrack
) -> float | None:
    truth = record.truth
    errors = []
    for n, name in enumerate(truth.objects):
        thing = trajectory.objects.get(name)
        if thing is None:
            continue
        near = (truth.gaps[index, n].min(-1) < NEAR) & thing.valid & found.valid
        own = found.joints - transform_points(thing.camera_from_object, thing.mesh.center[None])
        real = truth.joints[index] - transform_points(truth.camera_from_object[n], meshes[name].center[None])
        errors.append(np.linalg.norm(own - real, axis=-1).mean(-1)[near])
    values = np.concatenate(errors) if errors else np.zeros(0)
    return _median_mm(values) if len(values) else None


def _median_mm(errors: Array) -> float:
    return 1e3 * float(np.median(errors))
