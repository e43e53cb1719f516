"""How poses move from frame to frame: prediction, and when a step is none."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry import so3_exp, so3_log
from dexman_pose.pose.tracking.options import MotionOptions


def predict(now: Array, before: Array, center: Array, options: MotionOptions | None = None) -> Array:
    """The next pose (4, 4) by damped constant velocity of the object's centre and rotation.

    Args:
        now: (4, 4) camera_from_object.
        before: (4, 4) one frame earlier.
        center: (3,) the object's centre in its own frame, metres.
        options: shares of the last step that are expected again.
    """
    options = options or MotionOptions()
    step = (now[:3, :3] - before[:3, :3]) @ center + now[:3, 3] - before[:3, 3]
    turn = so3_log(now[:3, :3] @ before[:3, :3].T)
    out = now.copy()
    out[:3, :3] = so3_exp(options.turn_kept * turn) @ now[:3, :3]
    out[:3, 3] = now[:3, :3] @ center + now[:3, 3] + options.shift_kept * step - out[:3, :3] @ center
    return out


def same_face(pose: Array, first: Array) -> list[Array]:
    """The rotation a mesh was made in, as it is and turned in the image like the present pose.

    Only that side of the mesh is known; an object put down again mostly shows it once more.
    """
    known = first[:3, :3]
    turn = pose[:3, :3] @ known.T
    roll = np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])
    return [known, so3_exp([0.0, 0.0, roll]) @ known]
