"""Evidence about a thing that stays as it is, from all the frames in which it is seen from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.hands.model.quadratic import JointQuadratic
from dexman_pose.hands.model.system import JointEvidence


@dataclass(frozen=True)
class SeenFrom:
    """Joints that rest in a frame of their own, asked about in K frames that see it from K places.

    Attributes:
        places: (K, 4, 4) frames_from_rest.
        term: evidence about joints (K, 21, 3).
        weight: of each frame; less than 1 where errors of all frames are alike.
    """

    places: Array
    term: JointEvidence
    weight: float = 1.0

    def residuals(self, joints: Array) -> Array:
        """(1, K M) of joints (1, 21, 3) at rest."""
        each = self.term.residuals(carried(joints, self.places))
        return np.sqrt(self.weight) * each.reshape(1, -1)

    def __call__(self, joints: Array) -> JointQuadratic:
        """What all frames say of joints (1, 21, 3) at rest."""
        found, turn = self.term(carried(joints, self.places)), self.places[:, None, :3, :3]
        back, w = np.swapaxes(turn, -1, -2), self.weight

        def summed(blocks: Array) -> Array:
            out: Array = w * (back @ blocks @ turn).sum(0, keepdims=True)
            return out

        gradient = w * (back @ found.gradient[..., None])[..., 0].sum(0, keepdims=True)
        palm = None if found.palm is None else summed(found.palm[:, None])[:, 0]
        return JointQuadratic(w * found.cost, gradient, summed(found.own), summed(found.bones), palm)


def carried(joints: Array, places: Array) -> Array:
    """(K, 21, 3) joints (1, 21, 3) that rest in a frame, seen from places (K, 4, 4), ``frames_from_rest``."""
    out: Array = joints @ np.swapaxes(places[:, :3, :3], 1, 2) + places[:, None, :3, 3]
    return out
