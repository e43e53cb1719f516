"""Grips that last longer than motion shows: a hand that holds before and after it cannot be seen holds in between."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class LastingOptions:
    """When two stretches of a hand on an object are one grip.

    Attributes:
        unseen: share of the frames between two grips in which the object is not to be believed, from which on the hand
            holds it there as well, unless the rest tells otherwise.
        with_it: share of the other frames in which the hand is near it.
        shifted: metres across the line of sight by which the palm may lie elsewhere on the object when it begins to
            carry it than while it rested there.
        settling: seconds between the two: fingers close before they lift ...
        closing: ... and metres within the window of motion that the hand moves against the object meanwhile at most.
        resting: seconds that it rested there at least.
    """

    unseen: float = 0.7
    with_it: float = 0.8
    shifted: float = 0.03
    settling: float = 0.5
    closing: float = 0.02
    resting: float = 0.2


def through_unseen(gripped: Flags, believed: Flags, near: Flags, o: LastingOptions) -> Flags:
    """(T,) gripped frames with those between two grips in which hardly anything is known of the object.

    Args:
        gripped: (T,) by one hand.
        believed: (T,) frames in which the object's pose may be used.
        near: (T,) the hand is on the object, or beside it.
        o: how much has to be unknown.
    """
    out = gripped.copy()
    for (_, first), (stop, _) in pairwise(runs(gripped)):
        seen = np.flatnonzero(believed[first:stop]) + first
        if len(seen) > (1.0 - o.unseen) * (stop - first):
            continue
        if not len(seen) or near[seen].mean() >= o.with_it:
            out[first:stop] = True
    return out


def with_rests(
    gripped: Flags, quiet: Flags, slow: Flags, palm_on: Array, step: float, o: LastingOptions
) -> Flags:
    """(T,) gripped frames with those before in which the hand rested on the object as it does when it carries it.

    Only before: a hand that has put something down often comes to rest beside it.

    Args:
        gripped: (T,) by one hand.
        quiet: (T,) frames in which it is near and does not move against the object.
        slow: (T,) frames in which it is near and moves against it by no more than ``closing``.
        palm_on: (T, 2) where the palm is seen from the object's middle, metres across the line of sight.
        step: seconds between two frames.
        o: what is one grip.
    """
    out = gripped.copy()
    longest, least = round(o.settling / step), max(round(o.resting / step), 1)
    for first, stop in runs(quiet & ~gripped):
        for start, _ in runs(gripped):
            if stop - first < least or not 0 <= start - stop <= longest:
                continue
            there, here = palm_on[stop - least : stop], palm_on[start : start + least]
            apart = float(np.linalg.norm(np.median(there, axis=0) - np.median(here, axis=0)))
            if slow[stop:start].all() and apart < o.shifted:
                out[first:start] = True
    return out
