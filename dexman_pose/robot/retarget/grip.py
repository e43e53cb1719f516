"""Fingers that hold: controls with which touching tips press by a stated force, whatever the servos' stiffness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import lsq_linear

from dexman_pose.arrays import Array
from dexman_pose.robot.motion.touch import Touches
from dexman_pose.robot.motion.types import Motion
from dexman_pose.robot.objects.mass import MassProperties
from dexman_pose.robot.retarget.bear import GRAVITY, BearOptions, borne, loads
from dexman_pose.robot.retarget.kinematics import tips_of
from dexman_pose.robot.retarget.motion import Retargeted
from dexman_pose.robot.world.build import World
from dexman_pose.robot.world.controls import controls_for

_LITTLE = 1e-3  # weight of a tip that does not touch
_HALF = 0.5  # touching from here on


@dataclass(frozen=True)
class GripOptions:
    """How hard a hand holds.

    Attributes:
        margin: times the force that friction needs to bear the object's weight between the tips that touch.
        least: N, of a tip.
        most: N, of a tip.
        late: share of the closing after which tips begin to press: one that does not touch yet would be driven aside.
        soft: frames over which a grip begins and ends.
        balance: weight of what the tips' forces leave of a push and a turn, beside their distance from equal ones.
        regained: times that balanced forces are raised at most, to bear together what the wanted ones would; where
            nothing opposes them they stay small, for they would only push the object away.
        arm: metres, what a turn is divided by to be compared with a push.
        bear: what has to be borne where the object is held; None to leave that out.
    """

    margin: float = 5.0
    least: float = 2.0
    most: float = 8.0
    late: float = 0.8
    soft: float = 1.0
    balance: float = 10.0
    regained: float = 1.5
    arm: float = 0.03
    bear: BearOptions | None = field(default_factory=BearOptions)


def grip_controls(
    world: World,
    motion: Motion,
    hands: Sequence[Retargeted],
    touches: Sequence[Touches],
    held: dict[str, Array],
    masses: dict[str, MassProperties],
    friction: float,
    options: GripOptions | None = None,
) -> Array:
    """What is added to the controls (T, A) of the retargeted motion so that touching tips press.

    A force on a tip is a torque on its finger's joints by the transposed Jacobian, and a torque is a control beyond the
    joint by the servo's stiffness. The palm's servos are stiff and bear what the tips do not balance.

    Args:
        world: whose motors are controlled.
        motion: of the objects.
        hands: retargeted.
        touches: what they touch.
        held: (T,) by object, how much it is held.
        masses: by object.
        friction: along surfaces.
        options: how hard.
    """
    o = options or GripOptions()
    joints = np.zeros((motion.num_frames, len(world.joints)))
    for hand in hands:
        forces = _forces(motion, hand, touches, held, masses, friction, o)
        columns = [world.joints.index(name) for name in hand.names]
        joints[:, columns] += _torques(hand, forces)
    return joints @ _controls_per_torque(world).T


def _forces(
    motion: Motion,
    hand: Retargeted,
    touches: Sequence[Touches],
    held: dict[str, Array],
    masses: dict[str, MassProperties],
    friction: float,
    o: GripOptions,
) -> Array:
    """(T, F, 3) N, world, on the hand's fingertips."""
    out = np.zeros((motion.num_frames, len(hand.tips), 3))
    for touch in touches:
        if touch.side != hand.hand.side:
            continue
        index = [touch.joints.index(name) for name in hand.tips if name in touch.joints]
        tips = [i for i, name in enumerate(hand.tips) if name in touch.joints]
        closed = np.clip((held[touch.name] - o.late) / max(1.0 - o.late, _LITTLE), 0.0, 1.0)
        on = gaussian_filter1d(touch.touching[:, index] * closed[:, None], o.soft, axis=0, mode="nearest")
        count = np.maximum(on.sum(1, keepdims=True), 1.0)
        force = np.clip(o.margin * masses[touch.name].mass * GRAVITY / (friction * count), o.least, o.most)
        inward = -gaussian_filter1d(touch.normal[:, index], o.soft, axis=0, mode="nearest")
        inward /= np.maximum(np.linalg.norm(inward, axis=2, keepdims=True), 1e-9)
        at = gaussian_filter1d(touch.point[:, index], o.soft, axis=0, mode="nearest")
        size = np.array(
            [_balanced(*frame, o) for frame in zip(np.broadcast_to(force, on.shape), on, inward, at)]
        )
        poses = motion.objects[touch.name].world_from_object
        turned = np.einsum("tij,tkj->tki", poses[:, :3, :3], inward)
        if o.bear is not None:
            bearing = _bearing(poses, masses[touch.name], on, turned, at, friction, o.bear)
            press = np.einsum("tki,tki->tk", bearing, turned)
            size = np.minimum(np.maximum(size, o.bear.margin * press), o.most)
            out[:, tips] += on[..., None] * (bearing - press[..., None] * turned)
        out[:, tips] += (on * size)[..., None] * turned
    return out


