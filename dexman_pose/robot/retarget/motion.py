"""A motion of hands onto robot hands: fingertips where the person's were, and on the surface where they touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import quaternion_from_matrix, transform_points
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.rig import HandPlace
from dexman_pose.robot.motion.touch import Touches
from dexman_pose.robot.motion.types import RATE, Motion
from dexman_pose.robot.retarget.kinematics import HandKinematics, Kinematics, palm_of, tips_of
from dexman_pose.robot.retarget.obstacles import Obstacle
from dexman_pose.robot.retarget.solve import RetargetOptions, solve_motion

_MILLIMETRES = 1000.0
_TOLD = 0.001
"""Metres from which on an overlap is worth a word."""


@dataclass(frozen=True)
class PressOptions:
    """How fingertips are brought to what they hold.

    Attributes:
        depth: metres under the surface that a touching tip aims at; what it lacks of them presses.
        open: metres that a tip keeps before the plane that it will touch, or has touched, while it comes or goes.
        wrong: metres behind that plane from which on a tip is elsewhere yet, and is let go its way; it fades from half.
        soft: frames over which a touch begins and ends.
        unreached: metres at which a touching tip does not reach what it touches.
        along: whether tips come to what they touch along its normal in the second half of closing; else straight.
        solve: weights of the joints' solution.
    """

    depth: float = 0.005
    open: float = 0.015
    wrong: float = 0.08
    soft: float = 2.0
    unreached: float = 0.03
    along: bool = True
    solve: RetargetOptions = field(default_factory=RetargetOptions)


@dataclass(frozen=True)
class Retargeted:
    """One hand's joints.

    Attributes:
        hand: what it is.
        kinematics: of the hand and what carries it.
        joints: (T, N) in the order of ``kinematics.joints``.
        aims: (T, K, 3) metres, world, what the hand's followed points aimed at.
        pressed: (T, F) from 0 to 1, how much each fingertip's aim lies under a surface.
        error: (T, F) metres between the fingertips and what they aimed at.
        tips: names of the F tips.
        speed: radians a second, the fastest that a finger's joint moves.
        overlap: (T,) metres by which parts of the robot lie in each other or in the table, at most; 0 for not at all.
        notes: what could not be reached, one line each.
    """

    hand: HandDescription
    kinematics: Kinematics
    joints: Array
    aims: Array
    pressed: Array
    error: Array
    tips: tuple[str, ...]
    speed: float
    overlap: Array
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the N joints."""
        return self.kinematics.joints

    def told(self) -> str:
        """Error of each finger, in one line."""
        parts = []
        for name, error in zip(self.tips, self.error.T):
            middle, most = _MILLIMETRES * np.median(error), _MILLIMETRES * error.max()
            parts.append(f"{name.removesuffix('_tip')} {middle:.1f} ({most:.0f})")
        errors = ", ".join(parts)
        crowded = ""
        if self.overlap.max() > _TOLD:
            count = int((self.overlap > _TOLD).sum())
            crowded = f"; it overlaps itself in {count} frames, by {_MILLIMETRES * self.overlap.max():.1f} mm at most"
        return (
            f"{self.hand.side} fingertips, mm in the middle (at most): {errors}; fastest joint {self.speed:.1f} "
            f"rad/s{crowded}"
        )


def retarget(
    motion: Motion,
    hand: HandDescription,
    touches: Sequence[Touches],
    held: dict[str, Array],
    options: PressOptions | None = None,
    obstacles: Sequence[Obstacle] = (),
) -> Retargeted:
    """Find a robot hand's joints for a person's hand.

    Args:
        motion: of T frames.
        hand: the robot's, of a side that moves.
        touches: contacts of the motion.
        held: (T,) from 0 to 1 by object, how much it is carried rather than at rest.
        options: how contacts are kept.
        obstacles: what the hand keeps clear of while it comes and goes.
    """
    o = options or PressOptions()
    joints = motion.hands[hand.side].joints
    targets = joints[:, [f.index for f in hand.followed]].copy()
    pressed = np.zeros(targets.shape[:2])
    for touch in touches:
        if touch.side == hand.side:
            _open(targets, hand, touch, motion.objects[touch.name].world_from_object, held[touch.name], o)
            _press(
                targets,
                pressed,
                hand,
                touch,
                motion.objects[touch.name].world_from_object,
                held[touch.name],
                o,
            )
    palms = palm_of(hand, joints)
    kinematics = HandKinematics(_zero(hand, palms, held), obstacles=obstacles)
    solved = solve_motion(kinematics, targets, palms, o.solve)
    tips, _ = tips_of(hand)
    return retargeted(hand, kinematics, solved, targets, pressed[:, tips], o)


