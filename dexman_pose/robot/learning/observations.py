"""What a policy sees: states of the simulation, never pictures, each brought to a size near one.

rsl-rl's normaliser divides by the standard deviation plus 0.01: what is seen in metres would reach the network at a
tenth of its size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import matrix_from_quaternion
from dexman_pose.robot.learning.worlds import Worlds
from dexman_pose.robot.planning.task import Task

_SPEED = 0.1
"""s, on speeds of joints."""
_OFF = 20.0
"""1/m, on an object's way to its reference now ..."""
_AHEAD = 10.0
"""... and two frames ahead."""
_TURN = 3.0
"""1/rad, on the rotation that is left to the reference."""
_HEIGHT = 5.0
"""1/m."""
_OBJECT_SPEED = 0.3
"""s/m and s/rad."""
_POINT = 10.0
"""1/m, on points of the hands in the frame of the object."""
_MOST = 10.0
"""What is seen is cut off there."""


def numbers(values: Array) -> Array:
    """The same with a large number where there is none."""
    return np.nan_to_num(values, nan=1e3, posinf=1e3, neginf=-1e3)


class Observer:
    """Makes observations.

    Args:
        task: the motion.
        controls: (T, A) that actions are added to.
        scale: (A,) what an action of 1 adds.
    """

    def __init__(self, task: Task, controls: Array, scale: Array) -> None:
        self._task, self._controls, self._scale = task, controls, scale

    def seen(self, worlds: Worlds, frame: NDArray[np.intp], before: Array) -> NDArray[np.float32]:
        """What is seen at frames (N,) after controls (N, A): (N, D)."""
        task, world, qpos, qvel = self._task, self._task.world, worlds.qpos, worlds.qvel
        count, last = len(qpos), task.num_frames - 1
        joints = qpos[:, world.joint_at]
        places = world.object_places(qpos)
        turns = turns_of(places)
        now, ahead = task.reference[frame], task.reference[np.minimum(frame + 2, last)]
        off, then = now[..., :3] - places[..., :3], ahead[..., :3] - places[..., :3]
        local = np.einsum(
            "noji,nopj->nopi", turns, worlds.points[:, None] - places[:, :, None, :3]
        )  # every point in every object's frame
        phase = 2.0 * np.pi * frame / last
        parts = [
            joints,
            joints - task.joints[frame],
            _SPEED * qvel,
            _OFF * off,
            _AHEAD * then,
            _TURN * _left(places[..., 3:], now[..., 3:]),
            _HEIGHT * places[..., 2],
            _POINT * local,
            (before - self._controls[frame]) / self._scale,
            np.stack([frame / last, np.sin(phase), np.cos(phase)], 1),
        ]
        whole = np.concatenate([numbers(p).reshape(count, -1) for p in parts], 1)
        return np.clip(whole, -_MOST, _MOST).astype(np.float32)


def turns_of(places: Array) -> Array:
    """World-from-object rotations (..., 3, 3) of places and quaternions (..., 7); upright where there are none."""
    return matrix_from_quaternion(_unit(np.nan_to_num(places[..., 3:])))


def _unit(quaternions: Array) -> Array:
    length = np.linalg.norm(quaternions, axis=-1, keepdims=True)
    upright = np.zeros_like(quaternions)
    upright[..., 0] = 1.0
    return np.where(length > 0, quaternions / np.where(length > 0, length, 1.0), upright)


def _left(quaternions: Array, wanted: Array) -> Array:
    """(..., 3) rotation vectors, world, that bring quaternions wxyz to the wanted ones: the short way."""
    w, v = quaternions[..., :1], quaternions[..., 1:]
    a, b = wanted[..., :1], wanted[..., 1:]
    real = a * w + (b * v).sum(-1, keepdims=True)
    turn = b * w - a * v - np.cross(b, v)
    turn = np.where(real < 0, -turn, turn)
    sine = np.linalg.norm(turn, axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, np.abs(real))
    return turn * np.where(sine > 0, angle / np.where(sine > 0, sine, 1.0), 2.0)
