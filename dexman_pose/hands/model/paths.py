"""Evidence about how joints move from frame to frame, in a frame that may move itself.

A path term takes differences over time of joints as they are seen from another frame: second differences in the
camera's frame are accelerations, first differences in an object's frame are slip. Frames that a difference joins lie at
most two apart, so that all unknowns of a clip make one banded system.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.hands.model.quadratic import JointQuadratic, by_finger

REACH = 2
"""Most frames between two that one difference joins."""


@dataclass(frozen=True)
class JointPath:
    """Differences over time of joints in a frame of their own; each should be 0.

    Attributes:
        frame_from_joints: (T, 4, 4) the frame in which joints should move smoothly, from that of the joints.
        first: (R,) index of the first frame of each difference, rising.
        stencil: (K,) coefficients of the frames from ``first`` on, at most three of them.
        weight: (R, 21) one over the standard deviation in metres, 0 for joints that are not concerned.
    """

    frame_from_joints: Array
    first: NDArray[np.intp]
    stencil: tuple[float, ...]
    weight: Array

    def residual(self, joints: Array) -> Array:
        """(R, 21, 3) differences of joints (T, 21, 3) over their standard deviations."""
        seen = joints @ np.swapaxes(self._turn, 1, 2) + self.frame_from_joints[:, None, :3, 3]
        total = sum(c * seen[self.first + k] for k, c in enumerate(self.stencil))
        out: Array = self.weight[..., None] * total
        return out

    def add_to(self, onto: JointQuadratic, joints: Array) -> None:
        """Add what the differences say of each frame alone; :meth:`between` is the rest."""
        residual = self.residual(joints)
        onto.cost += 0.5 * float((residual**2).sum())
        residual *= self.weight[..., None]
        by_frame = np.zeros((len(joints), 21, 3))
        for k, c in enumerate(self.stencil):
            by_frame[self.first + k] += c * residual
        onto.gradient += by_frame @ self._turn
        axis = np.arange(3)
        onto.own[:, :, axis, axis] += self._joined(0)[..., None]

    def between(self, by: Array, apart: int) -> Array | None:
        """Curvature between frames so many apart.

        Args:
            by: (T, 5, 5, 3, P) derivatives of joints, finger by finger.
            apart: 1 or more.

        Returns:
            (T - apart, 5, P, P) per finger, rows of the earlier frame, columns of the later; None for none.
        """
        if apart >= len(self.stencil) or len(by) <= apart:
            return None
        frames, fingers, points, axes, count = by.shape
        turn = self._turn
        if not (turn == turn[0]).all():  # else both turns make one rotation, which changes nothing
            by = turn[:, None, None] @ by
        rows = by.reshape(frames, fingers, points * axes, count)
        weight = by_finger(self._joined(apart)[:-apart])
        later = (weight[..., None, None] * by[apart:]).reshape(frames - apart, fingers, points * axes, count)
        out: Array = np.swapaxes(rows[:-apart], -1, -2) @ later
        return out

    @property
    def _turn(self) -> Array:
        return self.frame_from_joints[:, :3, :3]

    def _joined(self, apart: int) -> Array:
        """(T, 21) how strongly each joint is tied to itself so many frames later."""
        out = np.zeros((len(self.frame_from_joints), 21))
        square = self.weight**2
        for k in range(len(self.stencil) - apart):
            out[self.first + k] += self.stencil[k] * self.stencil[k + apart] * square
        return out