def _bearing(
    poses: Array,
    mass: MassProperties,
    on: Array,
    inward: Array,
    at: Array,
    friction: float,
    bear: BearOptions,
) -> Array:
    """(T, F, 3) N, world, of tips that bear an object on its way; ``inward`` world, ``at`` the object's frame."""
    middle = poses[:, :3, 3] + poses[:, :3, :3] @ mass.center
    arms = np.einsum("tij,tkj->tki", poses[:, :3, :3], at - mass.center)
    out = np.zeros((*on.shape, 3))
    for t, load in enumerate(loads(middle, mass.mass, bear)):
        tips = np.flatnonzero(on[t] > _HALF)
        if len(tips) > 1:
            out[t, tips] = borne(inward[t, tips], arms[t, tips], load, friction, bear)
    return out


def _balanced(wanted: Array, on: Array, inward: Array, at: Array, o: GripOptions) -> Array:
    """Forces (F,) near the wanted ones that push and turn the object as little as they can.

    A thumb against four fingers presses as they do together; a finger that nothing opposes presses little.

    Args:
        wanted: (F,) N.
        on: (F,) from 0 to 1, how much each tip touches.
        inward: (F, 3) unit.
        at: (F, 3) metres, where.
        o: settings.
    """
    if not on.any():
        return wanted
    middle = (on[:, None] * at).sum(0) / on.sum()
    turn = np.cross(at - middle, inward) / o.arm
    wrench = np.concatenate([inward, turn], axis=1).T * on * np.sqrt(o.balance)
    rows = np.concatenate([wrench, np.diag(np.maximum(on, _LITTLE))])
    right = np.concatenate([np.zeros(len(wrench)), np.maximum(on, _LITTLE) * wanted])
    found = lsq_linear(rows, right, bounds=(0.0, o.most)).x
    total = float((on * found).sum())
    if total <= 0.0:
        return wanted
    more = min(
        float((on * wanted).sum()) / total, o.regained
    )  # where tips oppose each other, they bear as much
    out: Array = np.minimum(found * more, o.most)
    return out


def _torques(hand: Retargeted, forces: Array) -> Array:
    """(T, N) N m on the hand's joints; none on those that carry it."""
    kinematics = hand.kinematics
    index, _ = tips_of(hand.hand)
    rows = np.arange(len(kinematics.weights))[kinematics.rows(hand.hand)][index]
    out = np.zeros_like(hand.joints)
    for t, q in enumerate(hand.joints):
        if not forces[t].any():
            continue
        _, jacobian = kinematics.points_and_jacobian(q)
        blocks = jacobian.reshape(-1, 3, jacobian.shape[1])[rows]
        out[t] = np.einsum("fin,fi->n", blocks, forces[t])
    out[:, kinematics.is_carrier] = 0.0
    return out


def _controls_per_torque(world: World) -> Array:
    """(A, J) controls beyond a joint that make a torque on it; a motor of two joints shares the mean of theirs."""
    count = len(world.joints)
    zero = np.zeros((1, count))
    moved = controls_for(world, np.concatenate([zero, np.eye(count)]))
    arms = (moved[1:] - moved[:1]).T
    stiffness = np.asarray(world.model.actuator_gainprm[:, 0], np.float64)
    squares = (arms**2).sum(1)
    usable = (stiffness > 0) & (squares > 0)
    scale = np.where(usable, 1.0 / np.where(usable, stiffness * squares, 1.0), 0.0)
    out: Array = scale[:, None] * arms
    return out
