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
        grown: seconds after an object has begun to move at which all fingers that hold it do so.
        near: metres that a finger is, when the object begins to move, from where it holds it then, at most; one that is
            farther away, another hand's perhaps, comes when it comes.
        above: metres over the table from which on a finger comes to a point of an object that has not moved yet.
        under: of the height of an outward normal, below which a finger does not come to it.
    """

    tip: float = 0.025
    palm: float = 0.035
    steady: float = 0.02
    arrived: float = 0.02
    closing: float = 0.5
    grown: float = 0.4
    near: float = 0.08
    above: float = 0.025
    under: float = -0.5


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
    touches: Sequence[Touches],
    moving: Mapping[str, Bools],
    poses: Mapping[str, Array],
    options: TouchOptions | None = None,
) -> tuple[Touches, ...]:
    """Touches with which fingers close on an object where they will hold it.

    A finger on its way comes near other places first: pressed there it would push the object away. Before an object
    moves, and after it has stopped, a finger touches where it holds the object, and nothing else.

    By one finger nothing is lifted, but measured fingers do not come all at once: some are seen at an object when it
    has left its place already. All those that hold it a little later close on it before it moves, where they will hold
    it; if that is too near the table, where they are when it begins to move.

    Args:
        touches: of a motion.
        moving: (T,) frames in which each object has left its place or moves.
        poses: (T, 4, 4) world from object of each, the table at height zero.
        options: for how long.
    """
    o = options or TouchOptions()
    return tuple(_closing(touch, moving[touch.name], poses[touch.name], o) for touch in touches)


def _closing(touch: Touches, moving: Bools, poses: Array, o: TouchOptions) -> Touches:
    span, grown = round(o.closing * RATE), round(o.grown * RATE)
    point, normal = touch.point.copy(), touch.normal.copy()
    closes, comes = np.zeros_like(touch.touching), np.zeros_like(touch.touching)
    moved = np.zeros_like(moving)
    lifts = runs(moving)
    rests = [0, *[stop for _, stop in lifts]]
    begins = [*[start for start, _ in lifts[1:]], len(moving)]
    for (start, stop), rested, begun in zip(lifts, rests, begins):
        before, after = slice(max(rested, start - span), start), slice(stop, min(stop + span, begun))
        for frames, hold in ((before, start), (after, stop - 1)):
            point[frames], normal[frames] = touch.point[hold], touch.normal[hold]
            closes[frames], moved[frames] = touch.touching[hold], True
        later = min(start + grown, stop - 1)
        where, outward = touch.point[later], touch.normal[later]
        near = touch.touching[later] & (np.linalg.norm(touch.place[start] - where, axis=1) < o.near)
        comes[before.start : later] = near
        closes[before] |= near
        free = near & _is_free(where, outward, poses[before.start], o)
        point[before.start : later, free], normal[before.start : later, free] = where[free], outward[free]
    there = np.linalg.norm(touch.place - point, axis=2) < o.arrived
    touching = np.where(moved[:, None], closes & there, touch.touching) | comes
    return replace(touch, touching=touching, point=point, normal=normal, closes=closes)


def _is_free(point: Array, normal: Array, pose: Array, o: TouchOptions) -> Bools:
    """(K,) points (K, 3) of an object at rest that fingers come to: neither near the table nor on the underside."""
    height = transform_points(pose, point)[:, 2]
    upwards = (normal @ pose[:3, :3].T)[:, 2]
    return np.asarray((height > o.above) & (upwards > o.under))
