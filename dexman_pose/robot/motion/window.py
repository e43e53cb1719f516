"""The part of a motion that is a skill: from shortly before an object moves to shortly after it has stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import matrix_from_quaternion, quaternion_from_matrix
from dexman_pose.robot.motion.types import RATE, Motion


@dataclass(frozen=True)
class WindowOptions:
    """What of a motion is planned.

    Attributes:
        lift: metres from its place at which an object has left it.
        before: seconds before that.
        least: seconds before it from which on all has to be known, else hands come more slowly than they came.
        after: seconds after it at most; None for the whole motion.
        stopped: seconds kept after the last object has come to rest.
        still: metres a second below which an object rests.
        smooth: frames, of the filter over places, rotations and joints.
    """

    lift: float = 0.015
    before: float = 0.6
    least: float = 0.4
    after: float | None = None
    stopped: float = 0.5
    still: float = 0.03
    smooth: float = 1.0


def lift_start(motion: Motion, options: WindowOptions | None = None) -> int:
    """The first frame in which an object has left its place.

    Raises:
        InputError: none does.
    """
    o = options or WindowOptions()
    starts = [x.at_rest(o.lift) for x in motion.objects.values()]
    if min(starts) >= motion.num_frames:
        raise InputError(f"no object leaves its place by {1e3 * o.lift:.0f} mm: there is nothing to plan")
    return min(starts)


def skill(motion: Motion, options: WindowOptions | None = None) -> Motion:
    """Cut a motion to what is planned, and smooth it.

    Where all is known from shortly before only, because a hand was not seen earlier, hands come more slowly.

    Raises:
        InputError: no object moves.
    """
    o = options or WindowOptions()
    lift = lift_start(motion, o)
    start = max(0, lift - round(o.before * RATE))
    stop = motion.num_frames if o.after is None else min(motion.num_frames, lift + round(o.after * RATE))
    stop = min(stop, max(_last_moving(motion, o) + round(o.stopped * RATE), lift + 1))
    known, wanted = lift - start, round(o.before * RATE)
    if 0 < known < round(o.least * RATE):
        slow = motion.cut(start, stop).slowed(known, wanted)
        return smoothed(slow, o.smooth).noted(
            f"hands and objects are known from {known / RATE:.1f} s before anything moves only: hands come in "
            f"{wanted / RATE:.1f} s instead"
        )
    return smoothed(motion, o.smooth).cut(start, stop)


def _last_moving(motion: Motion, o: WindowOptions) -> int:
    last = 0
    for thing in motion.objects.values():
        speed = np.linalg.norm(np.diff(thing.world_from_object[:, :3, 3], axis=0), axis=1) * RATE
        moving = np.flatnonzero(speed > o.still)
        last = max(last, int(moving[-1]) + 1 if len(moving) else 0)
    return last


def smoothed(motion: Motion, frames: float) -> Motion:
    """The motion with places, rotations and joints filtered over time.

    Args:
        motion: what is filtered.
        frames: standard deviation of the filter; 0 to leave it as it is.
    """
    if frames <= 0:
        return motion
    hands = {s: replace(h, joints=_filtered(h.joints, frames)) for s, h in motion.hands.items()}
    objects = {
        n: replace(x, world_from_object=_filtered_poses(x.world_from_object, frames))
        for n, x in motion.objects.items()
    }
    return replace(motion, hands=hands, objects=objects)


def _filtered(values: Array, frames: float) -> Array:
    out: Array = gaussian_filter1d(values, frames, axis=0, mode="nearest")
    return out


def _filtered_poses(poses: Array, frames: float) -> Array:
    quaternions = same_sign(quaternion_from_matrix(poses[:, :3, :3]))
    mean = _filtered(quaternions, frames)
    out = poses.copy()
    out[:, :3, :3] = matrix_from_quaternion(mean / np.linalg.norm(mean, axis=1, keepdims=True))
    out[:, :3, 3] = _filtered(poses[:, :3, 3], frames)
    return out


def same_sign(quaternions: Array) -> Array:
    """Quaternions (T, 4) of which none is on the other side of the one before it."""
    turned = np.sign(np.einsum("ti,ti->t", quaternions[1:], quaternions[:-1]))
    signs = np.cumprod(np.concatenate([[1.0], np.where(turned == 0, 1.0, turned)]))
    return quaternions * signs[:, None]
