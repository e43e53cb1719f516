"""Hands that come for a thing, lie still and leave again, told by what is seen across the line of sight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import HandTrack, RigidObject
from dexman_pose.geometry.se3 import transform_points

Flags = NDArray[np.bool_]

_PALM = (0, 5, 9, 13, 17)


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


def seen_palm(hand: HandTrack) -> Array:
    """(T, 2) the palm's place across the line of sight, metres at its own usual distance."""
    return _across(hand.joints[:, list(_PALM)].mean(1), hand.valid)


def _across(points: Array, valid: Flags) -> Array:
    """(T, 2) places of points (T, 3) across the line of sight, metres at their usual distance."""
    usual = float(np.median(points[valid, 2])) if valid.any() else 1.0
    out: Array = points[:, :2] / np.maximum(points[:, 2:], np.finfo(float).eps) * usual
    return out


def seen_middle(thing: RigidObject) -> Array:
    """(T, 2) the same of an object's middle."""
    middle = transform_points(thing.camera_from_object, thing.mesh.center[None])[:, 0]
    return _across(middle, thing.valid)


def half_window(frame_times: Array, o: RestingOptions) -> int:
    """Frames in half the window over which motion is measured."""
    step = float(np.median(np.diff(frame_times))) if len(frame_times) > 1 else o.window
    return max(round(0.5 * o.window / step), 1)


def lies_still(places: Array, frame_times: Array, o: RestingOptions) -> Flags:
    """(T,) what is seen at places (T, 2) is not on its way."""
    count, half = len(places), half_window(frame_times, o)
    if count < 2:
        return np.ones(count, np.bool_)
    frames = np.arange(count)
    before, after = np.maximum(frames - half, 0), np.minimum(frames + half, count - 1)
    out: Flags = np.linalg.norm(places[after] - places[before], axis=1) < o.moving
    return out


def came_and_left(frames: NDArray[np.intp], hand: HandTrack, o: RestingOptions) -> bool:
    """Whether the hand was elsewhere both before and after."""
    palm = seen_palm(hand)
    away = (np.linalg.norm(palm - np.median(palm[frames], axis=0), axis=1) > o.way) & hand.valid
    return bool(away[: frames[0]].any() and away[frames[-1] + 1 :].any())
