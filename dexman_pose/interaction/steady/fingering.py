"""How joints move on what a hand holds, where that is plain: fingers that regrip do not rest on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import RigidObject
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.interaction.options import SteadyOptions
from dexman_pose.interaction.steady.trembling import Trembling


def moved_on(
    thing: RigidObject,
    joints: Array,
    frames: NDArray[np.intp],
    single: Array,
    noise: Trembling,
    step: float,
    o: SteadyOptions,
) -> Array:
    """(T, 21) metres a frame by which joints plainly move on an object, 0 where that may be noise.

    Args:
        thing: the object.
        joints: (T, 21, 3) of a hand, camera frame, smoothed.
        frames: (T,) of the clip.
        single: (T,) metres along an axis, by which a measured joint is off for itself.
        noise: of the object's poses.
        step: seconds between two frames.
        o: what is plain.
    """
    on = transform_points(inverse(thing.camera_from_object[frames]), joints)
    half = max(round(0.5 * o.window / step), 1)
    index = np.arange(len(frames))
    before, after = np.maximum(index - half, 0), np.minimum(index + half, len(index) - 1)
    apart = np.linalg.norm(on[after] - on[before], axis=-1)
    lever = np.linalg.norm(on - thing.mesh.center, axis=-1)
    axis = np.sqrt(single[:, None] ** 2 + noise.shift**2 + (noise.turn * lever) ** 2)
    noisy = np.sqrt(6.0) * o.smoothed * axis  # three axes, two ends
    plain = np.sqrt(np.maximum(apart**2 - (o.plain * noisy) ** 2, 0.0))
    out: Array = plain / np.maximum(frames[after] - frames[before], 1)[:, None]
    return out
