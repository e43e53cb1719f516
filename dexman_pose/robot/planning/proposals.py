"""Guesses that noise would seldom hit: a hand that holds an object carries it back to where it should be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from dexman_pose.arrays import Array, Bools
from dexman_pose.data.tracks import SIDES
from dexman_pose.geometry.se3 import matrix_from_quaternion, so3_log
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.build import World

_CARRIED = 6


class Carriers:
    """The motors that carry each hand, and how objects' errors become changes of them.

    Attributes:
        is_carrier: (A,) motors of slides and hinges, not of fingers.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._hands = _hands(task.world)
        self.is_carrier: Bools = np.zeros(task.world.model.nu, np.bool_)
        for motors, _, _, _ in self._hands:
            self.is_carrier[motors] = True

    def correction(self, places: Array, frame: int, controls: Array, gain: float, ramp: int) -> Array:
        """Changes (F, A) of controls that carry held objects towards their reference.

        A held object moves with the palm: what turns and shifts it back turns and shifts the palm, about the object.

        Args:
            places: (M, O, 7) of the objects in the members at ``frame``.
            frame: of the task.
            controls: (F, A) that would be gone.
            gain: share of the error that is corrected.
            ramp: frames over which.
        """
        out = np.zeros_like(controls)
        rise = np.minimum(np.arange(len(controls)) / max(ramp, 1), 1.0)
        for motors, points, zero_place, zero_turn in self._hands:
            of = self._held(points, frame)
            if of is None:
                continue
            shift, turn, middle = _error(places[:, of], self.task.reference[frame, of])
            before = controls[:, motors]
            palm = zero_place + before[:, :3] @ zero_turn.T
            turned = Rotation.from_rotvec(gain * rise[:, None] * turn).as_matrix()
            after = np.einsum("fij,fj->fi", turned, palm - middle) + middle + gain * rise[:, None] * shift
            rotation = zero_turn @ Rotation.from_euler("XYZ", before[:, 3:]).as_matrix()
            relative = zero_turn.T @ turned @ rotation
            angles = Rotation.from_matrix(relative).as_euler("XYZ")
            out[:, motors[:3]] = (after - zero_place) @ zero_turn - before[:, :3]
            change = angles - before[:, 3:]
            out[:, motors[3:]] = (change + np.pi) % (2.0 * np.pi) - np.pi
        return out

    def _held(self, points: Sequence[int], frame: int) -> int | None:
        """The object that a hand holds most at a frame; None where it holds none."""
        weight = self.task.touch_weight[frame, list(points)]
        if not (weight > 0.5).any():
            return None
        counts = np.bincount(self.task.touch_object[frame, list(points)], weights=weight)
        return int(np.argmax(counts))


def _error(places: Array, wanted: Array) -> tuple[Array, Array, Array]:
    """Shift (3,), turn (3,) rotation vector, and middle (3,): from where an object is in the members to its reference.

    Members that have lost it are not asked: the median over members counts.
    """
    good = places[np.isfinite(places).all(1)]
    if not len(good):
        return np.zeros(3), np.zeros(3), wanted[:3]
    turns = matrix_from_quaternion(wanted[3:]) @ np.swapaxes(matrix_from_quaternion(good[:, 3:]), 1, 2)
    middle = np.median(good[:, :3], axis=0)
    return wanted[:3] - middle, np.median(so3_log(turns), axis=0), middle


def _hands(world: World) -> list[tuple[list[int], list[int], Array, Array]]:
    """For each hand: its six carrying motors, its points among the world's, and the palm's place and turn at zero."""
    mj, model = mujoco(), world.model
    out = []
    there = {model.body(i).name: i for i in range(model.nbody)}
    for side in SIDES:
        if f"{side}_base" not in there:
            continue
        i, mark = there[f"{side}_base"], f"{side}_"
        motors = [model.actuator(f"{mark}base_{kind}{axis}_motor").id for kind in "tr" for axis in "xyz"]
        assert len(motors) == _CARRIED
        points = [k for k, point in enumerate(world.points) if point.startswith(mark)]
        turn = np.zeros(9)
        mj.mju_quat2Mat(turn, model.body_quat[i])
        out.append((motors, points, np.array(model.body_pos[i]), turn.reshape(3, 3)))
    return out
