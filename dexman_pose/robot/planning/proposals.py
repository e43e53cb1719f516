"""Guesses that noise would seldom hit: a hand that holds an object carries it back to where it should be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.geometry.se3 import matrix_from_quaternion, so3_log
from dexman_pose.robot.planning.carriers import Shift, carriers_of
from dexman_pose.robot.planning.noise import PerMotor, trunk_motors
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.task import Task


class Carriers:
    """What carries each hand, and how objects' errors become changes of its motors.

    Attributes:
        is_carrier: (A,) motors that carry hands, not those of fingers.
        is_still: (A,) motors that are left as they are: a trunk carries all hands at once.
        hands: one for each hand.
    """

    def __init__(self, task: Task, sigma: PerMotor | None = None) -> None:
        self.task = task
        o = sigma or PlanOptions()
        self.hands = carriers_of(task, np.repeat([o.slide, o.hinge], 3))
        self.is_still: Bools = trunk_motors(task.world)
        self.is_carrier: Bools = self.is_still.copy()
        for hand in self.hands:
            self.is_carrier[hand.motors] = True

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
        rise = gain * np.minimum(np.arange(len(controls)) / max(ramp, 1), 1.0)[:, None]
        for hand in self.hands:
            of = self._held(hand.points, frame)
            if of is None:
                continue
            shift, turn, middle = _error(places[:, of], self.task.reference[frame, of])
            out[:, hand.motors] = hand.changes(Shift(rise * shift, rise * turn, middle), frame, controls)
        return out

    def noise(self, drawn: Array, sigma: Array, scale: float, frame: int, knot: int) -> Array:
        """(N, K, A) changes of controls at knots, of standard normals (N, K, A).

        Args:
            drawn: the numbers.
            sigma: (A,) deviations of the motors.
            scale: factor on them.
            frame: of the task, of the first knot.
            knot: frames between two knots.
        """
        out = drawn * np.where(self.is_still, 0.0, scale * sigma)
        frames = np.minimum(frame + knot * np.arange(drawn.shape[1]), self.task.num_frames - 1)
        for hand in self.hands:
            out[..., hand.motors] = hand.noise(drawn[..., hand.motors], sigma[hand.motors], scale, frames)
        return np.asarray(out)

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
