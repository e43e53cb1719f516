"""The motion that a robot is to repeat: joints of hands and poses of objects over a table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Mesh
from dexman_pose.data.tracks import JOINT_NAMES, SIDES
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.robot.motion.resample import points_at, poses_at

RATE = 30.0
"""Frames a second of every motion; a robot's controls come at the same rate."""
_MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])


@dataclass(frozen=True)
class MovingHand:
    """A person's hand.

    Attributes:
        side: ``left`` or ``right``.
        joints: (T, 21, 3) in the order of ``JOINT_NAMES``, metres, world.
        bridged: (T,) frames that were interpolated between others.
    """

    side: str
    joints: Array
    bridged: Bools


@dataclass(frozen=True)
class MovingObject:
    """An object.

    Attributes:
        name: its name.
        mesh: metres.
        world_from_object: (T, 4, 4).
        bridged: (T,) frames that were interpolated between others.
    """

    name: str
    mesh: Mesh
    world_from_object: Array
    bridged: Bools

    def at_rest(self, apart: float) -> int:
        """Number of frames from the first in which the object is within ``apart`` metres of its first place."""
        places = self.world_from_object[:, :3, 3]
        moved = np.linalg.norm(places - places[0], axis=1) > apart
        return int(np.argmax(moved)) if moved.any() else len(moved)


@dataclass(frozen=True)
class Motion:
    """Hands and objects over T frames at :data:`RATE`; z is up, the table is z = 0.

    Attributes:
        hands: by side.
        objects: by name.
        source: where it comes from, in words.
        notes: what was bridged, left out or assumed on the way, one line each.
        begins: seconds in the source at which the first frame was filmed.
    """

    hands: dict[str, MovingHand]
    objects: dict[str, MovingObject]
    source: str = ""
    notes: tuple[str, ...] = field(default=())
    begins: float = 0.0

    def __post_init__(self) -> None:
        if not self.hands or not self.objects:
            raise InputError("a motion needs a hand and an object; check which hands and objects were found")
        lengths = {len(h.joints) for h in self.hands.values()} | {
            len(o.world_from_object) for o in self.objects.values()
        }
        if len(lengths) != 1:
            raise InputError(
                f"hands and objects of a motion need one length, but got {sorted(lengths)} frames"
            )
        for side, hand in self.hands.items():
            if side not in SIDES or hand.side != side or hand.joints.shape[1:] != (len(JOINT_NAMES), 3):
                raise InputError(
                    f"a hand needs a side and (T, 21, 3) joints, but got {side!r}, {hand.joints.shape}"
                )
        values = [h.joints for h in self.hands.values()] + [
            o.world_from_object for o in self.objects.values()
        ]
        if not all(np.isfinite(v).all() for v in values):
            raise InputError("joints and poses of a motion must be numbers; bridge missing frames first")

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(next(iter(self.hands.values())).joints)

    def noted(self, *lines: str) -> Motion:
        """The same motion with more notes."""
        return replace(self, notes=(*self.notes, *lines))

    def cut(self, start: int, stop: int) -> Motion:
        """Frames ``start`` to ``stop`` (excluded)."""
        span = slice(start, stop)
        hands = {
            side: replace(h, joints=h.joints[span], bridged=h.bridged[span]) for side, h in self.hands.items()
        }
        objects = {
            name: replace(o, world_from_object=o.world_from_object[span], bridged=o.bridged[span])
            for name, o in self.objects.items()
        }
        return replace(self, hands=hands, objects=objects, begins=self.begins + start / RATE)

    def slowed(self, first: int, frames: int) -> Motion:
        """The motion with its first frames (one or more) gone more slowly, so that they take so many."""
        old = np.arange(self.num_frames, dtype=np.float64)
        at = np.concatenate([np.arange(frames) * first / frames, old[first:]])
        every, nearest = np.ones(len(old), np.bool_), np.floor(at).astype(int)
        hands = {
            side: replace(h, joints=points_at(old, h.joints, every, at), bridged=h.bridged[nearest])
            for side, h in self.hands.items()
        }
        objects = {
            name: replace(
                o,
                world_from_object=poses_at(old, o.world_from_object, every, at),
                bridged=o.bridged[nearest],
            )
            for name, o in self.objects.items()
        }
        return replace(self, hands=hands, objects=objects, begins=self.begins - (frames - first) / RATE)

    def moved(self, by: dict[str, Array], hand_by: dict[str, Array]) -> Motion:
        """Objects and hands moved by (T, 4, 4) or (4, 4) transforms ``world_from_world``, by name and side."""
        objects = {
            name: replace(o, world_from_object=by[name] @ o.world_from_object)
            for name, o in self.objects.items()
        }
        hands = {
            side: replace(h, joints=transform_points(hand_by[side], h.joints))
            for side, h in self.hands.items()
        }
        return replace(self, hands=hands, objects=objects)

    def mirrored(self) -> Motion:
        """The motion in a mirror: the other hand, and mirrored objects. x becomes -x."""
        flip = _MIRROR[:3, :3]
        hands = {}
        for side, hand in self.hands.items():
            other = SIDES[1 - SIDES.index(side)]
            hands[other] = replace(hand, side=other, joints=hand.joints @ flip)
        objects = {
            name: replace(
                o,
                mesh=Mesh(o.mesh.vertices @ flip, o.mesh.faces[:, ::-1].copy(), source=o.mesh.source),
                world_from_object=_MIRROR @ o.world_from_object @ _MIRROR,
            )
            for name, o in self.objects.items()
        }
        return replace(self, hands=hands, objects=objects).noted("mirrored: left and right are exchanged")
