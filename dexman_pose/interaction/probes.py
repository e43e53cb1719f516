"""Points on the bones of a hand that may meet a surface: each lies between two joints and has flesh around it."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.data.tracks import JOINT_PARENTS

TIPS: tuple[int, ...] = (4, 8, 12, 16, 20)
_KNUCKLES = (5, 9, 13, 17)


def _weights() -> Array:
    rows = [*np.eye(21)]
    for joint in range(1, 21):
        row = np.zeros(21)
        row[[joint, JOINT_PARENTS[joint]]] = 0.5
        rows.append(row)
    palm = np.zeros(21)
    palm[[0, *_KNUCKLES]] = 0.2
    return np.stack([*rows, palm])


WEIGHTS: Array = _weights()
"""(42, 21) each probe as a mean of joints: the joints themselves, the middles of the bones (of joints 1 to 20 to their
parents), and the middle of the palm."""
RADII: Array = WEIGHTS @ JOINT_RADIUS
"""(42,) metres from each probe to the skin."""
PALM = 41
"""Index of the middle of the palm."""
TOUCHERS: tuple[int, ...] = (*TIPS, PALM)
"""Probes that hold things: the finger tips, thumb first, and the palm."""
FINGER_OF_JOINT = np.array([-1] + [(joint - 1) // 4 for joint in range(1, 21)])
"""(21,) finger of each joint, thumb 0; -1 for the wrist."""
FINGER_OF_PROBE = np.array([*FINGER_OF_JOINT, *FINGER_OF_JOINT[1:], -1])
"""(42,) finger of each probe; metacarpals count as their finger's."""


def probes(joints: Array) -> Array:
    """(..., 42, 3) of joints (..., 21, 3)."""
    out: Array = WEIGHTS @ joints
    return out
