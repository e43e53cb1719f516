"""Poses of an object over short gaps in its track, for questions that a roughly right pose answers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import PoseTrack, RigidObject
from dexman_pose.geometry.se3 import interpolate

LEAST_CONFIDENCE = 1e-3
"""Of a frame that may be used."""


def bridge_short_gaps(thing: RigidObject, frame_times: Array, longest: float) -> RigidObject:
    """The object with poses between those known, where two of them are no farther apart than ``longest`` seconds.

    Args:
        thing: with frames that are not valid.
        frame_times: (T,) seconds.
        longest: seconds between the valid frames before and after a gap.
    """
    known = np.flatnonzero(thing.valid)
    poses, valid = thing.camera_from_object.copy(), thing.valid.copy()
    for before, after in pairwise(known):
        span = frame_times[after] - frame_times[before]
        inside = np.arange(before + 1, after)
        if not len(inside) or span > longest:
            continue
        share = (frame_times[inside] - frame_times[before]) / span
        poses[inside] = interpolate(poses[before], poses[after], share)
        valid[inside] = True
    confidence = np.where(
        valid & ~thing.valid, np.maximum(thing.confidence, LEAST_CONFIDENCE), thing.confidence
    )
    return replace(thing, track=PoseTrack(poses, valid, confidence))
