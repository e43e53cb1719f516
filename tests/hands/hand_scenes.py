"""A hand to test with, open or bent."""

from __future__ import annotations

import numpy as np

from dexman_pose.hands.lifting.bones import AVERAGE_LENGTHS, BONES, PARENTS

# Direction of each bone of an open right hand seen from its back, fingers up (image axes, y down).
_FINGER_ANGLES = {
    0: (-0.9, -0.7, -0.5, -0.4),
    1: (-0.28,) * 4,
    2: (-0.02,) * 4,
    3: (0.22,) * 4,
    4: (0.45,) * 4,
}


def _bone_directions(curl: float = 0.0) -> np.ndarray:
    out = np.zeros((20, 3))
    for finger, angles in _FINGER_ANGLES.items():
        for k, a in enumerate(angles):
            bend = curl * k
            out[4 * finger + k] = [np.sin(a) * np.cos(bend), -np.cos(a) * np.cos(bend), np.sin(bend)]
    return out


def articulated(curl: float, lengths: np.ndarray = AVERAGE_LENGTHS) -> np.ndarray:
    """(21, 3) metres, wrist at the origin, palm facing the camera's +z, every joint bent by ``curl`` radians."""
    joints = np.zeros((21, 3))
    directions = _bone_directions(curl)
    for joint in BONES:
        joints[joint] = joints[PARENTS[joint]] + lengths[joint] * directions[joint - 1]
    return joints
