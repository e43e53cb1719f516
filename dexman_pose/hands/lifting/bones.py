"""How long the bones of a hand are: constant over a clip, measured where they can be, an adult's average elsewhere."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import JOINT_PARENTS

PARENTS = np.array(JOINT_PARENTS)
BONES = np.arange(1, 21)
"""Joint at the far end of each of the 20 bones."""

# Metres from each joint to its parent in an average adult, between the points the landmark network marks in the
# image: medians over the hands of eleven clips, scaled to an adult's hand and close to what anatomists measure
# (Buryanov and Kotiuk, "Proportions of Hand Segments", 2010). The network's own metric guess has shorter first
# phalanges and longer palms than what it marks, so its lengths are not used. From wrist to the tip of the middle
# finger 0.181 m.
AVERAGE_LENGTHS: Array = np.array(
    [0.0]
    + [0.037, 0.036, 0.032, 0.025]
    + [0.088, 0.040, 0.025, 0.022]
    + [0.086, 0.044, 0.028, 0.023]
    + [0.081, 0.040, 0.026, 0.022]
    + [0.077, 0.031, 0.019, 0.018]
)


def bone_vectors(joints: Array) -> Array:
    """(..., 20, 3) from each joint's parent to the joint, for joints (..., 21, 3)."""
    vectors: Array = joints[..., BONES, :] - joints[..., PARENTS[BONES], :]
    return vectors


def ancestry() -> Array:
    """(21, 20) with 1 where a bone lies between the wrist and a joint: joints = wrist + ancestry @ bone vectors."""
    out = np.zeros((21, 20))
    for joint in range(1, 21):
        at = joint
        while at > 0:
            out[joint, at - 1] = 1.0
            at = int(PARENTS[at])
    return out


def hand_length(lengths: Array) -> float:
    """Mean metres from the wrist along the bones to the four fingertips, for bone lengths (21,)."""
    return float(np.sum(lengths[5:]) / 4.0)
