"""Sizes of objects that nothing else tells: what a hand holds in its place is where thumb and a finger close on it.

An object that nobody moves has no hold that sizes it. But a hand that comes, lies still on it and leaves again came for
it: of all sizes and distances that look the same, that one is right at which thumb and a finger touch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs
from dexman_pose.contact.coming import RestingOptions, came_and_left, lies_still, seen_middle, seen_palm
from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.contact.distance import signed_distance
from dexman_pose.contact.motion import near_object
from dexman_pose.contact.phase_options import PhaseOptions
from dexman_pose.data import HandTrack, RigidObject
from dexman_pose.data.world.sizing import sized
from dexman_pose.geometry.se3 import inverse, transform_points

_TIPS = (4, 8, 12, 16, 20)


@dataclass(frozen=True)
class TouchedSizeOptions:
    """When a hand tells the size of what it holds in its place.

    Attributes:
        seconds: that it lies still on it.
        still: metres across the line of sight that the object may seem to move in the whole clip.
        reach: largest change of the size that is tried, in its logarithm.
        steps: changes that are tried.
        closed: metres between the surface and the skin of thumb and the nearest finger, the middle over the frames,
            within which they touch.
        clearer: metres by which sizes that differ plainly have to fit worse.
        apart: by how much sizes differ plainly, in their logarithm.
        frames: that are looked at, at most.
    """

    seconds: float = 1.0
    still: float = 0.01
    reach: float = 0.3
    steps: int = 61
    closed: float = 0.008
    clearer: float = 0.01
    apart: float = 0.1
    frames: int = 12


def sized_by_touch(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    frame_times: Array,
    options: TouchedSizeOptions | None = None,
    phases: PhaseOptions | None = None,
    resting: RestingOptions | None = None,
) -> dict[str, RigidObject]:
    """Size objects of unknown size that stay in their place by the hand that holds them there.

    Args:
        objects: by name; only those of unknown size are looked at.
        hands: by side, metric.
        frame_times: (T,) seconds.
        options: when a hand tells.
        phases: when it is on an object.
        resting: when it lies still, and when it came and left.

    Returns:
        All objects; those that were sized have the ``scale_source`` ``contact``.
    """
    o, p, r = options or TouchedSizeOptions(), phases or PhaseOptions(), resting or RestingOptions()
    out = dict(objects)
    for name, thing in objects.items():
        if thing.scale_source != "unknown" or not _stays(thing, o):
            continue
        told = [c for hand in hands.values() if (c := _change(thing, hand, frame_times, o, p, r)) is not None]
        if told:
            out[name] = sized(thing, float(np.exp(np.median(told))), "contact")
    return out


def _stays(thing: RigidObject, o: TouchedSizeOptions) -> bool:
    """Whether the object is in one place throughout."""
    if not thing.valid.any():
        return False
    seen = seen_middle(thing)[thing.valid]
    return bool(np.linalg.norm(seen - np.median(seen, axis=0), axis=1).max() < o.still)


def _change(
    thing: RigidObject,
    hand: HandTrack,
    times: Array,
    o: TouchedSizeOptions,
    p: PhaseOptions,
    r: RestingOptions,
) -> float | None:
    """Logarithm of the factor on the object's size at which the hand closes on it; None where it tells none."""
    there = near_object(thing, hand, replace(p, deep=np.inf)) & lies_still(seen_palm(hand), times, r)
    long = round(o.seconds / float(np.median(np.diff(times))))
    chosen = [
        np.arange(first, stop)
        for first, stop in runs(there)
        if stop - first >= long and came_and_left(np.arange(first, stop), hand, r)
    ]
    if not chosen:
        return None
    frames = np.concatenate(chosen)
    frames = frames[np.unique(np.linspace(0, len(frames) - 1, o.frames).round().astype(int))]
    changes = np.linspace(-o.reach, o.reach, o.steps)
    open_ = np.array([_open(thing, hand, frames, float(np.exp(change))) for change in changes])
    best = int(open_.argmin())
    others = open_[np.abs(changes - changes[best]) > o.apart]
    if open_[best] > o.closed or others.min() < open_[best] + o.clearer:
        return None
    return float(changes[best])


def _open(thing: RigidObject, hand: HandTrack, frames: NDArray[np.intp], factor: float) -> float:
    """Metres by which thumb and nearest finger are off the surface of the object made larger by a factor."""
    tips = hand.joints[frames][:, list(_TIPS)] / factor  # a smaller hand before the object as it is
    inside = transform_points(inverse(thing.camera_from_object[frames]), tips)
    away = signed_distance(thing.mesh, inside.reshape(-1, 3)).distance.reshape(inside.shape[:2])
    gaps = np.abs(factor * away - JOINT_RADIUS[list(_TIPS)])
    middle = np.median(gaps, axis=0)
    return float(max(middle[0], middle[1:].min()))
