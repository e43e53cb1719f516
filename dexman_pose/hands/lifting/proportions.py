"""Bone lengths of the person in the clip, from how long the bones are seen over all confident frames."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandObservations
from dexman_pose.hands.lifting.bones import AVERAGE_LENGTHS, bone_vectors, hand_length
from dexman_pose.hands.lifting.observation import Seen, seen_hand, start
from dexman_pose.hands.lifting.solver import LiftEvidence, solve

MIN_SCORE = 0.8
MAX_FRAMES = 120  # of both hands together: more say nothing new about lengths
# A bone seen longer or shorter than expected by this much from frame to frame (relative, robust) is trusted as
# much as the average adult's; a bone seen at less than this share of its length is too foreshortened to tell.
DOUBTFUL_SPREAD = 0.06
MIN_SEEN = 0.5
ROUNDS = 8


def estimate_lengths(observations: HandObservations, camera: Camera, hand_scale: float = 1.0) -> Array:
    """Bone lengths (21,) of the person's hands, the same for both, in metres; 0 for the wrist.

    With the bone directions that the detector guesses, each bone should be seen at a certain length; the median over
    the frames of seen to expected corrects its proportion. A bone seen ever differently (half hidden, or its
    direction guessed badly) is drawn to the average adult's. The overall size cannot be seen in one image: it is the
    average adult's times ``hand_scale``.

    Args:
        observations: of a whole clip.
        camera: intrinsics of the clip.
        hand_scale: 1 for an average adult.
    """
    sure = observations.detected & (observations.score >= MIN_SCORE)
    frames, sides = np.nonzero(sure if sure.any() else observations.valid)
    average = AVERAGE_LENGTHS * hand_scale
    if not len(frames):
        return average
    keep = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MAX_FRAMES)).astype(int))
    frames, sides = frames[keep], sides[keep]
    seen = seen_hand(observations.joints_2d[frames, sides], observations.joints_local[frames, sides], camera)
    lengths = average
    for _ in range(ROUNDS):
        middle, spread = _seen_to_expected(seen, lengths)
        trust = 1.0 / (1.0 + (spread / DOUBTFUL_SPREAD) ** 2)
        measured = lengths[1:] * middle
        blended = np.exp(trust * np.log(measured) + (1.0 - trust) * np.log(average[1:]))
        lengths = np.concatenate([[0.0], blended])
        lengths = lengths * (hand_length(average) / hand_length(lengths))
    return lengths


def _seen_to_expected(seen: Seen, lengths: Array) -> tuple[Array, Array]:
    """(20,) median and robust spread over the frames of each bone's seen length over that expected in the image."""
    n = len(seen.rays)
    rigid = LiftEvidence(
        rays=seen.rays,
        noise=0.03 * seen.size,
        directions=seen.directions,
        log_depth=np.zeros(n),
        depth_weight=np.zeros(n),
        runs=[],
        joint_noise=1e-4,
    )
    hands = solve(start(seen, lengths), rigid, lengths, iterations=6)
    joints = hands.joints(lengths)
    expected = np.linalg.norm(bone_vectors(joints[..., :2] / joints[..., 2:]), axis=-1)
    measured = np.linalg.norm(bone_vectors(seen.rays), axis=-1)
    full = lengths[1:] / joints[:, 1:, 2]
    clear = expected > MIN_SEEN * full
    ratio = np.where(clear, measured / np.maximum(expected, 1e-9), np.nan)
    enough = clear.sum(0) >= 3
    ratio[:, ~enough] = 1.0
    middle = np.clip(np.nanmedian(ratio, axis=0), 0.5, 2.0)
    spread = 1.4826 * np.nanmedian(np.abs(ratio - middle), axis=0)
    return middle, np.where(enough, spread, np.inf)
