"""Noise on controls: drawn at knots, on straight ways between them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.robot.assets.body import MARK
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.world.build import World

_LEAST = 0.05
"""Metres of the shortest lever."""


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
    """(A,) size of a change of each control, as the standard deviation of noise on it.

    Of a motor of an arm or a trunk it is what moves a hand by a slide's, but no more than a hinge's.
    """
    mj, model = mujoco(), world.model
    levers = _levers(world)
    out = np.zeros(model.nu)
    for i in range(model.nu):
        joint = int(model.actuator_trnid[i, 0])
        if model.actuator_trntype[i] == mj.mjtTrn.mjTRN_TENDON:
            out[i] = options.finger * int(model.tendon_num[joint])
        elif joint in levers:
            out[i] = min(options.hinge, options.slide / levers[joint])
        elif "_base_" not in model.joint(joint).name:
            out[i] = options.finger
        elif model.jnt_type[joint] == mj.mjtJoint.mjJNT_SLIDE:
            out[i] = options.slide
        else:
            out[i] = options.hinge
    return out


def trunk_motors(world: World) -> Bools:
    """(A,) motors of joints of a body that carry all of its hands."""
    model, mj = world.model, mujoco()
    hands = _hands(world)
    out = np.zeros(model.nu, np.bool_)
    for i in range(model.nu):
        if model.actuator_trntype[i] == mj.mjtTrn.mjTRN_JOINT and len(hands) > 1:
            body = int(model.jnt_bodyid[model.actuator_trnid[i, 0]])
            out[i] = _is_body(world, body) and all(_carries(model, body, hand) for hand in hands)
    return out


def _levers(world: World) -> dict[int, float]:
    """Metres from each joint of a body to the nearest hand that it carries, arms as they are at zero."""
    model, mj = world.model, mujoco()
    data = mj.MjData(model)
    mj.mj_kinematics(model, data)
    hands = _hands(world)
    out = {}
    for joint in range(model.njnt):
        body = int(model.jnt_bodyid[joint])
        far = [
            float(np.linalg.norm(data.xpos[hand] - data.xanchor[joint]))
            for hand in hands
            if _carries(model, body, hand)
        ]
        if _is_body(world, body) and far:
            out[joint] = max(min(far), _LEAST)
    return out


def _hands(world: World) -> list[int]:
    """Bodies of palms on arms, those of idle hands, too."""
    model = world.model
    return [
        i
        for i in range(1, model.nbody)
        if not _is_body(world, i) and _is_body(world, int(model.body_parentid[i]))
    ]


def _is_body(world: World, body: int) -> bool:
    return str(world.model.body(body).name).startswith(MARK)


def _carries(model: Any, body: int, other: int) -> bool:
    """Whether a body is on the way from another one to the root."""
    while other > body:
        other = int(model.body_parentid[other])
    return other == body


def knots_to_frames(frames: int, knot: int) -> Array:
    """(frames, K) that turns values at knots into values at frames."""
    count = -(-(frames - 1) // knot) + 1
    at = np.arange(frames) / knot
    out: Array = np.clip(1.0 - np.abs(at[:, None] - np.arange(count)), 0.0, None)
    return out
