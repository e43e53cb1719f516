"""A robot's hand without an arm: its palm on three slides and three hinges, each driven to a position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.robot.assets.attached import attach_hand
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.engine import mujoco

AXES = "xyz"


@dataclass(frozen=True)
class FloatingOptions:
    """How a free hand is driven.

    Attributes:
        stiffness: N/m of the slides.
        turning: N m/rad of the hinges.
        mass: kg, what the slides' damping is critical for.
        inertia: kg m2, what the hinges' damping is critical for.
        force: N, most that a slide pushes.
        torque: N m, most that a hinge turns.
        base_mass: kg of the body between slides and palm.
        base_inertia: kg m2 of it.
        armature: kg and kg m2 added to slides and hinges.
        reach: metres that a slide goes from its middle.
        turn: radians that a hinge goes from its middle.
    """

    stiffness: float = 1000.0
    turning: float = 30.0
    mass: float = 1.0
    inertia: float = 0.006
    force: float = 100.0
    torque: float = 10.0
    base_mass: float = 0.2
    base_inertia: float = 1e-3
    armature: tuple[float, float] = (0.1, 0.002)
    reach: float = 2.0
    turn: float = 3.14


def base_joints(hand: HandDescription) -> tuple[str, ...]:
    """Names of the six joints that carry a free hand: slides, then hinges."""
    return tuple(f"{hand.mark}base_{kind}{axis}" for kind in "tr" for axis in AXES)


def add_floating_hand(
    spec: Any, hand: HandDescription, place: Array, quaternion: Array, options: FloatingOptions | None = None
) -> None:
    """Add a free hand to a model.

    What is only to be seen is left away; the hand weighs nothing: whatever carries it bears its weight.

    Args:
        spec: an ``MjSpec``; its solver's settings are kept.
        hand: what is added.
        place: (3,) of the palm where all slides are at zero, metres, world.
        quaternion: (4,) wxyz, of the palm where all hinges are at zero.
        options: how it is driven.

    Raises:
        InputError: the file is no hand of that description.
    """
    o = options or FloatingOptions()
    mj = mujoco()
    base = spec.worldbody.add_body(name=f"{hand.mark}base", pos=place, quat=quaternion)
    base.mass, base.ipos, base.inertia = o.base_mass, [0.0, 0.0, 0.0], [o.base_inertia] * 3
    base.explicitinertial = True  # with its place said, or a model written as XML loses the mass
    kinds = (
        (mj.mjtJoint.mjJNT_SLIDE, o.reach, o.armature[0]),
        (mj.mjtJoint.mjJNT_HINGE, o.turn, o.armature[1]),
    )
    for i, name in enumerate(base_joints(hand)):
        kind, span, armature = kinds[i // len(AXES)]
        axis = np.eye(len(AXES))[i % len(AXES)]
        base.add_joint(name=name, type=kind, axis=axis, range=[-span, span], armature=armature)
    attach_hand(spec, base.add_frame(), hand)
    base.gravcomp = 1.0
    for i, name in enumerate(base_joints(hand)):
        slide = i < len(AXES)
        gain, moved = (o.stiffness, o.mass) if slide else (o.turning, o.inertia)
        span, most = (o.reach, o.force) if slide else (o.turn, o.torque)
        motor = spec.add_actuator(name=f"{name}_motor", target=name, trntype=mj.mjtTrn.mjTRN_JOINT)
        motor.set_to_position(kp=gain, kv=2.0 * float(np.sqrt(gain * moved)))
        motor.ctrlrange, motor.ctrllimited, motor.forcerange = [-span, span], True, [-most, most]
