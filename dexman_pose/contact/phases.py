"""Which hand holds which object, and when: an object that moves is held by the hand that moves with it.

Distances between hands and objects are not enough to tell: along the line of sight a hand's distance is known least.
Motion is seen across it. An object that moves is carried by a hand that is seen on it and whose motion is the object's;
before and after, the hand grips it as long as it rests against it. What shows in no motion is told apart:
:mod:`dexman_pose.contact.lasting`, :mod:`dexman_pose.contact.steadied`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs
from dexman_pose.contact.lasting import through_unseen, with_rests
from dexman_pose.contact.motion import believed, is_moving, near_object, palm_on, relative_motion, ways
from dexman_pose.contact.phase_options import PhaseOptions
from dexman_pose.contact.steadied import steadied, taken_over
from dexman_pose.data import HandTrack, RigidObject
from dexman_pose.errors import InputError

Flags = NDArray[np.bool_]

__all__ = ["Handling", "PhaseOptions", "handling_phases"]


@dataclass(frozen=True)
class Handling:
    """What a hand does with an object over T frames.

    Attributes:
        side: of the hand.
        name: of the object.
        held: (T,) the object moves, carried by the hand.
        gripped: (T,) held, or the hand rests against it right before or after, or holds it without moving it.
    """

    side: str
    name: str
    held: Flags
    gripped: Flags

    @property
    def reach(self) -> Flags:
        """(T,) frames on the way to the first grip."""
        out: Flags = np.cumsum(self.gripped) == 0
        return out if self.gripped.any() else np.zeros_like(out)

    @property
    def release(self) -> Flags:
        """(T,) frames after the last grip."""
        out: Flags = np.cumsum(self.gripped[::-1])[::-1] == 0
        return out if self.gripped.any() else np.zeros_like(out)


@dataclass(frozen=True)
class _Pair:
    """What is seen of a hand and an object over T frames.

    Attributes:
        name: the object's.
        thing: the object.
        hand: the hand.
        step: seconds between two frames.
        half: frames in half a window.
        moving: (T,) the object moves.
        near: (T,) the hand is on it, or beside it.
        apart: (T,) see :func:`~dexman_pose.contact.motion.relative_motion`, with ``along`` and ``known``.
        along: (T,) of it.
        known: (T,) of it.
        options: how.
    """

    name: str
    thing: RigidObject
    hand: HandTrack
    step: float
    half: int
    moving: Flags
    near: Flags
    apart: Array
    along: Array
    known: Flags
    options: PhaseOptions

    @classmethod
    def of(cls, name: str, thing: RigidObject, hand: HandTrack, times: Array, o: PhaseOptions) -> _Pair:
        """Look at a hand and an object."""
        step = float(np.median(np.diff(times)))
        half = max(round(0.5 * o.window / step), 1)
        moving = is_moving(thing, half, max(round(o.shortest / step), 1), o)
        near = near_object(thing, hand, o)
        return cls(name, thing, hand, step, half, moving, near, *relative_motion(thing, hand, half), o)

    @property
    def key(self) -> tuple[str, str]:
        """Side and name."""
        return self.hand.side, self.name

    @property
    def quiet(self) -> Flags:
        """(T,) frames in which the hand is near and does not move against the object."""
        return self._within(self.options.against)

    def carried(self, alone: Flags) -> Handling | None:
        """What the hand does with an object that it moves, None where it does not.

        Args:
            alone: (T,) it is near, and no other is.
        """
        held = self._held(alone)
        if not held.any():
            return None
        o, thing, near = self.options, self.thing, self.near
        gripped = _paused(_grown(held, self.quiet), near, round(o.pause / self.step))
        gripped = through_unseen(gripped, believed(thing), near, o.lasting)
        slow = self._within(o.lasting.closing)
        gripped = with_rests(gripped, self.quiet, slow, palm_on(thing, self.hand), self.step, o.lasting)
        return Handling(*self.key, held, gripped)

    def _within(self, metres: float) -> Flags:
        close: Flags = self.apart < metres + self.options.together * self.along
        return self.near & self.known & close

    def _held(self, alone: Flags) -> Flags:
        """(T,) frames in which the object moves and the hand with it."""
        o, near, known = self.options, self.near, self.known
        way, own = ways(self.thing, self.hand, self.half)
        held = np.zeros(len(near), np.bool_)
        for first, stop in runs(self.moving):
            span = np.arange(first, stop)
            seen = span[known[span]]
            if not len(seen) or near[seen].mean() < 0.5 or np.median(own[seen] - o.with_it * way[seen]) < 0:
                continue
            together = np.median(self.apart[seen] / np.maximum(self.along[seen], o.still)) < o.together
            if together or alone[seen].mean() >= o.alone:
                held[span] = True
        for first, stop in runs(known & believed(self.thing) & ~near):
            if stop - first >= max(round(o.shortest / self.step), 1):  # it has left
                held[first:stop] = False
        held = _without_ends(held, known, self.apart > o.against + o.leaving * self.along)
        for first, stop in runs(_paused(held, near, round(o.pause / self.step))):
            # How a shape that is a guess is turned is one, too: it has to go somewhere.
            if self.thing.mesh.source != "file" and way[first:stop].max() < o.moving:
                held[first:stop] = False
        return held


def handling_phases(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    frame_times: Array,
    options: PhaseOptions | None = None,
    *,
    each: Mapping[str, PhaseOptions] | None = None,
) -> list[Handling]:
    """Decide who holds what, and when.

    Args:
        objects: by name; camera frame, metres; the camera stands still.
        hands: by side; the distances of their joints may be wrong by some.
        frame_times: (T,) seconds.
        options: how.
        each: how for some of the objects, by name.

    Returns:
        One entry for each hand and object that it holds in some frame.

    Raises:
        InputError: tracks of another length than ``frame_times``.
    """
    times = np.asarray(frame_times, np.float64)
    lengths = {s: len(h) for s, h in hands.items()} | {n: len(t.track) for n, t in objects.items()}
    for what, length in lengths.items():
        if length != len(times):
            raise InputError(f"{what} has {length} frames, but there are {len(times)} frame_times")
    if len(times) < 2:
        return []
    known = {name: options or PhaseOptions() for name in objects} | dict(each or {})
    seen = [
        _Pair.of(name, thing, hand, times, known[name])
        for name, thing in objects.items()
        for hand in hands.values()
    ]
    out: dict[tuple[str, str], Handling] = {}
    for pair in seen:
        others = [p.near for p in seen if p.thing is pair.thing and p.hand is not pair.hand]
        found = pair.carried(pair.near & ~np.any([np.zeros_like(pair.near), *others], axis=0))
        if found is not None:
            out[pair.key] = found
    for pair in seen:
        free = pair.near & ~pair.moving & ~_busy(out, *pair.key)
        _add(out, *pair.key, steadied(pair.thing, pair.hand, free, times, pair.options.steadied))
    for pair in seen:
        other = np.zeros_like(pair.near)
        for p in seen:
            if p.thing is pair.thing and p.hand is not pair.hand:
                other |= _of(out, *p.key)
        if other.any():
            free = pair.quiet & ~_busy(out, *pair.key) & ~_of(out, *pair.key)
            taken = taken_over(pair.thing, pair.hand, free, other, times, pair.options.steadied)
            _add(out, *pair.key, taken)
    return [out[pair.key] for pair in seen if pair.key in out]


def _of(found: Mapping[tuple[str, str], Handling], side: str, name: str) -> Flags | np.bool_:
    """(T,) frames in which a hand grips an object; False where it never does."""
    return found[side, name].gripped if (side, name) in found else np.False_


def _busy(found: Mapping[tuple[str, str], Handling], side: str, name: str) -> Flags | np.bool_:
    """(T,) frames in which a hand grips another object than this; False where it never does."""
    others = [h.gripped for h in found.values() if h.side == side and h.name != name]
    return np.any(others, axis=0) if others else np.False_


def _add(found: dict[tuple[str, str], Handling], side: str, name: str, gripped: Flags) -> None:
    """Note frames (T,) in which a hand grips an object without moving it."""
    if gripped.any():
        own = found.get((side, name), Handling(side, name, np.zeros_like(gripped), np.zeros_like(gripped)))
        found[side, name] = Handling(side, name, own.held, own.gripped | gripped)


def _without_ends(held: Flags, known: Flags, apart: Flags) -> Flags:
    """Held frames without those at the begin and at the end of each stretch in which hand and object move apart.

    Frames in which that is not known go the way of those between them and the rest.
    """
    out = held.copy()
    for first, stop in runs(held):
        together = np.flatnonzero((known & ~apart)[first:stop]) + first
        begin, end = (together[0], together[-1] + 1) if len(together) else (stop, stop)
        leaves = (known & apart)[first:stop]
        if leaves[: begin - first].any():
            out[first:begin] = False
        if leaves[end - first :].any():
            out[end:stop] = False
    return out


def _grown(held: Flags, quiet: Flags) -> Flags:
    """Held frames with the quiet ones that hang together with them."""
    out, either = held.copy(), held | quiet
    for first, stop in runs(either):
        out[first:stop] = held[first:stop].any()
    return out


def _paused(gripped: Flags, near: Flags, longest: int) -> Flags:
    """Gripped frames, with pauses of at most so many frames in which the hand stays near."""
    out = gripped.copy()
    for first, stop in runs(~gripped):
        inside = first > 0 and stop < len(gripped)
        if inside and stop - first <= longest and near[first:stop].all():
            out[first:stop] = True
    return out
