"""Which hands act in a trajectory, and on what: those that touch an object while it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Bools
from dexman_pose.data import Trajectory
from dexman_pose.data.tracks import SIDES, RigidObject
from dexman_pose.errors import InputError

AUTO = "auto"
"""In place of a hand: whichever acts."""


@dataclass(frozen=True)
class ActingOptions:
    """When a hand acts.

    Attributes:
        moved: metres from its place at which an object moves.
        share: of the frames in which it does that a hand touches it, at least; or the hand only passes by.
    """

    moved: float = 0.015
    share: float = 0.25


def acting(
    trajectory: Trajectory, objects: Sequence[RigidObject], options: ActingOptions | None = None
) -> tuple[str, str]:
    """Find the hands that handle objects, by the trajectory's own contacts.

    Args:
        trajectory: with contacts.
        objects: those that count.
        options: thresholds.

    Returns:
        ``left``, ``right`` or ``both``, and a line that says why.

    Raises:
        InputError: no hand touches any of them while it moves.
    """
    o = options or ActingOptions()
    shares = {side: _share(trajectory, side, objects, o) for side in trajectory.hands}
    told = ", ".join(f"{side} {100 * share:.0f} %" for side, share in shares.items()) or "no hand was found"
    sides = [side for side in SIDES if shares.get(side, 0.0) >= o.share]
    if not sides:
        raise InputError(
            "no hand touches an object while it moves (share of that time: "
            f"{told}); say which hand acts with --hand right, left or both"
        )
    return "both" if len(sides) > 1 else sides[0], f"hands that act, by their touch of what moves: {told}"


def handled(
    trajectory: Trajectory, objects: Sequence[RigidObject], options: ActingOptions | None = None
) -> list[RigidObject]:
    """Find the objects that some hand touches while they move.

    Others either did not move and are known badly, or the hand that moved them was not seen: no robot can move them so.

    Args:
        trajectory: with contacts.
        objects: those to choose from.
        options: thresholds.
    """
    o = options or ActingOptions()
    return [
        x
        for x in objects
        if max((_share(trajectory, side, [x], o) for side in trajectory.hands), default=0.0) >= o.share
    ]


def _share(trajectory: Trajectory, side: str, objects: Sequence[RigidObject], o: ActingOptions) -> float:
    """The greatest share, over objects, of the frames in which it moves that the hand touches it."""
    if trajectory.contacts is None:
        return 0.0
    shares = [0.0]
    for (hand, name), touching in zip(trajectory.contacts.pairs, trajectory.contacts.touching):
        for thing in objects:
            if hand == side and name == thing.name:
                moves = _moves(thing, o)
                shares.append(float(touching.any(1)[moves].mean()) if moves.any() else 0.0)
    return max(shares)


def _moves(thing: RigidObject, o: ActingOptions) -> Bools:
    """(T,) frames in which an object is known to be away from its first place."""
    places = thing.camera_from_object[:, :3, 3]
    first = places[int(np.argmax(thing.valid))]
    return np.asarray(thing.valid & (np.linalg.norm(places - first, axis=1) > o.moved))
