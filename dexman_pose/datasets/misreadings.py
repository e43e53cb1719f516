"""Ways in which poses are converted wrongly, each with what undoes it.

Translations mostly stay right, so that pictures with the object's centre drawn in look right: a public copy of a data
set of grasps held quaternions in the wrong order for years.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry import inverse, matrix_from_quaternion, quaternion_from_matrix

_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])


def _reordered(order: tuple[int, int, int, int]) -> Callable[[Array], Array]:
    """The poses whose quaternions (w, x, y, z) hold the numbers of those read, in another order."""

    def undo(poses: Array) -> Array:
        out = poses.copy()
        quaternions = np.asarray(quaternion_from_matrix(poses[:, :3, :3]))
        out[:, :3, :3] = matrix_from_quaternion(quaternions[:, order])
        return out

    return undo


def _transposed(poses: Array) -> Array:
    out = poses.copy()
    out[:, :3, :3] = np.swapaxes(poses[:, :3, :3], 1, 2)
    return out


def _turned(poses: Array) -> Array:
    out = poses.copy()
    out[:, :3, :3] = _FLIP[:3, :3] @ poses[:, :3, :3]
    return out


def _flipped(poses: Array) -> Array:
    return np.asarray(_FLIP @ poses)


MISREADINGS: dict[str, Callable[[Array], Array]] = {
    "quaternions (x, y, z, w) were read as (w, x, y, z)": _reordered((3, 0, 1, 2)),
    "quaternions (w, x, y, z) were read as (x, y, z, w)": _reordered((1, 2, 3, 0)),
    "rotations were transposed": _transposed,
    "poses are the inverse ones, object_from_camera": inverse,
    "rotations, but not translations, are in OpenGL axes (+y up, +z backwards)": _turned,
    "poses are in OpenGL axes (+y up, +z backwards)": _flipped,
}
"""What may have gone wrong, in words, and the function of poses (T, 4, 4) that undoes it."""

UNITS: dict[float, str] = {
    0.01: "centimetres",
    0.001: "millimetres",
    100.0: "hundredths",
    1000.0: "thousandths",
}
"""Metres of what was taken for a metre: names of units, or of too small a number."""
