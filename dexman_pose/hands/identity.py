"""Whose hand is it: tracklets become the person's left and right hand through the whole clip.

One side per tracklet, never two hands of one side at a time. Among all ways to do that the one is chosen that
agrees best with the network's handedness, summed over each tracklet, and with the motion between tracklets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.hands.mediapipe import roi as regions
from dexman_pose.hands.mediapipe.tracking import Tracklet, box_overlap, centre

T = TypeVar("T")

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
SAME_BOX = 0.5
# Weight per frame of agreeing with the clip's usual order of the two hands in the image.
ORDER = 0.8
# Tracklets that ended longer ago than this say nothing about where a hand is now; frames.
MEMORY = 80
BEAM = 50


@dataclass(frozen=True)
class _Partial:
    """Tracklets assigned so far.

    Attributes:
        score: sum of the gains.
        recent: the tracklets of each side that still matter, the longest lasting one last.
        side: of the newest tracklet (LEFT, RIGHT or -1).
        before: the assignment without it.
    """

    score: float
    recent: tuple[tuple[Tracklet, ...], tuple[Tracklet, ...]]
    side: int = -1
    before: _Partial | None = None

    def choices(self) -> list[int]:
        """The side of every tracklet so far."""
        out, at = [], self
        while at.before is not None:
            out.append(at.side)
            at = at.before
        return out[::-1]

    def key(self) -> tuple[int, int]:
        """What the rest of the assignment depends on: the latest tracklet of each side."""
        left, right = (id(r[-1]) if r else 0 for r in self.recent)
        return left, right


class _Memo:
    """Caches properties of tracklets, for the search needs each many times."""

    def __init__(self) -> None:
        self._answers: dict[tuple[Any, ...], Any] = {}

    def __call__(self, function: Callable[..., T], *tracklets: Tracklet) -> T:
        key = (function, *tracklets)
        if key not in self._answers:
            self._answers[key] = function(*tracklets)
        answer: T = self._answers[key]
        return answer


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
    order_of_hands, memo = usual_order(ordered), _Memo()
    beam = [_Partial(0.0, ((), ()))]
    for tracklet in ordered:
        best: dict[tuple[int, int], _Partial] = {}
        for partial in beam:
            for option in _options(partial, tracklet, order_of_hands, memo):
                rival = best.get(option.key())
                if rival is None or option.score > rival.score:
                    best[option.key()] = option
        beam = sorted(best.values(), key=lambda p: -p.score)[:BEAM]
    sides = [-1] * len(tracklets)
    for i, side in zip(order, beam[0].choices()):
        sides[i] = side
    return sides


def usual_order(tracklets: list[Tracklet]) -> float:
    """Where the right hand is in this clip: near 1 right of the left one in the image, near -1 left of it.

    Taken from all frames that show two hands, weighted by how sure the network is which is which. 0 when there are
    few of them. A person seen from the front has -1, a camera on the person's own head sees +1.
    """
    votes, weight = 0.0, 0.0
    for i, a in enumerate(tracklets):
        for b in _overlapping(a, tracklets[:i]):
            for f in _shared(a, b) if not _same_place(a, b) else ():
                difference = a.seen[f].right - b.seen[f].right
                votes += difference * float(np.sign(_x(a, f) - _x(b, f)))
                weight += abs(difference)
    return votes / weight if weight > 5.0 else 0.0


def _x(tracklet: Tracklet, frame: int) -> float:
    return float(centre(tracklet.seen[frame].joints)[0])


def _overlapping(tracklet: Tracklet, others: list[Tracklet]) -> list[Tracklet]:
    return [t for t in others if t.first <= tracklet.last and t.last >= tracklet.first]


def _options(partial: _Partial, tracklet: Tracklet, order_of_hands: float, memo: _Memo) -> list[_Partial]:
    """The partial assignment continued by each thing the tracklet can be."""
    out = [_Partial(partial.score, partial.recent, -1, partial)]
    for side in (LEFT, RIGHT):
        mine, other = partial.recent[side], partial.recent[1 - side]
        gain = _gain(partial, side, tracklet, memo)
        # The order of hands only decides between sides; it does not turn a weak detection into a hand.
        if gain is not None and gain > 0.0:
            turned = order_of_hands if side == RIGHT else -order_of_hands
            gain += ORDER * turned * sum(memo(_frames_right_of, tracklet, t) for t in other)
            grown = _with(mine, tracklet)
            recent = (grown, other) if side == LEFT else (other, grown)
            out.append(_Partial(partial.score + gain, recent, side, partial))
    return out


def _with(mine: tuple[Tracklet, ...], tracklet: Tracklet) -> tuple[Tracklet, ...]:
    """A side's tracklets and a new one, forgetting those long over but for the latest."""
    kept = sorted((*mine, tracklet), key=lambda t: t.last)
    return tuple(t for t in kept if t.last >= tracklet.first - MEMORY or t is kept[-1])


