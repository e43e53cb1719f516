"""Which points of a hand touch which points of an object: the contacts that a robot is to keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.robot.motion.surface import Surface, surface_of
from dexman_pose.robot.motion.types import Motion, MovingHand, MovingObject

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
    """

    tip: float = 0.025
    palm: float = 0.035
    steady: float = 0.02


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
    """

    side: str
    name: str
    joints: tuple[str, ...]
    touching: Bools
    point: Array
    normal: Array
    distance: Array


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
    return Touches(hand.side, thing.name, TOUCHING, touching, point, normal, distance)
