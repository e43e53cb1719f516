"""Noise on controls: drawn at knots, on straight ways between them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.world.build import World


class PerMotor(Protocol):
    """Sizes of changes of controls, by kind of motor: metres, radians, radians."""

    @property
    def slide(self) -> float:
        """Of a free hand's slides."""
        ...

    @property
    def hinge(self) -> float:
        """Of its hinges."""
        ...

    @property
    def finger(self) -> float:
        """Of a joint of a finger."""
        ...


def deviations(world: World, options: PerMotor) -> Array:
    """(A,) size of a change of each control, as the standard deviation of noise on it."""
    mj, model = mujoco(), world.model
    out = np.zeros(model.nu)
    for i in range(model.nu):
        joint = int(model.actuator_trnid[i, 0])
        if model.actuator_trntype[i] == mj.mjtTrn.mjTRN_TENDON:
            out[i] = options.finger * int(model.tendon_num[joint])
        elif "_base_" not in model.joint(joint).name:
            out[i] = options.finger
        elif model.jnt_type[joint] == mj.mjtJoint.mjJNT_SLIDE:
            out[i] = options.slide
        else:
            out[i] = options.hinge
    return out


def knots_to_frames(frames: int, knot: int) -> Array:
    """(frames, K) that turns values at knots into values at frames."""
    count = -(-(frames - 1) // knot) + 1
    at = np.arange(frames) / knot
    out: Array = np.clip(1.0 - np.abs(at[:, None] - np.arange(count)), 0.0, None)
    return out
