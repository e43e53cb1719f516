"""Whose hand is it: tracklets become the person's left and right hand through the whole clip.

One side per tracklet, never two hands of one side at a time. Among all ways to do that the one is chosen that
agrees best with the network's handedness, summed over each tracklet, and with the motion between tracklets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.hands import roi as regions
from dexman_pose.hands.tracking import Tracklet, centre

Array = NDArray[np.float64]

LEFT, RIGHT = 0, 1
# Weights per frame: being used at all, and one unit of log odds of the handedness (clipped at +-3). Evidence
# against a side weighs less than the hand itself, so that a hand the network calls wrongly still gets the free side.
USE = 1.0
EVIDENCE = 0.3
MAX_LOGIT = 3.0
# Cost of a jump between consecutive tracklets of a side, per palm length, fading with the frames between them.
JUMP = 4.0
MAX_JUMP = 6.0
FADE = 20.0
# Cost of a hand that comes from nowhere, and of one that comes up where the other hand has just been.
BIRTH = 4.0
TAKEOVER = 20.0
TAKEOVER_FRAMES = 15
# Two tracklets of one side may share a few frames, or many when they lie on the same place: one hand seen twice.
# Two sides may not share a place for most of their common frames.
MAX_OVERLAP = 8
SAME_PLACE = 0.7


@dataclass(frozen=True)
class _Partial:
    """Tracklets assigned so far: the score and the choice (LEFT, RIGHT or -1) of each."""

    score: float
    choice: tuple[int, ...]


def log_odds(tracklet: Tracklet) -> float:
    """Sum over the tracklet of the clipped log odds of being a right hand."""
    p = np.clip([s.right for s in tracklet.seen.values()], 1e-3, 1 - 1e-3)
    return float(np.clip(np.log(p / (1 - p)), -MAX_LOGIT, MAX_LOGIT).sum())


def assign_sides(tracklets: list[Tracklet]) -> list[int]:
    """LEFT, RIGHT or -1 (not one of the two hands) for each tracklet.

    Dynamic programming in order of appearance: of all partial assignments that end in the same pair of tracklets
    (the latest of each side) only the best is kept.
    """
    order = sorted(range(len(tracklets)), key=lambda i: tracklets[i].first)
    ordered = [tracklets[i] for i in order]
    best: dict[tuple[int, int], _Partial] = {(-1, -1): _Partial(0.0, ())}
    for tracklet in ordered:
        grown: dict[tuple[int, int], _Partial] = {}
        for partial in best.values():
            for option in _options(ordered, partial, tracklet):
                key = (_latest(ordered, option.choice, LEFT), _latest(ordered, option.choice, RIGHT))
                if key not in grown or option.score > grown[key].score:
                    grown[key] = option
        best = grown
    winner = max(best.values(), key=lambda p: p.score)
    sides = [-1] * len(tracklets)
    for i, side in zip(order, winner.choice):
        sides[i] = side
    return sides


def _options(ordered: list[Tracklet], partial: _Partial, tracklet: Tracklet) -> list[_Partial]:
    """The partial assignment continued by each thing the tracklet can be."""
    out = [_Partial(partial.score, (*partial.choice, -1))]
    for side in (LEFT, RIGHT):
        gain = _gain(ordered, partial.choice, side, tracklet)
        if gain is not None:
            out.append(_Partial(partial.score + gain, (*partial.choice, side)))
    return out


def _latest(ordered: list[Tracklet], choice: tuple[int, ...], side: int) -> int:
    """Index of the tracklet of a side that lasts longest; -1 when it has none."""
    mine = [i for i, c in enumerate(choice) if c == side]
    return max(mine, key=lambda i: ordered[i].last, default=-1)


def _gain(ordered: list[Tracklet], choice: tuple[int, ...], side: int, tracklet: Tracklet) -> float | None:
    """What continuing ``side`` with ``tracklet`` adds; None when it would be two hands, or two hands one."""
    mine = [t for t, c in zip(ordered, choice) if c == side and t.last >= tracklet.first - 4 * FADE]
    other = [
        t for t, c in zip(ordered, choice) if c == 1 - side and t.last >= tracklet.first - TAKEOVER_FRAMES
    ]
    if any(_shared(t, tracklet) and _same_place(t, tracklet) for t in other):
        return None
    shared = [f for f in tracklet.seen if any(f in t.seen for t in mine)]
    few = len(shared) <= min(MAX_OVERLAP, len(tracklet.seen) // 2)
    if not few and not all(_same_place(t, tracklet) for t in mine):
        return None
    lean = EVIDENCE * log_odds(tracklet)
    presence = sum(s.presence for s in tracklet.seen.values())
    worth = USE * presence + (lean if side == RIGHT else -lean)
    joining = 0.0 if shared else _joining_cost(mine, other, tracklet)
    return worth * (1.0 - len(shared) / len(tracklet.seen)) - joining


def _joining_cost(mine: list[Tracklet], other: list[Tracklet], tracklet: Tracklet) -> float:
    """Cost of starting this tracklet after the side's earlier ones, given where the other side has just been."""
    cost = BIRTH
    if mine:
        previous = max(mine, key=lambda t: t.last)
        fresh = float(np.exp(-max(tracklet.first - previous.last - 1, 0) / FADE))
        cost = jump_cost(previous, tracklet) + BIRTH * (1.0 - fresh)
    if any(t.last < tracklet.first and _distance(t, tracklet) < SAME_PLACE for t in other):
        cost += TAKEOVER
    return cost


def _shared(a: Tracklet, b: Tracklet) -> set[int]:
    return a.seen.keys() & b.seen.keys()


def _same_place(a: Tracklet, b: Tracklet) -> bool:
    """Whether two tracklets lie on one place in most of the frames they share."""
    near = [
        np.linalg.norm(centre(a.seen[f].joints) - centre(b.seen[f].joints))
        < SAME_PLACE * float(regions.hand_size(a.seen[f].joints))
        for f in _shared(a, b)
    ]
    return not near or float(np.mean(near)) > 0.5


def _distance(previous: Tracklet, following: Tracklet) -> float:
    """Palm lengths between the end of one tracklet and the start of the next."""
    a, b = previous.seen[previous.last].joints, following.seen[following.first].joints
    size = 0.5 * (float(regions.hand_size(a)) + float(regions.hand_size(b)))
    return float(np.linalg.norm(centre(a) - centre(b))) / max(size, 1.0)


def jump_cost(previous: Tracklet, following: Tracklet) -> float:
    """Cost of the distance between the end of one tracklet and the start of the next."""
    gap = max(following.first - previous.last, 1)
    return JUMP * min(_distance(previous, following), MAX_JUMP) * float(np.exp(-(gap - 1) / FADE))
