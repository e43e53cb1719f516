"""Hands whose joints were measured in space, by other means than a picture: they are evidence as they are.

Each joint counts by all that it is off by. That joints of one hand err alike counts where the hand as a whole tells
where something else is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import HandTrack
from dexman_pose.hands.lifting.bones import bone_vectors
from dexman_pose.hands.mediapipe.roi import hand_size
from dexman_pose.hands.model.evidence import MARKS, kept_short
from dexman_pose.hands.model.quadratic import JointQuadratic
from dexman_pose.interaction.hand_picture import HandPicture
from dexman_pose.interaction.options import GripOptions, PlacedOptions
from dexman_pose.interaction.steady.trembling import trembling_joints


@dataclass(frozen=True)
class PlacedJoints:
    """Measured joints of a hand as evidence.

    Attributes:
        joints: (T, 21, 3) metres, camera frame.
        single: (T,) metres along an axis, by which a joint is off for itself.
        whole: (T,) metres along an axis, by which all are off together.
        reach: standard deviations at which a joint is let go of.
    """

    joints: Array
    single: Array
    whole: Array
    reach: float

    @classmethod
    def of(cls, track: HandTrack, sigma: float | None, o: PlacedOptions) -> PlacedJoints:
        """Of the valid frames of a track.

        Args:
            track: joints in space.
            sigma: metres, standard deviation of a joint along an axis; None to tell it by how much they tremble.
            o: how errors are shared out.
        """
        if sigma is None:
            sigma = max(o.slow * trembling_joints(track.joints, track.valid & ~track.bridged), o.least)
        factor = np.where(track.bridged[track.valid], o.bridged, 1.0)
        each = np.sqrt(1.0 - o.alike) * sigma * factor
        return cls(track.joints[track.valid], each, np.sqrt(o.alike) * sigma * factor, o.reach)

    def at(self, chosen: NDArray[np.intp]) -> PlacedJoints:
        """In some of the frames."""
        return PlacedJoints(self.joints[chosen], self.single[chosen], self.whole[chosen], self.reach)

    @property
    def information(self) -> Array:
        """(T, 3, 3) of where the hand is as a whole, one over square metres."""
        square = self.whole**2 + self.single**2 / self.joints.shape[1]
        out: Array = np.eye(3) / square[:, None, None]
        return out

    def residuals(self, joints: Array) -> Array:
        """(T, 63), over their standard deviations."""
        return kept_short(self._off(joints), self.reach)[0].reshape(len(joints), -1)

    def __call__(self, joints: Array) -> JointQuadratic:
        """What the measurements say of the joints."""
        value, change = kept_short(self._off(joints), self.reach)
        change = change / self._sigma[:, None, None, None]  # symmetric
        out = JointQuadratic.none(len(joints))
        out.cost = 0.5 * float((value**2).sum())
        out.gradient = (change @ value[..., None])[..., 0]
        out.own += change @ change
        return out

    def _off(self, joints: Array) -> Array:
        out: Array = (joints - self.joints) / self._sigma[:, None, None]
        return out

    @property
    def _sigma(self) -> Array:
        """(T,) metres along an axis, by which a joint is off in all."""
        out: Array = np.hypot(self.single, self.whole)
        return out


def placed_hand(
    track: HandTrack, times: Array, options: GripOptions | None = None, *, sigma: float | None = None
) -> HandPicture:
    """What measured joints of a hand say of it, in place of a picture.

    Args:
        track: joints in space; bridged frames count less.
        times: (T,) seconds.
        options: how.
        sigma: metres, standard deviation of a joint along an axis; left out, it is told by how much joints tremble.
    """
    o = options or GripOptions()
    frames = np.flatnonzero(track.valid)
    joints = track.joints[frames]
    marks = MARKS @ joints
    rays = marks[..., :2] / marks[..., 2:]
    bones = bone_vectors(joints)
    directions = bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), np.finfo(float).eps)
    return HandPicture(
        track.side,
        frames,
        joints,
        rays,
        hand_size(rays),
        np.where(track.bridged[frames], o.picture.bridged, 1.0),
        directions,
        np.full(len(frames), o.picture.guess),
        True,
        True,
        float(np.median(np.diff(times))) if len(times) > 1 else 1.0,
        placed=PlacedJoints.of(track, sigma, o.placed),
    )
