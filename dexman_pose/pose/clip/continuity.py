"""Frames of a solved track that no object can have moved through, and poses that left what was measured."""

from __future__ import annotations

import logging

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import PoseTrack
from dexman_pose.geometry import rotation_angle
from dexman_pose.pose.clip.options import ContinuityOptions

_log = logging.getLogger(__name__)


def connected_frames(
    track: PoseTrack, center: Array, frame_times: Array, options: ContinuityOptions
) -> Bools:
    """Mark the valid frames that an object can have passed one after the other.

    The valid frames are cut into runs wherever the motion from one to the next is faster than a hand's. While there is
    such a cut, the run that is held up by least (sum of confidence) goes if it is short; else the frames on both sides
    of every cut go, for nothing tells which of two long runs is wrong. What remains may jump only over a gap that is
    long enough for it.

    Args:
        track: poses without jumps within their symmetry.
        center: (3,) the object's centre in its own frame, metres.
        frame_times: (T,) seconds.
        options: limits of motion.

    Returns:
        (T,) a part of ``track.valid``.
    """
    valid = track.valid.copy()
    while True:
        frames = np.nonzero(valid)[0]
        cuts = np.nonzero(_too_fast(track.camera_from_object[frames], center, frame_times[frames], options))[
            0
        ]
        if len(cuts) == 0:
            return valid
        runs = np.split(frames, cuts + 1)
        support = [float(track.confidence[run].sum()) for run in runs]
        weakest = runs[int(np.argmin(support))]
        if frame_times[weakest[-1]] - frame_times[weakest[0]] <= options.longest:
            valid[weakest] = False
        else:
            valid[frames[cuts]] = valid[frames[cuts + 1]] = False


def _too_fast(poses: Array, center: Array, times: Array, options: ContinuityOptions) -> Bools:
    """(N - 1,) whether the motion from one pose to the next exceeds either limit."""
    lasted = np.diff(times)
    moved = np.linalg.norm(np.diff(poses[:, :3, :3] @ center + poses[:, :3, 3], axis=0), axis=1)
    turned = rotation_angle(np.swapaxes(poses[:-1, :3, :3], 1, 2) @ poses[1:, :3, :3])
    return np.asarray((moved > options.speed * lasted) | (turned > options.turn_rate * lasted), bool)


def moved_frames(before: Array, after: Array, center: Array, shift: float, turn: float) -> Bools:
    """(T,) frames in which two tracks (T, 4, 4) differ by more than ``shift`` metres or ``turn`` radians."""
    off = (after[:, :3, :3] - before[:, :3, :3]) @ center + after[:, :3, 3] - before[:, :3, 3]
    angle = rotation_angle(np.swapaxes(before[:, :3, :3], 1, 2) @ after[:, :3, :3])
    return np.asarray((np.linalg.norm(off, axis=1) > shift) | (angle > turn), bool)
