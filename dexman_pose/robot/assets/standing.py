"""A body that stands beside a table: its root held still, hands on its arms, servos on trunk and arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import matrix_from_quaternion, quaternion_from_matrix, so3_exp
from dexman_pose.robot.assets.attached import attach_hand, read_source, without_looks
from dexman_pose.robot.assets.body import BASE, MARK, ArmDescription, BodyDescription, Drive
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.engine import mujoco


@dataclass(frozen=True)
class BodyPlace:
    """A body where it stands, and its hands.

    Attributes:
        body: what it is.
        hands: that act; their arms and the trunk are driven.
        idle: hands on the other arms, which are parked: neither these arms nor their hands move.
        place: (3,) of the root, metres, world.
        turn: radians about the vertical, of the root.
    """

    body: BodyDescription
    hands: tuple[HandDescription, ...]
    idle: tuple[HandDescription, ...]
    place: Array
    turn: float

    @property
    def carriers(self) -> tuple[str, ...]:
        """Names, in a model, of the joints that carry the hands that act: the trunk's, then each arm's."""
        arms = [joint for hand in self.hands for joint in self.body.arm(hand.side).joints]
        return tuple(MARK + joint for joint in (*self.body.trunk, *arms))


def add_body(spec: Any, placed: BodyPlace) -> None:
    """Add a body to a model, with all its hands.

    Args:
        spec: an ``MjSpec``; its solver's settings are kept.
        placed: what is added, and where.

    Raises:
        InputError: a file is not that of its description.
    """
    body = placed.body
    source = read_source(body.file, spec)
    _check(source, body)
    for hand in placed.idle:
        arm = body.arm(hand.side)
        for joint, angle in zip(arm.joints, arm.parked):
            _freeze(source, source.joint(joint), angle)
    _strip(source, placed)
    for drive in body.drives:
        if MARK + drive.joint in placed.carriers:
            _drive(source, drive)
    root = source.body(body.root)
    root.pos = [0.0, 0.0, 0.0]
    base = spec.worldbody.add_body(
        name=BASE,
        pos=placed.place,
        quat=quaternion_from_matrix(so3_exp(np.array([0, 0, placed.turn]))),
    )
    base.add_frame().attach_body(root, MARK, "")
    joined = spec.body(MARK + body.root)
    for part in [joined, *joined.find_all(mujoco().mjtObj.mjOBJ_BODY)]:
        part.gravcomp = 1.0
    for hand in placed.hands:
        _join(spec, body.arm(hand.side), hand)
    for hand in placed.idle:
        palm = _join(spec, body.arm(hand.side), hand)
        _stiffen(spec, palm, hand)


def _join(spec: Any, arm: ArmDescription, hand: HandDescription) -> Any:
    wrist = spec.body(MARK + arm.wrist)
    return attach_hand(spec, wrist.add_frame(pos=list(arm.place), quat=list(arm.turn)), hand)


def _check(source: Any, body: BodyDescription) -> None:
    wrists = [arm.wrist for arm in body.arms]
    lacking = [name for name in (body.root, *body.without, *wrists) if source.body(name) is None]
    joints = [*body.trunk, *(joint for arm in body.arms for joint in arm.joints)]
    lacking += [name for name in joints if source.joint(name) is None]
    if lacking:
        raise InputError(f"{body.file} has no {', '.join(lacking)}: it is no {body.robot}")


def _strip(source: Any, placed: BodyPlace) -> None:
    """Take away motors, sensors, all joints but those that carry a hand that acts, legs, own hands, and looks."""
    body = placed.body
    for extra in (*source.actuators, *source.sensors):
        source.delete(extra)
    for joint in list(source.joints):
        if MARK + joint.name not in placed.carriers:
            source.delete(joint)
    for name in body.without:
        source.delete(source.body(name))
    for geom in list(source.geoms):
        if geom.meshname in body.bare:
            source.delete(geom)
    without_looks(source)
    used = {geom.meshname for geom in source.geoms}
    for mesh in list(source.meshes):
        if mesh.name not in used:  # not even read
            source.delete(mesh)


def _drive(source: Any, drive: Drive) -> None:
    """Put a servo on a joint; its limit of torque holds for what bears gravity, too."""
    mj = mujoco()
    joint = source.joint(drive.joint)
    joint.armature, joint.actgravcomp = drive.armature, 1
    joint.actfrclimited, joint.actfrcrange = True, [-drive.torque, drive.torque]
    motor = source.add_actuator(
        name=f"{drive.joint}_motor", target=drive.joint, trntype=mj.mjtTrn.mjTRN_JOINT
    )
    motor.set_to_position(kp=drive.stiffness, kv=drive.damping)
    motor.ctrlrange, motor.ctrllimited = list(joint.range), True
    motor.forcerange = [-drive.torque, drive.torque]


def _stiffen(spec: Any, palm: Any, hand: HandDescription) -> None:
    """Take all joints of an idle hand away, with their motors and tendons: its fingers stay straight."""
    for motor in list(spec.actuators):
        if motor.name.startswith(hand.mark):
            spec.delete(motor)
    for tendon in list(spec.tendons):
        if tendon.name.startswith(hand.mark):
            spec.delete(tendon)
    for body in [palm, *palm.find_all(mujoco().mjtObj.mjOBJ_BODY)]:
        for joint in list(body.joints):
            spec.delete(joint)


def _freeze(source: Any, joint: Any, angle: float) -> None:
    """Turn the body of a hinge by an angle for good; the joint itself is taken away with all others."""
    body = joint.parent
    axis = np.asarray(joint.axis, np.float64)
    turn = so3_exp(angle * axis / np.linalg.norm(axis))
    before = matrix_from_quaternion(np.asarray(body.quat, np.float64))
    pivot = np.asarray(joint.pos, np.float64)
    body.pos = np.asarray(body.pos) + before @ (pivot - turn @ pivot)
    body.quat = quaternion_from_matrix(before @ turn)


def idle_sides(body: BodyDescription, hands: Sequence[HandDescription]) -> tuple[str, ...]:
    """Sides of a body's arms on which no hand acts."""
    acting = {hand.side for hand in hands}
    return tuple(arm.side for arm in body.arms if arm.side not in acting)
