"""Where a hand that moves takes an object along: a first guess of a held object's pose where it is lost.

Fingers shift, and a detector's hand is off by some ten or twenty degrees: such a pose is one to begin at, no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, HandObservations, HandTrack
from dexman_pose.data.tracks import SIDES
from dexman_pose.geometry.align import kabsch

_LEAST_SPREAD = 1e-6
"""Pixels or metres; a hand that is smaller is none."""


def placed_hands(
    hands: Mapping[str, HandTrack] | HandObservations | None, frame: int, camera: Camera
) -> dict[str, Array]:
    """(21, 3) joints in the camera frame of every hand in a frame, by side; of detected hands up to a factor."""
    if hands is None:
        return {}
    if isinstance(hands, HandObservations):
        there = hands.detected[frame] | hands.bridged[frame]
        found = {
            SIDES[k]: _placed(hands.joints_2d[frame, k], hands.joints_local[frame, k], camera)
            for k in np.nonzero(there)[0]
        }
        return {side: joints for side, joints in found.items() if joints is not None}
    return {side: hand.joints[frame] for side, hand in hands.items() if hand.valid[frame]}


def _placed(pixels: Array, local: Array, camera: Camera) -> Array | None:
    """(21, 3) the detector's own metric guess, put where it looks as large as it was seen."""
    rays = camera.unproject(pixels, np.ones(len(pixels)))[:, :2]
    seen, guess = rays - rays.mean(0), local[:, :2] - local[:, :2].mean(0)
    if min(np.abs(seen).max(), np.abs(guess).max()) < _LEAST_SPREAD:
        return None
    distance = float(np.sqrt((guess**2).sum() / (seen**2).sum()))
    middle = np.append(rays.mean(0), 1.0) * distance
    out: Array = local - local.mean(0) + middle
    return out


def carried(pose: Array, then: Array, now: Array, center: Array) -> Array:
    """The pose (4, 4) of an object that moved rigidly with a hand.

    Args:
        pose: (4, 4) camera_from_object as it was.
        then: (21, 3) joints of the hand as they were, camera frame, up to a factor.
        now: (21, 3) as they are, up to the same factor.
        center: (3,) the object's centre in its own frame, metres: the hand is taken to be as far away.
    """
    factor = (pose[2, :3] @ center + pose[2, 3]) / then[:, 2].mean()
    out: Array = kabsch(factor * then, factor * now) @ pose
    return out


@dataclass
class CarriedObject:
    """Remembers where hands were when an object was last seen.

    Attributes:
        center: (3,) the object's centre in its own frame, metres.
        radius: metres.
        reach: radii of the object within which some joint of a hand must be, across the line of sight.
        nearer: factor by which an object is taken to have come nearer at most, or gone away: a hand's size in the
            picture tells its distance badly.
    """

    center: Array
    radius: float
    reach: float = 1.3
    nearer: float = 1.2
    _pose: Array | None = None
    _hands: dict[str, Array] = field(default_factory=dict)
    _latest: dict[str, Array] = field(default_factory=dict)

    def note(self, pose: Array, hands: Mapping[str, Array]) -> None:
        """Remember a pose (4, 4) that is believed, and the hands (21, 3) near it."""
        self._pose, self._latest = pose, {}
        middle = pose[:3, :3] @ self.center + pose[:3, 3]
        near = self.reach * self.radius / middle[2]
        self._hands = {
            side: joints
            for side, joints in hands.items()
            if np.linalg.norm(joints[:, :2] / joints[:, 2:] - middle[:2] / middle[2], axis=1).min() < near
        }

    def guesses(self, hands: Mapping[str, Array]) -> tuple[Array, ...]:
        """Poses (4, 4) to which the hands (21, 3) that were near have taken the object, as far as they were seen."""
        if self._pose is None:
            return ()
        for side, then in self._hands.items():
            if side in hands:
                self._latest[side] = self._in_reach(carried(self._pose, then, hands[side], self.center))
        return tuple(self._latest.values())

    def _in_reach(self, guess: Array) -> Array:
        """A guess (4, 4) at a distance that is likely, where it is in the picture."""
        assert self._pose is not None
        there = guess[:3, :3] @ self.center + guess[:3, 3]
        before = float(self._pose[2, :3] @ self.center + self._pose[2, 3])
        ratio = float(np.clip(there[2] / before, 1.0 / self.nearer, self.nearer)) * before / there[2]
        out = guess.copy()
        out[:3, 3] += (ratio - 1.0) * there
        return out