def retargeted(
    hand: HandDescription, kinematics: Kinematics, joints: Array, aims: Array, pressed: Array, o: PressOptions
) -> Retargeted:
    """Say how well joints reach what a hand aimed at.

    Args:
        hand: one of those in ``kinematics``.
        kinematics: of the hand and what carries it.
        joints: (T, N).
        aims: (T, K, 3) of the hand's followed points.
        pressed: (T, F) of its fingertips.
        o: from where on something is said.
    """
    index, tips = tips_of(hand)
    rows = kinematics.rows(hand)
    reached = np.array([kinematics.points(q)[rows][index] for q in joints])
    error = np.linalg.norm(reached - aims[:, index], axis=2)
    fingers = joints[:, ~kinematics.is_carrier]
    speed = float(np.abs(np.diff(fingers, axis=0)).max() * RATE) if len(joints) > 1 else 0.0
    overlap = np.array([max([0.0, *(-x.gap for x in kinematics.overlaps(q, 0.0))]) for q in joints])
    names = tuple(f.joint for f in tips)
    notes = _unreached(hand.side, names, error, pressed, o)
    return Retargeted(hand, kinematics, joints, aims, pressed, error, names, speed, overlap, notes)


def _press(
    targets: Array,
    pressed: Array,
    hand: HandDescription,
    touch: Touches,
    poses: Array,
    held: Array,
    o: PressOptions,
) -> None:
    """Move the targets of touching tips under the surface, in place.

    Where they come along the normal, they go before the place that they will touch in the first half of their closing,
    and to it in the second: the straight way from where a finger is to where it holds may cut a corner of the object.
    """
    for i, point in enumerate(hand.followed):
        if not point.is_tip or point.joint not in touch.joints:
            continue
        k = touch.joints.index(point.joint)
        closed = touch.touching[:, k] * held
        half = np.minimum(2.0 * closed, 1.0) if o.along else closed
        share = gaussian_filter1d(half, o.soft, mode="nearest")[:, None]
        below = np.maximum(2.0 * closed - 1.0, 0.0) if o.along else np.ones_like(closed)
        down = gaussian_filter1d(below, o.soft, mode="nearest")[:, None]
        high = o.open - (o.open + o.depth) * down
        aim = touch.point[:, k] + high * touch.normal[:, k]
        aim = gaussian_filter1d(aim, o.soft, axis=0, mode="nearest")
        world = transform_points(poses, aim[:, None])[:, 0]
        targets[:, i] = (1.0 - share) * targets[:, i] + share * world
        pressed[:, i] = np.maximum(pressed[:, i], (down if o.along else share)[:, 0])


def _open(
    targets: Array, hand: HandDescription, touch: Touches, poses: Array, held: Array, o: PressOptions
) -> None:
    """Move the targets of tips that come or go before the plane that they hold by, in place: fingers open."""
    for i, point in enumerate(hand.followed):
        if not point.is_tip or point.joint not in touch.joints:
            continue
        k = touch.joints.index(point.joint)
        before = np.einsum("ti,ti->t", touch.place[:, k] - touch.point[:, k], touch.normal[:, k])
        missing = np.maximum(o.open - before, 0.0) * np.clip(2.0 + 2.0 * before / o.wrong, 0.0, 1.0)
        missing *= touch.closes[:, k] * (1.0 - held)
        outward = np.einsum("tij,tj->ti", poses[:, :3, :3], touch.normal[:, k])
        targets[:, i] += gaussian_filter1d(missing[:, None] * outward, o.soft / 2, axis=0, mode="nearest")


def _zero(hand: HandDescription, palms: tuple[Array, Array], held: dict[str, Array]) -> HandPlace:
    """The palm's pose in the middle of what it does, so that no hinge turns far."""
    carried = np.max(list(held.values()), axis=0)
    frame = int(np.argmax(np.cumsum(carried + 1e-9) >= 0.5 * (carried + 1e-9).sum()))
    rotations, places = palms
    return HandPlace(hand, places[frame], quaternion_from_matrix(rotations[frame]))


def _unreached(
    side: str, tips: tuple[str, ...], error: Array, pressed: Array, o: PressOptions
) -> tuple[str, ...]:
    said = []
    for name, far, share in zip(tips, error.T, pressed.T):
        touching = share > 0.5
        if touching.any() and float(np.median(far[touching])) > o.unreached:
            middle = _MILLIMETRES * float(np.median(far[touching]))
            said.append(f"the robot's {side} {name} stays {middle:.0f} mm from what it should touch")
    return tuple(said)
