"""Stretches of a track in which an object does not move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import PoseTrack
from dexman_pose.geometry.se3 import orthonormalize, rotation_angle, se3
from dexman_pose.scene.options import RestOptions


@dataclass(frozen=True)
class Stretch:
    """Frames in which an object does not move.

    Attributes:
        frames: (N,) ascending, all valid.
        pose: (4, 4) camera from object, the mean.
    """

    frames: NDArray[np.intp]
    pose: Array


def still_stretches(track: PoseTrack, center: Array, options: RestOptions | None = None) -> list[Stretch]:
    """Find the stretches in which an object does not move, in order; one place is one stretch.

    Args:
        track: of the object.
        center: (3,) its middle, object frame: what has to stay in its place.
        options: what counts as moving.
    """
    o = options or RestOptions()
    frames = np.flatnonzero(track.valid)
    poses = track.camera_from_object[frames]
    found: list[Stretch] = []
    start = 0
    while start + o.frames <= len(frames):
        stop = _end(poses, start, center, o)
        if stop - start < o.frames:
            start += 1
            continue
        kept = np.arange(start, stop)
        mean = mean_pose(poses[kept], center)
        kept = kept[_same(poses[kept], mean, center, o)]
        if len(kept) >= o.frames:
            found.append(Stretch(frames[kept], mean_pose(poses[kept], center)))
        start = stop
    return _joined(found, center, o)


def mean_pose(poses: Array, center: Array) -> Array:
    """(4, 4) the mean rotation of poses (N, 4, 4), the median place of a point (3,) of the object under it."""
    turned = orthonormalize(se3(poses[:, :3, :3].mean(0), np.zeros(3)))[:3, :3]
    middle = np.median(poses[:, :3, :3] @ center + poses[:, :3, 3], axis=0)
    return se3(turned, middle - turned @ center)


def _end(poses: Array, start: int, center: Array, o: RestOptions) -> int:
    """One past the last pose of the stretch that begins at ``start``."""
    near = _same(poses[start:], mean_pose(poses[start : start + o.frames], center), center, o)
    away = 0
    for k, is_near in enumerate(near):
        away = 0 if is_near else away + 1
        if away > o.slips:
            return start + k + 1 - away
    return len(poses) - away


def _same(poses: Array, pose: Array, center: Array, o: RestOptions, factor: float = 1.0) -> NDArray[np.bool_]:
    """(N,) poses that do not differ from one."""
    middle = pose[:3, :3] @ center + pose[:3, 3]
    distance = float(np.linalg.norm(middle))
    ray = middle / distance
    shift = poses[:, :3, :3] @ center + poses[:, :3, 3] - middle
    along = shift @ ray
    across = np.linalg.norm(shift - along[:, None] * ray, axis=1)
    turn = rotation_angle(np.swapaxes(poses[:, :3, :3], 1, 2) @ pose[:3, :3])
    out: NDArray[np.bool_] = (
        (across < factor * o.lateral)
        & (np.abs(along) < factor * o.along * distance)
        & (turn < factor * o.turn)
    )
    return out


def _joined(found: list[Stretch], center: Array, o: RestOptions) -> list[Stretch]:
    """Stretches in one place made one: what stands there was not moved, or put back exactly."""
    out: list[Stretch] = []
    for stretch in found:
        for k, other in enumerate(out):
            if _same(stretch.pose[None], other.pose, center, o, o.joined)[0]:
                n, m = len(other.frames), len(stretch.frames)
                pose = other.pose if n >= m else stretch.pose
                out[k] = Stretch(np.concatenate([other.frames, stretch.frames]), pose)
                break
        else:
            out.append(stretch)
    return out
