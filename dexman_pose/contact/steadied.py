"""Hands that hold what they do not move: a thing in its place, or what another hand holds out to them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from dexman_pose.arrays import Array, runs
from dexman_pose.contact.coming import RestingOptions, came_and_left, lies_still, seen_palm
from dexman_pose.data import HandTrack, RigidObject
from dexman_pose.geometry.se3 import transform_points

Flags = NDArray[np.bool_]

_TIPS = (4, 8, 12, 16, 20)
_NEAREST = 1e-3  # metres before the camera, where a projection has no meaning any more


@dataclass(frozen=True)
class SteadiedOptions:
    """When a hand grips a thing that it does not move.

    Attributes:
        seconds: that it lies still on it, having come for it and leaving again.
        on: metres from its convex outline within which thumb and a finger are seen then, or in it.
        coming: when a hand lies still, and when it came and left.
        taking: seconds that a hand that holds nothing else closes on what another one holds, without moving on it.
    """

    seconds: float = 1.0
    on: float = 0.01
    coming: RestingOptions = field(default_factory=RestingOptions)
    taking: float = 0.2


def steadied(thing: RigidObject, hand: HandTrack, there: Flags, times: Array, o: SteadiedOptions) -> Flags:
    """(T,) frames in which a hand lies still on a thing in its place, for which it came and from which it leaves.

    Args:
        thing: the object.
        hand: the hand.
        there: (T,) it is near, and the object does not move.
        times: (T,) seconds.
        o: when that is a grip.
    """
    out = np.zeros_like(there)
    long = round(o.seconds / float(np.median(np.diff(times))))
    for first, stop in runs(there & lies_still(seen_palm(hand), times, o.coming)):
        frames = np.arange(first, stop)
        if len(frames) >= long and came_and_left(frames, hand, o.coming):
            out[frames] = _closes_on(thing, hand, frames, o)
    return out


def taken_over(
    thing: RigidObject, hand: HandTrack, there: Flags, other: Flags, times: Array, o: SteadiedOptions
) -> Flags:
    """(T,) frames in which a hand closes on what another one holds when it does so.

    Args:
        thing: the object.
        hand: the hand.
        there: (T,) it is near, holds nothing else, and does not move against the object.
        other: (T,) another hand grips that.
        times: (T,) seconds.
        o: when that is a grip.
    """
    out = np.zeros_like(there)
    long = round(o.taking / float(np.median(np.diff(times))))
    for first, stop in runs(there):
        if other[first] and stop - first >= long:
            out[first:stop] = _closes_on(thing, hand, np.arange(first, stop), o)
    return out


def _closes_on(thing: RigidObject, hand: HandTrack, frames: NDArray[np.intp], o: SteadiedOptions) -> bool:
    """Whether thumb and a finger are seen on a thing that stays in its place, or right beside its convex outline."""
    surface = transform_points(thing.camera_from_object[frames[len(frames) // 2]], thing.mesh.vertices)
    depth = float(surface[:, 2].mean())
    if surface[:, 2].min() < _NEAREST:
        return False
    tips = hand.joints[frames][:, list(_TIPS)]
    rays = np.median(tips[..., :2] / np.maximum(tips[..., 2:], _NEAREST), axis=0)
    try:
        sides = ConvexHull(surface[:, :2] / surface[:, 2:]).equations
    except QhullError:  # a thing seen from its edge has no outline
        return False
    off = depth * (rays @ sides[:, :2].T + sides[:, 2]).max(1)
    return bool(off[0] < o.on and off[1:].min() < o.on)
