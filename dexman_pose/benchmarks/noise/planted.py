"""Noise as estimators have it: an offset that stays, a slow drift, jitter from frame to frame, frames without a result.

Half of the variance is jitter, which any filter takes off. The other half is not: a quarter drifts over about half a
second, as errors of poses do that come from what a picture shows from one side, and a quarter stays for the whole clip,
as those of sizes, lenses and models do. Only what is known of contact, table and the other body tells of that half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.optimize.problem import move_poses

_LONG = 4
"""Times as long as the clip is the noise that is smoothed: its wrapped ends lie far apart."""


@dataclass(frozen=True)
class NoiseOptions:
    """What is planted; lengths and angles are root mean squares of the length of the error vector.

    Attributes:
        shift: metres, of an object's middle.
        turn: radians, of its rotation.
        joints: metres, of the joints of a hand.
        drift: share of the variance that drifts.
        offset: share of the variance that stays; the rest is jitter, independent from frame to frame.
        drift_time: seconds over which a drift changes: the standard deviation of the Gaussian by which white noise is
            smoothed.
        own: share of a hand's drift and offset, as variance, that is each joint's own; the rest shifts the whole hand.
            Jitter is each joint's own.
        dropped: share of the frames without a result, of hand and objects independently; never the first or the last.
        normal: radians, standard deviation per axis of the table's normal as it is given.
        height: metres, the same of its height under the objects.
    """

    shift: float = 0.010
    turn: float = np.radians(8.0)
    joints: float = 0.008
    drift: float = 0.25
    offset: float = 0.25
    drift_time: float = 0.25
    own: float = 0.5
    dropped: float = 0.2
    normal: float = np.radians(0.8)
    height: float = 0.003

    def __post_init__(self) -> None:
        if min(self.drift, self.offset) < 0 or self.drift + self.offset > 1:
            raise InputError(
                f"drift and offset are shares of the noise, together at most 1, but got {self.drift} and {self.offset}"
            )
        if not 0 <= self.dropped < 1:
            raise InputError(f"dropped must be a share of the frames below 1, but got {self.dropped}")


def noise(
    rng: np.random.Generator, shape: tuple[int, ...], fps: float, o: NoiseOptions, *, jitter: bool = True
) -> Array:
    """Noise (T, ...) of unit variance with the shares of the options; without jitter, of their share alone.

    Args:
        rng: of the noise.
        shape: of the result, frames first.
        fps: frames a second.
        o: shares.
        jitter: whether there is any.
    """
    slow = gaussian_filter1d(
        rng.standard_normal((_LONG * shape[0], *shape[1:])), o.drift_time * fps, axis=0, mode="wrap"
    )
    slow = slow[: shape[0]] * np.sqrt(2.0 * np.sqrt(np.pi) * o.drift_time * fps)
    still = rng.standard_normal(shape[1:])
    quick = rng.standard_normal(shape) if jitter else np.zeros(shape)
    out: Array = (
        np.sqrt(o.drift) * slow + np.sqrt(o.offset) * still + np.sqrt(1.0 - o.drift - o.offset) * quick
    )
    return out


def noisy_poses(rng: np.random.Generator, poses: Array, center: Array, fps: float, o: NoiseOptions) -> Array:
    """Poses (T, 4, 4) with noise of place and turn about a centre (3,) of the object."""
    each = np.repeat([o.shift, o.turn], 3) / np.sqrt(3.0)
    return move_poses(poses, each * noise(rng, (len(poses), 6), fps, o), center)


def noisy_joints(rng: np.random.Generator, joints: Array, fps: float, o: NoiseOptions) -> Array:
    """Joints (T, 21, 3) with noise."""
    whole = noise(rng, (len(joints), 1, 3), fps, o, jitter=False)
    single = noise(rng, joints.shape, fps, o, jitter=False)
    quick = np.sqrt(1.0 - o.drift - o.offset) * rng.standard_normal(joints.shape)
    total = np.sqrt(1.0 - o.own) * whole + np.sqrt(o.own) * single + quick
    out: Array = joints + o.joints / np.sqrt(3.0) * total
    return out


def kept_frames(rng: np.random.Generator, frames: int, o: NoiseOptions) -> NDArray[np.bool_]:
    """(T,) frames with a result."""
    out = np.ones(frames, np.bool_)
    inner = np.arange(1, frames - 1)
    out[rng.choice(inner, min(round(o.dropped * frames), len(inner)), replace=False)] = False
    return out
