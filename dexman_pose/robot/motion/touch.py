"""Which points of a hand touch which points of an object: the contacts that a robot is to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array, Bools, runs
from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.robot.motion.surface import Surface, surface_of
from dexman_pose.robot.motion.types import RATE, Motion, MovingHand, MovingObject

TOUCHING = (
    *(f"{finger}_tip" for finger in ("thumb", "index", "middle", "ring", "pinky")),
    *(f"{finger}_mcp" for finger in ("index", "middle", "ring", "pinky")),
)
"""Joints that may touch: fingertips, and the knuckles for the palm."""


@dataclass(frozen=True)
class TouchOptions:
    """When a joint touches. Joints lie inside a finger, up to a finger's thickness from what it touches.

    Attributes:
        tip: metres from the surface, of a fingertip.
        palm: metres, of a knuckle.
        steady: metres that a touched point moves over the object at most from one frame to the next, else the finger
            passes by.
        arrived: metres from the point that it will hold, or has held, an object by, at which a finger touches there.
        closing: seconds before an object moves, and after it has stopped, in which fingers go to, or leave, the points
            that they hold it by.
    """

    tip: float = 0.025
    palm: float = 0.035
    steady: float = 0.02
    arrived: float = 0.02
    closing: float = 0.5


@dataclass(frozen=True)
class Touches:
    """What one hand touches of one object.

    Attributes:
        side: of the hand.
        name: of the object.
        joints: names of the K joints, of ``TOUCHING``.
        touching: (T, K).
        point: (T, K, 3) nearest of the surface, object frame, metres.
        normal: (T, K, 3) outward there.
        distance: (T, K) metres.
        place: (T, K, 3) of the joints, object frame.
        closes: (T, K) the joint comes to, or goes from, ``point``, by which it holds the object a little later or
            earlier; see :func:`closing_on_holds`.
    """

    side: str
    name: str
    joints: tuple[str, ...]
    touching: Bools
    point: Array
    normal: Array
    distance: Array
    place: Array
    closes: Bools


def touches_of(motion: Motion, options: TouchOptions | None = None) -> tuple[Touches, ...]:
    """Contacts of every hand with every object."""
    o = options or TouchOptions()
    surfaces = {name: surface_of(thing.mesh) for name, thing in motion.objects.items()}
    return tuple(
        _touches(hand, thing, surfaces[name], o)
        for hand in motion.hands.values()
        for name, thing in motion.objects.items()
    )


def _touches(hand: MovingHand, thing: MovingObject, surface: Surface, o: TouchOptions) -> Touches:
    index = [JOINT_NAMES.index(name) for name in TOUCHING]
    local = transform_points(inverse(thing.world_from_object), hand.joints[:, index])
    distance, point, normal = surface.nearest(local)
    limit = np.array([o.tip if name.endswith("_tip") else o.palm for name in TOUCHING])
    drift = np.linalg.norm(np.diff(local, axis=0, prepend=local[:1]), axis=2)
    touching = (distance < limit) & (drift < o.steady)
    return Touches(
        hand.side, thing.name, TOUCHING, touching, point, normal, distance, local, np.zeros_like(touching)
    )


def closing_on_holds(
    touches: Sequence[Touches], moving: Mapping[str, Bools], options: TouchOptions | None = None
) -> tuple[Touches, ...]:
    """Touches with which fingers close on an object where they will hold it.

    A finger on its way comes near other places first: pressed there it would push the object away. Before an object
    moves, and after it has stopped, a finger touches where it does when the object begins, or ends, to move, once it is
    near that place, and nothing else.

    Args:
        touches: of a motion.
        moving: (T,) frames in which each object has left its place or moves.
        options: for how long.
    """
    o = options or TouchOptions()
    span = round(o.closing * RATE)
    out = []
    for touch in touches:
        frames = moving[touch.name]
        source = np.arange(len(frames))
        for start, stop in runs(frames):
            source[max(0, start - span) : start] = start
            source[stop : min(len(frames), stop + span)] = stop - 1
        point = touch.point[source]
        there = np.linalg.norm(touch.place - point, axis=2) < o.arrived
        moved = (source != np.arange(len(frames)))[:, None]
        touching = np.where(moved, touch.touching[source] & there, touch.touching)
        closes = moved & touch.touching[source]
        out.append(replace(touch, touching=touching, point=point, normal=touch.normal[source], closes=closes))
    return tuple(out)
