"""Holds of a task, and what a change of a whole hold is of the controls: another place of the palm, other fingers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs
from dexman_pose.geometry.se3 import matrix_from_quaternion
from dexman_pose.robot.planning.carriers import Carrier, Shift, carriers_of
from dexman_pose.robot.planning.noise import deviations, trunk_motors
from dexman_pose.robot.planning.options import GraspOptions
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.controls import limited

_FULL = 0.999
"""How much a hand touches that has closed."""


@dataclass(frozen=True)
class Hold:
    """A hand that holds an object.

    Attributes:
        hand: what carries it.
        thing: index of the object.
        start: frame by which the hand has closed.
        stop: frame at which it opens.
        fingers: (F,) motors of the hand's fingers.
        comes: (T,) from 0 to 1, how far the palm has come to where it holds.
        closes: (T,) likewise of the fingers.
    """

    hand: Carrier
    thing: int
    start: int
    stop: int
    fingers: NDArray[np.intp]
    comes: Array
    closes: Array


def holds_of(task: Task, options: GraspOptions) -> list[Hold]:
    """Holds in a task, by hand and by time; none where nothing is touched."""
    sigma = np.repeat([options.slide, options.hinge], 3)
    hands = carriers_of(task, sigma)
    carried = trunk_motors(task.world)
    for hand in hands:
        carried[hand.motors] = True
    out = []
    for hand in hands:
        side = task.world.points[hand.points[0]].split("_")[0]
        fingers = [
            i
            for i in np.flatnonzero(~carried)
            if str(task.world.model.actuator(i).name).startswith(f"{side}_")
        ]
        left = 0
        for start, stop, thing in _spans(task, hand.points):
            comes, closes = _weights(task.num_frames, left, start, stop, options)
            out.append(Hold(hand, thing, start, stop, np.array(fingers, np.intp), comes, closes))
            left = max(left, stop)
    return out


class HoldChanges:
    """Changes of holds as numbers, and controls as functions of them.

    For each hold six numbers shift (metres) and turn (rotation vector) the palm, in the object's frame, all the time
    that it holds; the others move the motors of the fingers.

    Attributes:
        holds: one after another.
        sigma: (C,) deviations of the numbers.
        parts: which of the numbers are of each hold.
    """

    def __init__(self, task: Task, options: GraspOptions) -> None:
        self.task, self.holds = task, holds_of(task, options)
        palm = np.repeat([options.slide, options.hinge], 3)
        motors = deviations(task.world, options)
        sigmas = [np.concatenate([palm, motors[hold.fingers]]) for hold in self.holds]
        self.sigma: Array = np.concatenate(sigmas) if sigmas else np.zeros(0)
        ends = np.cumsum([0, *(len(sigma) for sigma in sigmas)])
        self.parts = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self._base = limited(task.world, task.controls)
        self._turns = matrix_from_quaternion(task.reference[..., 3:])

    def controls(self, changes: Array) -> Array:
        """(N, T, A) of changes (N, C), within what motors take."""
        return np.stack([self._changed(change) for change in changes])

    def _changed(self, change: Array) -> Array:
        controls = self._base.copy()
        for hold, part in zip(self.holds, self.parts):
            shift, turn, fingers = np.split(change[part], (3, 6))
            turns = self._turns[:, hold.thing] * hold.comes[:, None, None]
            middle = self.task.reference[:, hold.thing, :3]
            palm = hold.hand.changes(Shift(turns @ shift, turns @ turn, middle), 0, controls)
            controls[:, hold.hand.motors] += palm
            controls[:, hold.fingers] += hold.closes[:, None] * fingers
        return limited(self.task.world, controls)


def _spans(task: Task, points: list[int]) -> list[tuple[int, int, int]]:
    """Frames from closing to opening, and the object, of each hold of a hand with these points."""
    weight = task.touch_weight[:, points]
    things = np.where(weight > 0.0, task.touch_object[:, points], -1)
    touched = [np.where(things == i, weight, 0.0).max(1) for i in range(len(task.world.objects))]
    out = []
    for thing, share in enumerate(touched):
        for begin, end in runs(share > 0.0):  # a hand that does not open in between holds on
            closed = begin + np.flatnonzero(share[begin:end] >= _FULL)
            if len(closed):
                out.append((int(closed[0]), int(closed[-1]) + 1, thing))
    return sorted(out)


def _weights(frames: int, left: int, start: int, stop: int, o: GraspOptions) -> tuple[Array, Array]:
    """How far the palm has come (T,), from where the last hold was left on, and the fingers (T,) have closed."""
    at = np.arange(frames)
    opens = np.ones(frames) if stop >= frames else np.clip((stop + o.closing - at) / o.closing, 0.0, 1.0)
    comes = np.clip((at - left) / max(start - o.early - left, 1), 0.0, 1.0)
    closes = np.clip((at - (start - o.closing)) / o.closing, 0.0, 1.0)
    return np.minimum(comes, opens), np.minimum(closes, opens)
