"""What evidence says of the joints of a hand to second order: cost, gradient, and a sparse curvature.

Evidence hardly ever joins joints that are not neighbours along a finger, so that the curvature is kept as one 3x3 block
per joint, one per bone, and one for the middle of the palm. That is a tenth of the numbers of a full matrix, and none
of the rows of a Jacobian are ever written down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array

FINGERS, PER_FINGER = 5, 4
PALM_MEAN: tuple[int, ...] = (0, 5, 9, 13, 17)
"""Joints whose mean is the middle of the palm: the wrist and the knuckles."""


@dataclass
class JointQuadratic:
    """Half a sum of squares about joints (T, 21, 3), and its Gauss-Newton expansion there.

    Attributes:
        cost: half the sum of squares over all frames.
        gradient: (T, 21, 3).
        own: (T, 21, 3, 3) curvature of each joint.
        bones: (T, 20, 3, 3) between joint 1, 2, ... (rows) and its parent (columns).
        palm: (T, 3, 3) curvature of the mean of ``PALM_MEAN``, beside that of the joints; None for none.
    """

    cost: float
    gradient: Array
    own: Array
    bones: Array
    palm: Array | None = None

    @classmethod
    def none(cls, frames: int) -> JointQuadratic:
        """Nothing known, in T frames."""
        return cls(0.0, np.zeros((frames, 21, 3)), np.zeros((frames, 21, 3, 3)), np.zeros((frames, 20, 3, 3)))

    def add(self, other: JointQuadratic) -> None:
        """Take other evidence about the same joints in, too."""
        self.cost += other.cost
        self.gradient += other.gradient
        self.own += other.own
        self.bones += other.bones
        if other.palm is not None:
            self.palm = other.palm if self.palm is None else self.palm + other.palm

    def add_to_parents(self, curvature: Array) -> None:
        """Add blocks (T, 20, 3, 3), one per bone, to the curvature of the joints at which bones begin."""
        onto = self.own[:, 1:].reshape(-1, FINGERS, PER_FINGER, 3, 3)
        each = curvature.reshape(onto.shape)
        onto[:, :, :-1] += each[:, :, 1:]
        self.own[:, 0] += each[:, :, 0].sum(1)

    def mirrored(self, sign: Array) -> JointQuadratic:
        """The same about joints whose axes (3,) have other signs."""
        both = sign[:, None] * sign
        palm = None if self.palm is None else self.palm * both
        return JointQuadratic(self.cost, self.gradient * sign, self.own * both, self.bones * both, palm)


def by_finger(values: Array) -> Array:
    """(T, 5, 5, ...) of values (T, 21, ...): wrist and four joints of each finger; the wrist counts in one alone."""
    out = np.zeros((len(values), FINGERS, 1 + PER_FINGER, *values.shape[2:]))
    out[:, 0, 0] = values[:, 0]
    out[:, :, 1:] = values[:, 1:].reshape(len(values), FINGERS, PER_FINGER, *values.shape[2:])
    return out
