"""Hands and contacts of one recording against the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dexman_pose.contact import detect_contacts
from dexman_pose.data import HandTrack, PoseTrack, RigidObject
from dexman_pose.datasets.recording import Recording
from dexman_pose.evaluation.prediction import ObjectPrediction, Prediction
from dexman_pose.evaluation.protocol import Protocol
from dexman_pose.evaluation.results import ContactScores, HandScores
from dexman_pose.metrics.alignment import Alignment
from dexman_pose.metrics.contact import contact_f_score
from dexman_pose.metrics.hands import joint_errors

TIPS = (4, 8, 12, 16, 20)


def score_hands(recording: Recording, found: Prediction, protocol: Protocol) -> list[HandScores]:
    """Joint errors of each hand whose truth is known, in each alignment of the protocol."""
    out = []
    for side, truth in recording.hands.items():
        frames = np.arange(0, recording.num_frames, protocol.stride)
        frames = frames[truth.valid[frames]]
        predicted = found.hands.get(side)
        valid = np.zeros(len(frames), np.bool_)
        joints = {a: np.zeros((len(frames), 21)) for a in protocol.hands}
        if predicted is not None:
            there = frames < len(predicted)
            valid[there] = predicted.valid[frames[there]]
            estimated, true = predicted.joints[frames[valid]], truth.joints[frames[valid]]
            for alignment, errors in joints.items():
                if len(true):
                    errors[valid] = joint_errors(estimated, true, align=cast(Alignment, alignment))
        out.append(HandScores(recording.name, recording.view, side, frames, valid, joints))
    return out


def score_contacts(recording: Recording, found: Prediction, protocol: Protocol) -> list[ContactScores]:
    """Fingertips that touch, found by the same detector in the truth and in the prediction.

    No dataset here says which fingers touch: the truth's contacts are those of its own hands and objects. A hand or an
    object that is not predicted touches nothing; predictions without any hand (of objects alone) are not scored.
    """
    count = recording.num_frames
    if not recording.hands or not recording.objects or not found.hands:
        return []
    objects = {name: _predicted(o, found.objects.get(name)) for name, o in recording.objects.items()}
    hands = {
        side: _fitted(found.hands[side], count)
        if side in found.hands
        else replace(h, valid=np.zeros(count, np.bool_))
        for side, h in recording.hands.items()
    }
    true, guess = detect_contacts(recording.objects, recording.hands), detect_contacts(objects, hands)
    tips = list(TIPS)
    scored = np.arange(count) % protocol.stride == 0
    scores = contact_f_score(
        np.moveaxis(guess.touching[:, :, tips], 0, 1)[scored],
        np.moveaxis(true.touching[:, :, tips], 0, 1)[scored],
        true.valid.T[scored],
        valid_estimated=guess.valid.T[scored],
    )
    inside = -guess.distance[:, :, tips][guess.valid & true.valid & scored]
    depth = float(inside[inside > 0].mean()) if (inside > 0).any() else 0.0
    return [
        ContactScores(
            recording.name,
            recording.view,
            scores.pooled_precision,
            scores.pooled_recall,
            scores.pooled_f_score,
            depth,
            int((true.valid.any(0) & scored).sum()),
        )
    ]


def _predicted(truth: RigidObject, predicted: ObjectPrediction | None) -> RigidObject:
    """Place an object at its predicted poses; without a prediction, in no frame."""
    count = len(truth.valid)
    if predicted is None:
        track = PoseTrack(truth.camera_from_object, np.zeros(count, np.bool_), np.zeros(count))
        return RigidObject(truth.name, truth.mesh, track)
    track = PoseTrack(predicted.camera_from_object, predicted.valid, np.ones(count))
    return RigidObject(truth.name, predicted.mesh or truth.mesh, track)


def _fitted(hand: HandTrack, count: int) -> HandTrack:
    """A hand of exactly ``count`` frames; frames that are missing are not valid."""
    if len(hand) == count:
        return hand
    n = min(len(hand), count)

    def grown(values: NDArray[Any]) -> NDArray[Any]:
        out = np.zeros((count, *values.shape[1:]), values.dtype)
        out[:n] = values[:n]
        return out

    return HandTrack(
        hand.side,
        grown(hand.joints),
        grown(hand.joints_2d),
        grown(hand.valid),
        grown(hand.bridged),
        grown(hand.confidence),
        hand.bone_lengths,
        hand.scale_source,
    )
