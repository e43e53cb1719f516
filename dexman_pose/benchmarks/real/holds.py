"""Who holds what in clips without truth: a trajectory beside what a person saw in some of the frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.data import Contacts, Trajectory
from dexman_pose.data.tracks import SIDES
from dexman_pose.geometry.se3 import transform_points

REST, REACH = "rest", "reach"
"""What a hand may do beside holding an object, which is told by the object's name."""

_PALM = (0, 5, 9, 13, 17)
_TIPS = (4, 8, 12, 16, 20)
_INNER = (5, 95)
"""Percentiles between which a distance's range is taken: one bad frame is no range."""


@dataclass(frozen=True)
class HoldScores:
    """One clip's holds.

    Attributes:
        holds: pairs of hand and labelled frame in which the hand holds something.
        flagged: of these, the trajectory says that it touches that object.
        rests: pairs of hand and labelled frame in which the hand rests on the table.
        false: of these, the trajectory says that it touches something.
        tip_mm: median distance of the finger tips' skin from the held surface, millimetres, sign left out; None where
            no hold has an estimate.
        palm_range_mm: largest range, over the grasps, of the distance from the palm to the middle of what it holds,
            millimetres; None where there is no grasp with an estimate.
    """

    holds: int
    flagged: int
    rests: int
    false: int
    tip_mm: float | None
    palm_range_mm: float | None


def score_holds(trajectory: Trajectory, rows: Sequence[Mapping[str, Any]]) -> HoldScores:
    """Compare a trajectory with labels.

    Args:
        trajectory: of the clip.
        rows: one per labelled frame: ``frame``, and per side the name of the object that is held, ``rest``, ``reach``,
            or None where it cannot be told.
    """
    contacts = trajectory.contacts
    holds = [(s, str(r[s]), int(r["frame"])) for r in rows for s in SIDES if r[s] not in (None, REST, REACH)]
    rests = [(s, int(r["frame"])) for r in rows for s in SIDES if r[s] == REST]
    flagged = sum(_touches(contacts, side, name, frame) for side, name, frame in holds)
    names = list(trajectory.objects)
    false = sum(any(_touches(contacts, side, name, frame) for name in names) for side, frame in rests)
    tips = [_tips(contacts, *hold) for hold in holds]
    near = np.concatenate(tips) if tips else np.zeros(0)
    ranges = [
        r for pair in dict.fromkeys((s, n) for s, n, _ in holds) if (r := _range(trajectory, pair, holds))
    ]
    return HoldScores(
        len(holds),
        flagged,
        len(rests),
        false,
        1e3 * float(np.median(near)) if len(near) else None,
        1e3 * max(ranges) if ranges else None,
    )


def _touches(contacts: Contacts | None, side: str, name: str, frame: int) -> bool:
    if contacts is None or (side, name) not in contacts.pairs:
        return False
    return bool(contacts.touching[contacts.pairs.index((side, name)), frame].any())


def _tips(contacts: Contacts | None, side: str, name: str, frame: int) -> Array:
    """(5,) metres from the skin of each finger tip to the surface; (0,) where nothing is known."""
    if contacts is None or (side, name) not in contacts.pairs:
        return np.zeros(0)
    pair = contacts.pairs.index((side, name))
    if not contacts.valid[pair, frame]:
        return np.zeros(0)
    skin: Array = np.abs(contacts.distance[pair, frame] - JOINT_RADIUS)[list(_TIPS)]
    return skin


def _range(
    trajectory: Trajectory, pair: tuple[str, str], holds: Sequence[tuple[str, str, int]]
) -> float | None:
    """Range of the distance from the palm to the object's middle from the first labelled hold to the last, metres."""
    side, name = pair
    hand, thing = trajectory.hands.get(side), trajectory.objects.get(name)
    frames = [frame for s, n, frame in holds if (s, n) == pair]
    if hand is None or thing is None:
        return None
    within = np.zeros(len(hand.valid), np.bool_)
    within[min(frames) : max(frames) + 1] = True
    known: NDArray[np.bool_] = within & hand.valid & thing.track.valid
    if known.sum() < len(frames):
        return None
    palm = hand.joints[known][:, list(_PALM)].mean(1)
    middle = transform_points(thing.camera_from_object[known], thing.mesh.center[None])[:, 0]
    low, high = np.percentile(np.linalg.norm(palm - middle, axis=1), _INNER)
    return float(high - low)
