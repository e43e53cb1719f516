"""Hands that rest beside a thing: a gap of millimetres is within the error of their distance, and no touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs
from dexman_pose.contact.phases import Handling
from dexman_pose.data import Contacts, HandTrack, RigidObject
from dexman_pose.geometry.se3 import transform_points

Flags = NDArray[np.bool_]

_PALM = (0, 5, 9, 13, 17)
_FINGERS = 5


@dataclass(frozen=True)
class RestingOptions:
    """When a hand rests, and when it came for a thing.

    Attributes:
        window: seconds over which motion is measured.
        moving: metres across the line of sight that the palm moves in the window from which on it is on its way.
        way: metres across the line of sight that a hand comes from, and leaves to, at least.
    """

    window: float = 0.3
    moving: float = 0.02
    way: float = 0.025


def without_resting_touches(
    contacts: Contacts,
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    handled: Sequence[Handling],
    frame_times: Array,
    options: RestingOptions | None = None,
) -> Contacts:
    """Take away the touches of hands that rest beside what they do not take.

    A touch that stands is one of a thing the hand grips (``handled``), one of thumb and another finger at once, or one
    of a hand that came, lay still and left again. Taken away are those of hands that lie still from the clip's start,
    or to its end, with one side near a thing, and of hands that pass a thing that does not move.

    Args:
        contacts: by distance.
        objects: by name.
        hands: by side.
        handled: who holds what, and when.
        frame_times: (T,) seconds.
        options: what counts as still.

    Returns:
        Contacts with fewer touches, or as many.
    """
    o = options or RestingOptions()
    touching = contacts.touching.copy()
    for pair, (side, name) in enumerate(contacts.pairs):
        gripped = np.zeros(touching.shape[1], np.bool_)
        for h in handled:
            if (h.side, h.name) == (side, name):
                gripped |= h.gripped
        loose = touching[pair].any(1) & ~gripped & ~_opposed(touching[pair])
        still = _still(_seen_palm(hands[side]), frame_times, o)
        passing = ~still & _still(_seen_middle(objects[name]), frame_times, o)
        half, stays = _half_window(frame_times, o), np.zeros_like(still)
        for start, stop in runs(touching[pair].any(1) & still):
            frames = np.arange(start, stop)
            if gripped[frames].any() or _came_and_left(frames, hands[side], o):
                # Motion is measured over a window: where a hand comes to rest it seems to be on its way still.
                stays[max(frames[0] - half, 0) : frames[-1] + half + 1] = True
        touching[pair, loose & (passing | still) & ~stays] = False
    return replace(contacts, touching=touching)


def _opposed(touching: Flags) -> Flags:
    """(F,) of flags (F, 21): thumb and another finger touch."""
    fingers = np.stack([touching[:, 2 + 4 * f : 5 + 4 * f].any(1) for f in range(_FINGERS)], axis=1)
    out: Flags = fingers[:, 0] & fingers[:, 1:].any(1)
    return out


def _seen_palm(hand: HandTrack) -> Array:
    """(T, 2) the palm's place across the line of sight, metres at its own usual distance."""
    return _across(hand.joints[:, list(_PALM)].mean(1), hand.valid)


def _across(points: Array, valid: Flags) -> Array:
    """(T, 2) places of points (T, 3) across the line of sight, metres at their usual distance."""
    usual = float(np.median(points[valid, 2])) if valid.any() else 1.0
    out: Array = points[:, :2] / np.maximum(points[:, 2:], np.finfo(float).eps) * usual
    return out


def _seen_middle(thing: RigidObject) -> Array:
    """(T, 2) the same of an object's middle."""
    middle = transform_points(thing.camera_from_object, thing.mesh.center[None])[:, 0]
    return _across(middle, thing.valid)


def _half_window(frame_times: Array, o: RestingOptions) -> int:
    """Frames in half the window over which motion is measured."""
    step = float(np.median(np.diff(frame_times))) if len(frame_times) > 1 else o.window
    return max(round(0.5 * o.window / step), 1)


def _still(places: Array, frame_times: Array, o: RestingOptions) -> Flags:
    """(T,) what is seen at places (T, 2) is not on its way."""
    count, half = len(places), _half_window(frame_times, o)
    if count < 2:
        return np.ones(count, np.bool_)
    frames = np.arange(count)
    before, after = np.maximum(frames - half, 0), np.minimum(frames + half, count - 1)
    out: Flags = np.linalg.norm(places[after] - places[before], axis=1) < o.moving
    return out


def _came_and_left(frames: NDArray[np.intp], hand: HandTrack, o: RestingOptions) -> bool:
    """Whether the hand was elsewhere both before and after."""
    palm = _seen_palm(hand)
    away = (np.linalg.norm(palm - np.median(palm[frames], axis=0), axis=1) > o.way) & hand.valid
    return bool(away[: frames[0]].any() and away[frames[-1] + 1 :].any())
