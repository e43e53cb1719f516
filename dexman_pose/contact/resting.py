"""Hands that rest beside a thing: a gap of millimetres is within the error of their distance, and no touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs
from dexman_pose.contact.coming import (
    RestingOptions,
    came_and_left,
    half_window,
    lies_still,
    seen_middle,
    seen_palm,
)
from dexman_pose.contact.phases import Handling
from dexman_pose.data import Contacts, HandTrack, RigidObject

Flags = NDArray[np.bool_]

_FINGERS = 5


def without_resting_touches(
    contacts: Contacts,
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    handled: Sequence[Handling],
    frame_times: Array,
    options: RestingOptions | None = None,
) -> Contacts:
    """Take away the touches of hands that rest beside what they do not take.

    A touch that stands is one of a thing the hand grips (``handled``), one of thumb and another finger at once, or one
    of a hand that came, lay still and left again. Taken away are those of hands that lie still from the clip's start,
    or to its end, with one side near a thing, and of hands that pass a thing that does not move.

    Args:
        contacts: by distance.
        objects: by name.
        hands: by side.
        handled: who holds what, and when.
        frame_times: (T,) seconds.
        options: what counts as still.

    Returns:
        Contacts with fewer touches, or as many.
    """
    o = options or RestingOptions()
    touching = contacts.touching.copy()
    for pair, (side, name) in enumerate(contacts.pairs):
        gripped = np.zeros(touching.shape[1], np.bool_)
        for h in handled:
            if (h.side, h.name) == (side, name):
                gripped |= h.gripped
        loose = touching[pair].any(1) & ~gripped & ~_opposed(touching[pair])
        still = lies_still(seen_palm(hands[side]), frame_times, o)
        passing = ~still & lies_still(seen_middle(objects[name]), frame_times, o)
        half, stays = half_window(frame_times, o), np.zeros_like(still)
        for start, stop in runs(touching[pair].any(1) & still):
            frames = np.arange(start, stop)
            if gripped[frames].any() or came_and_left(frames, hands[side], o):
                # Motion is measured over a window: where a hand comes to rest it seems to be on its way still.
                stays[max(frames[0] - half, 0) : frames[-1] + half + 1] = True
        touching[pair, loose & (passing | still) & ~stays] = False
    return replace(contacts, touching=touching)


def _opposed(touching: Flags) -> Flags:
    """(F,) of flags (F, 21): thumb and another finger touch."""
    fingers = np.stack([touching[:, 2 + 4 * f : 5 + 4 * f].any(1) for f in range(_FINGERS)], axis=1)
    out: Flags = fingers[:, 0] & fingers[:, 1:].any(1)
    return out
