"""What a planner is given: a world, how it begins, where objects shall be, and controls to begin with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.robot.world.build import World


@dataclass(frozen=True)
class Task:
    """A motion in a world, T frames.

    Attributes:
        world: the model.
        start: (nq,) at the beginning, objects where they stand.
        controls: (T, A) of the retargeted motion, ahead by what the motors lag.
        joints: (T, J) of the retargeted motion, in the order of ``World.joints``.
        reference: (T, O, 7) places and quaternions of the objects.
        touch_object: (T, P) index of the object that each of the world's points touches.
        touch_point: (T, P, 3) where, object frame, metres.
        touch_weight: (T, P) from 0, where nothing is touched, to 1.
    """

    world: World
    start: Array
    controls: Array
    joints: Array
    reference: Array
    touch_object: NDArray[np.intp]
    touch_point: Array
    touch_weight: Array

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.controls)
