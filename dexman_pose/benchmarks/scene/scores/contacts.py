"""Contacts: which finger tips touch, what is held, how far skin is from what it touches, how a held object drifts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.scene.scores.objects import Scores
from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.data import Mesh, Trajectory
from dexman_pose.geometry.align import kabsch
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.metrics.contact import contact_f_score
from dexman_pose.synthetic.grasps.record import FilmRecord
from dexman_pose.synthetic.grasps.truth import FINGERTIPS

TIPS = (4, 8, 12, 16, 20)
_PALM = (0, 5, 9, 13, 17)
_FEWEST = 5


def score_contacts(record: FilmRecord, meshes: dict[str, Mesh], trajectory: Trajectory) -> Scores:
    """Scores over all pairs of hand and object; frames without an estimate claim nothing.

    Returns:
        ``contact_f`` (pooled F-score of the finger tips) and ``contact_f_thumb`` ... ``contact_f_pinky``; ``hold_f``
        (F-score over frames of "carried by this hand", which is claimed where the thumb and another finger touch);
        ``gap_mm`` (median distance of skin and surface, sign left out, over finger tips and frames that truly touch),
        ``gap_bias_mm`` (its median with sign); ``drift_mm`` (root mean square by which a held object moves in the
        palm's frame more than in truth). All None where the trajectory has no contacts, and each where its truth
        never occurs.
    """
    names = [
        "contact_f",
        *(f"contact_f_{f}" for f in FINGERTIPS),
        "hold_f",
        "gap_mm",
        "gap_bias_mm",
        "drift_mm",
    ]
    out: Scores = dict.fromkeys(names)
    out["drift_mm"] = _drift(record, meshes, trajectory)
    if trajectory.contacts is None:
        return out
    truth, contacts = record.truth, trajectory.contacts
    claimed, true, holds, held, gaps = [], [], [], [], []
    for h, side in enumerate(truth.sides):
        for n, name in enumerate(truth.objects):
            touches = truth.touching[h, n][:, : len(TIPS)]
            true.append(touches)
            held.append(truth.held[h, n])
            if (side, name) not in contacts.pairs:
                claimed.append(np.zeros_like(touches))
                holds.append(np.zeros(len(touches), np.bool_))
                continue
            pair = contacts.pairs.index((side, name))
            flags = contacts.touching[pair]
            claimed.append(flags[:, list(TIPS)])
            fingers = np.stack([flags[:, 2 + 4 * f : 5 + 4 * f].any(1) for f in range(5)], axis=1)
            holds.append(fingers[:, 0] & fingers[:, 1:].any(1))
            skin = (contacts.distance[pair] - JOINT_RADIUS)[:, list(TIPS)]
            gaps.append(skin[touches & contacts.valid[pair][:, None]])
    if np.concatenate(true).any():
        found = contact_f_score(np.concatenate(claimed), np.concatenate(true))
        out["contact_f"] = found.pooled_f_score
        for k, finger in enumerate(FINGERTIPS):
            out[f"contact_f_{finger}"] = None if found.empty[k] else float(found.f_score[k])
    carried = np.concatenate(held)
    if carried.any():
        out["hold_f"] = contact_f_score(np.concatenate(holds)[:, None], carried[:, None]).pooled_f_score
    values = np.concatenate(gaps) if gaps else np.zeros(0)
    if len(values):
        out["gap_mm"], out["gap_bias_mm"] = (
            1e3 * float(np.median(np.abs(values))),
            1e3 * float(np.median(values)),
        )
    return out


def _drift(record: FilmRecord, meshes: dict[str, Mesh], trajectory: Trajectory) -> float | None:
    truth, squares = record.truth, []
    for h, side in enumerate(truth.sides):
        hand = trajectory.hands.get(side)
        for n, name in enumerate(truth.objects):
            thing = trajectory.objects.get(name)
            if hand is None or thing is None:
                continue
            frames: NDArray[np.bool_] = truth.held[h, n] & hand.valid & thing.valid
            if frames.sum() < _FEWEST:
                continue
            own = _in_palm(hand.joints[frames], thing.mesh, thing.camera_from_object[frames])
            real = _in_palm(truth.joints[h][frames], meshes[name], truth.camera_from_object[n][frames])
            error = own - real
            squares.append(np.sum((error - error.mean(0)) ** 2, axis=1))
    return 1e3 * float(np.sqrt(np.mean(np.concatenate(squares)))) if squares else None


def _in_palm(joints: Array, mesh: Mesh, poses: Array) -> Array:
    """(V, 3) the middle of an object in the frame of the palm: that of the first hand, laid on the others."""
    palm = joints[:, list(_PALM)]
    frame = kabsch(np.broadcast_to(palm[0] - palm[0].mean(0), palm.shape), palm)
    middle = transform_points(poses, mesh.center[None])
    out: Array = transform_points(inverse(frame), middle)[:, 0]
    return out
