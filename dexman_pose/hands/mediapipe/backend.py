"""The default hand detector: the two networks of MediaPipe's HandLandmarker, with our own tracking around them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.clip import Clip
from dexman_pose.data.model_store import locate
from dexman_pose.data.tracks import HandObservations
from dexman_pose.hands.identity import assign_sides
from dexman_pose.hands.lifting import filling
from dexman_pose.hands.mediapipe import roi as regions
from dexman_pose.hands.mediapipe.landmarks import LandmarkDetector, Sighting
from dexman_pose.hands.mediapipe.network import load_bundle
from dexman_pose.hands.mediapipe.palm import PalmDetector
from dexman_pose.hands.mediapipe.tracking import Detectors, Tracklet, track_backward, track_forward
from dexman_pose.progress import progress

MODEL = "mediapipe-hands"
BRIDGE_SECONDS = 0.35
# Frame-to-frame jitter of the landmark network on still hands, in palm lengths (measured: 0.001 to 0.009).
JITTER = 0.01


def detect(
    clip: Clip,
    *,
    model: str | Path | None = None,
    threads: int = 1,
    bridge_seconds: float = BRIDGE_SECONDS,
    smooth: bool = True,
) -> HandObservations:
    """Hands of a clip with MediaPipe's networks; see :func:`dexman_pose.hands.detect_hands`.

    Args:
        clip: the video.
        model: a ``hand_landmarker.task`` bundle; None takes the one in the model store.
        threads: CPU threads of a network per image; see :mod:`dexman_pose.threads`.
        bridge_seconds: longest gap that is interpolated.
        smooth: take frame-to-frame jitter off.
    """
    networks = load_bundle(locate(MODEL) if model is None else model, threads=threads)
    detectors = Detectors(
        PalmDetector(networks.palm), LandmarkDetector(networks.landmark, networks.landmarks)
    )
    tracklets = track_forward(progress(clip.frames(), "hands", total=clip.num_frames), detectors)
    track_backward(
        lambda stop: progress(clip.frames(0, stop, reverse=True), "hands, back", total=stop),
        detectors,
        tracklets,
    )
    sides = assign_sides(tracklets)
    observed = gather(tracklets, sides, clip.num_frames)
    return finish(observed, np.asarray(clip.frame_times), bridge_seconds=bridge_seconds, smooth=smooth)


def gather(tracklets: list[Tracklet], sides: list[int], num_frames: int) -> HandObservations:
    """Sightings of the assigned tracklets as arrays; where two of one side meet, the clearer one counts."""
    joints = np.zeros((num_frames, 2, 21, 2))
    local = np.zeros((num_frames, 2, 21, 3))
    score = np.zeros((num_frames, 2))
    for side in range(2):
        mine = [t for t, s in zip(tracklets, sides) if s == side]
        for frame, seen in _one_per_frame(mine).items():
            joints[frame, side], local[frame, side] = seen.joints, seen.local
            score[frame, side] = min(seen.presence, 1.0)
    nothing = np.zeros((num_frames, 2), dtype=bool)
    return HandObservations(joints, local, score > 0, nothing, score)


def _one_per_frame(tracklets: list[Tracklet]) -> dict[int, Sighting]:
    """One side's sightings by frame. In all frames two tracklets share, that with more presence there is kept."""
    owner: dict[int, Tracklet] = {}
    for tracklet in sorted(tracklets, key=lambda t: -len(t.seen)):
        shared = [f for f in tracklet.seen if f in owner]
        ours = sum(tracklet.seen[f].presence for f in shared)
        theirs = sum(owner[f].seen[f].presence for f in shared)
        owner.update({f: tracklet for f in tracklet.seen if f not in owner or ours > theirs})
    return {f: t.seen[f] for f, t in owner.items()}


def finish(
    seen: HandObservations, times: Array, *, bridge_seconds: float = BRIDGE_SECONDS, smooth: bool = True
) -> HandObservations:
    """Bridge short gaps, take jitter off, and let frames without a hand hold the nearest one."""
    joints, local = seen.joints_2d.copy(), seen.joints_local.copy()
    bridged, score = seen.bridged.copy(), seen.score.copy()
    for side in range(2):
        known = seen.detected[:, side]
        gaps = filling.short_gaps(known, times, bridge_seconds)
        bridged[:, side] = gaps
        valid = known | gaps
        j, p = (filling.interpolate(a[:, side], known, gaps, times) for a in (joints, local))
        score[:, side] = filling.interpolate(score[:, side], known, gaps, times) * np.where(gaps, 0.5, 1.0)
        if smooth:
            j = filling.smooth(j, valid, np.maximum(JITTER * regions.hand_size(j), 1e-6))
            p = filling.smooth(p, valid, JITTER * 0.09)
        joints[:, side], local[:, side] = filling.hold(j, valid), filling.hold(p, valid)
    return HandObservations(joints, local, seen.detected, bridged, score)
