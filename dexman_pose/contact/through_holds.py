"""Contacts that distances do not tell: a hold goes on where poses are doubted, and what is carried is touched."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs
from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.contact.phases import Handling
from dexman_pose.data import Contacts

Flags = NDArray[np.bool_]

_THUMB = np.array([3, 4])
_FINGERS = np.array([6, 7, 8, 10, 11, 12, 14, 15, 16, 18, 19, 20])
"""Joints of the thumb and of the fingers that hold things; knuckles belong to the palm."""


@dataclass(frozen=True)
class ThroughOptions:
    """What counts as a touch of an object that a hand carries.

    Attributes:
        usual: share of a hold's frames in which a joint touches from which on it does throughout.
        reach: metres between skin and surface, the middle over a hold, beyond which no joint is said to touch.
        beside: metres by which a joint's gap may exceed the smallest one's for it to touch as well.
        opposed: metres between skin and surface, the middle over a hold, up to which the thumb touches what fingers
            carry, and a finger what the thumb carries, if none of theirs does: one side alone carries little.
        opposed_made: the same for shapes that were made from the clip, whose far side is a guess; in frames in which
            their poses are doubted there is no limit.
    """

    usual: float = 0.5
    reach: float = 0.025
    beside: float = 0.004
    opposed: float = 0.012
    opposed_made: float = 0.025


def contacts_through_holds(
    contacts: Contacts,
    handled: Sequence[Handling],
    options: ThroughOptions | None = None,
    *,
    made: Collection[str] = (),
) -> Contacts:
    """Add the touches that follow from who holds what.

    While an object is gripped the same joints touch it: in frames in which hand or object is not valid they are those
    that touch in most of the hold's valid frames. An object that moves is touched by the hand it moves with: where no
    gap is small enough, by the joints that come nearest; and by thumb and finger, where one of them touches and the
    other is near. Distances, points and ``valid`` stay as they are.

    Args:
        contacts: by distance.
        handled: who holds what, and when; tracks as long as the contacts.
        options: what counts.
        made: names of objects whose shapes were made from the clip.

    Returns:
        Contacts with more touches, never fewer. A hold without a single valid frame adds none, nor does a joint that
        touches in no valid one.
    """
    o = options or ThroughOptions()
    touching = contacts.touching.copy()
    gaps = contacts.distance - JOINT_RADIUS
    for h in handled:
        if (h.side, h.name) not in contacts.pairs:
            continue
        pair = contacts.pairs.index((h.side, h.name))
        for start, stop in runs(h.gripped):
            frames = np.arange(start, stop)
            known = frames[contacts.valid[pair, frames]]
            if not len(known):
                continue
            usual = _usual(touching[pair, known], gaps[pair, known], bool(h.held[frames].any()), o)
            open_ = ~touching[pair, frames].any(1)
            filled = frames[open_ & (h.held[frames] | ~contacts.valid[pair, frames])]
            touching[pair, filled] |= usual
            carried, doubted = frames[h.held[frames]], frames[~contacts.valid[pair, frames]]
            opposed = o.opposed_made if h.name in made else o.opposed
            touching[pair, carried] |= _opposed(usual, gaps[pair, known], opposed)
            if h.name in made:  # no distance tells against it there
                touching[pair, doubted] |= _opposed(usual, gaps[pair, known], np.inf)
    # What never touches in a valid frame touches in none.
    valid = contacts.valid[:, :, None]
    touching &= valid | (touching & valid).any(1, keepdims=True)
    return replace(contacts, touching=touching)


def _usual(touching: Flags, gaps: Array, carried: bool, o: ThroughOptions) -> Flags:
    """(21,) joints that touch throughout a hold: most of the time, or nearest where it is carried all the same."""
    often: Flags = touching.mean(0) >= o.usual
    if often.any() or not carried:
        return often
    middle = np.median(gaps, axis=0)
    nearest = float(middle.min())
    return (middle <= nearest + o.beside) & (nearest <= o.reach)


def _opposed(usual: Flags, gaps: Array, reach: float) -> Flags:
    """(21,) the joint of the thumb, or of the fingers, that is nearest where only the other side touches."""
    out = np.zeros(len(usual), np.bool_)
    middle = np.median(gaps, axis=0)
    for own, other in ((_THUMB, _FINGERS), (_FINGERS, _THUMB)):
        if usual[other].any() and not usual[own].any():
            nearest = own[int(middle[own].argmin())]
            out[nearest] = middle[nearest] <= reach
    return out