def _gain(partial: _Partial, side: int, tracklet: Tracklet, memo: _Memo) -> float | None:
    """What continuing ``side`` with ``tracklet`` adds; None when it would be two hands, or two hands one."""
    mine, other = partial.recent[side], partial.recent[1 - side]
    if any(memo(_shared, t, tracklet) and memo(_same_place, t, tracklet) for t in other):
        return None
    shared = len(frozenset().union(*(memo(_shared, t, tracklet) for t in mine)))
    few = shared <= min(MAX_OVERLAP, len(tracklet.seen) // 2)
    if not few and not all(memo(_same_place, t, tracklet) for t in mine):
        return None
    lean = EVIDENCE * memo(log_odds, tracklet)
    worth = USE * memo(_presence, tracklet) + (lean if side == RIGHT else -lean)
    joining = 0.0 if shared else _joining_cost(mine, other, tracklet, memo)
    return worth * (1.0 - shared / len(tracklet.seen)) - joining


def _joining_cost(
    mine: tuple[Tracklet, ...], other: tuple[Tracklet, ...], tracklet: Tracklet, memo: _Memo
) -> float:
    """Cost of starting this tracklet after the side's earlier ones, given where the other side has just been."""
    cost = BIRTH
    if mine:
        fresh = float(np.exp(-max(tracklet.first - mine[-1].last - 1, 0) / FADE))
        cost = memo(jump_cost, mine[-1], tracklet) + BIRTH * (1.0 - fresh)
    for t in other:
        just_left = tracklet.first - TAKEOVER_FRAMES <= t.last < tracklet.first
        if just_left and memo(_distance, t, tracklet) < SAME_PLACE:
            return cost + TAKEOVER
    return cost


def _presence(tracklet: Tracklet) -> float:
    """Sum over the tracklet of how much more likely a hand is than none, -1 to 1."""
    return sum(2.0 * s.presence - 1.0 for s in tracklet.seen.values())


def _shared(a: Tracklet, b: Tracklet) -> frozenset[int]:
    return frozenset(a.seen.keys() & b.seen.keys())


def _frames_right_of(a: Tracklet, b: Tracklet) -> int:
    """Shared frames in which ``a`` is right of ``b`` in the image, minus those in which it is left of it."""
    return sum(int(np.sign(_x(a, f) - _x(b, f))) for f in _shared(a, b))


def _same_place(a: Tracklet, b: Tracklet) -> bool:
    """Whether two tracklets lie on one place in most of the frames they share."""
    near = [_near(a.seen[f].joints, b.seen[f].joints) for f in _shared(a, b)]
    return not near or float(np.mean(near)) > 0.5


def _near(a: Array, b: Array) -> bool:
    apart = float(np.linalg.norm(centre(a) - centre(b)))
    return apart < SAME_PLACE * float(regions.hand_size(a)) or box_overlap(a, b) > SAME_BOX


def _distance(previous: Tracklet, following: Tracklet) -> float:
    """Palm lengths between the end of one tracklet and the start of the next."""
    a, b = previous.seen[previous.last].joints, following.seen[following.first].joints
    size = 0.5 * (float(regions.hand_size(a)) + float(regions.hand_size(b)))
    return float(np.linalg.norm(centre(a) - centre(b))) / max(size, 1.0)


def jump_cost(previous: Tracklet, following: Tracklet) -> float:
    """Cost of the distance between the end of one tracklet and the start of the next."""
    gap = max(following.first - previous.last, 1)
    return JUMP * min(_distance(previous, following), MAX_JUMP) * float(np.exp(-(gap - 1) / FADE))
