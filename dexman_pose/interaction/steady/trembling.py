"""How much tracks tremble, told by themselves: second differences of what moves steadily are noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import RigidObject
from dexman_pose.geometry.se3 import so3_log, transform_points

_OF_SECOND = np.sqrt(6.0)
"""Standard deviation of a second difference over that of the noise of single frames."""
_OF_MEDIAN = 0.6745
"""Median of absolute values over the standard deviation, of normal errors."""


@dataclass(frozen=True)
class Trembling:
    """Noise of poses from frame to frame, standard deviations along one axis.

    Attributes:
        shift: metres, of the object's middle.
        turn: radians.
    """

    shift: float
    turn: float


def trembling_object(thing: RigidObject) -> Trembling:
    """How much an object's valid poses tremble; 0 where no three of them follow on each other."""
    middle = _triples(thing.valid)
    if not len(middle):
        return Trembling(0.0, 0.0)
    poses = thing.camera_from_object
    centers = transform_points(poses, thing.mesh.center[None])[:, 0]
    turns = poses[:, :3, :3]
    before = so3_log(turns[middle] @ np.swapaxes(turns[middle - 1], 1, 2))
    after = so3_log(turns[middle + 1] @ np.swapaxes(turns[middle], 1, 2))
    return Trembling(_noise(_second(centers, middle)), _noise(after - before))


def trembling_joints(joints: Array, seen: NDArray[np.bool_]) -> float:
    """Metres, standard deviation along one axis by which joints (T, 21, 3) of seen frames tremble; 0 for too few."""
    middle = _triples(seen)
    return _noise(_second(joints, middle)) if len(middle) else 0.0


def _triples(valid: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Frames that are valid as both their neighbours are."""
    return np.flatnonzero(valid[2:] & valid[1:-1] & valid[:-2]) + 1


def _second(points: Array, middle: NDArray[np.intp]) -> Array:
    out: Array = points[middle + 1] - 2.0 * points[middle] + points[middle - 1]
    return out


def _noise(second: Array) -> float:
    """Of single frames; the middle one of many second differences, so that a few fast moves say nothing."""
    return float(np.median(np.abs(second))) / _OF_MEDIAN / _OF_SECOND
