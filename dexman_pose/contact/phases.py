"""Which hand holds which object, and when: an object that moves is held by the hand that moves with it.

Distances between hands and objects are not enough to tell: along the line of sight a hand's distance is known least.
Motion is seen across it. An object that moves is carried by a hand that is seen on it and whose motion is the object's;
before and after, the hand grips it as long as it rests against it. What shows in no motion is told apart:
:mod:`dexman_pose.contact.lasting`, :mod:`dexman_pose.contact.steadied`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs
from dexman_pose.contact.bridging import LEAST_CONFIDENCE
from dexman_pose.contact.hysteresis import hysteresis
from dexman_pose.contact.lasting import LastingOptions, through_unseen, with_rests
from dexman_pose.contact.steadied import SteadiedOptions, steadied, taken_over
from dexman_pose.data import HandTrack, RigidObject
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, transform_points

Flags = NDArray[np.bool_]

_PALM = (0, 5, 9, 13, 17)
_NEAREST = 1e-3  # metres before the camera, where a projection has no meaning any more


@dataclass(frozen=True)
class PhaseOptions:
    """When an object counts as held.

    Attributes:
        window: seconds over which motion is measured.
        moving: metres within the window from which on an object moves.
        still: metres within the window below which it rests again.
        against: metres within the window below which a hand rests against it.
        noise: standard deviations of the poses' noise that are no motion.
        near: metres across the line of sight between a joint and an object that a hand may hold.
        deep: by how much of its distance a hand may be off along the line of sight.
        together: share of an object's motion by which the hand's may differ from it.
        leaving: times an object's motion by which the hand's differs from it, at the begin or the end of a motion,
            where it comes or has let go: over gaps in its track an object seems to move before, and after.
        alone: share of a motion's frames in which a hand, and no other, is on the object, from which on it holds it
            however it seems to move: nothing moves by itself, and a hand at a wrong distance seems to turn wrongly.
        shortest: seconds; shorter motions are no holds.
        with_it: share of the way of an object's middle that some joint of a hand that carries it moves at least: a hand
            that lies still beside what seems to move does not.
        pause: seconds between two grips of one hand that is near all the while, up to which they are one: hands seem to
            turn over where they are seen from some sides.
        points: of the surface that nearness is measured at, at most.
        lasting: what else is one grip.
        steadied: when a hand grips what it does not move.
    """

    window: float = 0.2
    moving: float = 0.010
    still: float = 0.004
    against: float = 0.008
    noise: float = 4.0
    near: float = 0.02
    deep: float = 0.45
    together: float = 0.6
    leaving: float = 1.5
    alone: float = 0.9
    shortest: float = 0.15
    with_it: float = 0.25
    pause: float = 1.0
    points: int = 400
    lasting: LastingOptions = field(default_factory=LastingOptions)
    steadied: SteadiedOptions = field(default_factory=SteadiedOptions)


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


def handling_phases(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    frame_times: Array,
    options: PhaseOptions | None = None,
) -> list[Handling]:
    """Decide who holds what, and when.

    Args:
        objects: by name; camera frame, metres; the camera stands still.
        hands: by side; the distances of their joints may be wrong by some.
        frame_times: (T,) seconds.
        options: how.

    Returns:
        One entry for each hand and object that it holds in some frame.

    Raises:
        InputError: tracks of another length than ``frame_times``.
    """
    o, times = options or PhaseOptions(), np.asarray(frame_times, np.float64)
    lengths = {s: len(h) for s, h in hands.items()} | {n: len(t.track) for n, t in objects.items()}
    for what, length in lengths.items():
        if length != len(times):
            raise InputError(f"{what} has {length} frames, but there are {len(times)} frame_times")
    if len(times) < 2:
        return []
    step = float(np.median(np.diff(times)))
    half = max(round(0.5 * o.window / step), 1)
    shortest = max(round(o.shortest / step), 1)
    spans = half, shortest, round(o.pause / step)
    moving = {name: _moving(thing, half, shortest, o) for name, thing in objects.items()}
    near = {(s, n): near_object(thing, hand, o) for n, thing in objects.items() for s, hand in hands.items()}
    out: dict[tuple[str, str], Handling] = {}
    for (side, name), there in near.items():
        thing, hand = objects[name], hands[side]
        others = [flags for (other, n), flags in near.items() if n == name and other != side]
        alone = there & ~np.any([np.zeros_like(there), *others], axis=0)
        found = _handling(thing, hand, moving[name], (there, alone), spans, o)
        if found is not None:
            gripped = _lasting(thing, hand, found[1:], there, step, o)
            out[side, name] = Handling(side, name, found[0], gripped)
    for (side, name), there in near.items():
        free = there & ~moving[name] & ~_busy(out, side, name)
        _add(out, side, name, steadied(objects[name], hands[side], free, times, o.steadied))
    for (side, name), there in near.items():
        other = np.zeros_like(there)
        for another in hands:
            if another != side:
                other |= _of(out, another, name)
        if other.any():
            apart, along, known = _relative_motion(objects[name], hands[side], half)
            quiet = there & known & (apart < o.against + o.together * along)
            free = quiet & ~_busy(out, side, name) & ~_of(out, side, name)
            _add(out, side, name, taken_over(objects[name], hands[side], free, other, times, o.steadied))
    return [out[pair] for pair in near if pair in out]


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


def _moving(thing: RigidObject, half: int, shortest: int, o: PhaseOptions) -> Flags:
    """(T,) the object moves.

    A pose in doubt tells where the object is seen, not how far it is nor how it is turned: its middle counts alone,
    across the line of sight.
    """
    points = thing.mesh.center + thing.mesh.radius * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    placed = transform_points(thing.camera_from_object, points)
    believed = _believed(thing)
    change, sure = _changes(placed, believed, half)
    middle = _across(placed[:, :1], thing.valid)
    seen, known = _changes(middle, thing.valid, half)
    noise, blurred = _noise(placed, believed), _noise(middle, thing.valid)
    on, off = (max(least, o.noise * noise) for least in (o.moving, o.still))
    share = on / max(o.moving, o.noise * blurred)
    moved = np.where(
        sure, np.linalg.norm(change, axis=-1).mean(-1), share * np.linalg.norm(seen[:, 0], axis=-1)
    )
    return hysteresis(-moved, known, -on, -off, min_frames=shortest)


def _believed(thing: RigidObject) -> Flags:
    """(T,) frames whose pose is neither doubted nor bridged."""
    out: Flags = thing.valid & (thing.track.confidence > LEAST_CONFIDENCE)
    return out


def _noise(points: Array, known: Flags) -> float:
    """Noise of points (T, N, D), the middle over frames whose neighbours are known too."""
    _, near = _changes(points, known, 1)
    return float(np.median(_wobble(points)[near])) if near.any() else 0.0


def _across(points: Array, valid: Flags) -> Array:
    """(T, N, 2) places of points (T, N, 3) across the line of sight, metres at their usual distance."""
    usual = float(np.median(points[valid][..., 2])) if valid.any() else 1.0
    out: Array = points[..., :2] / np.maximum(points[..., 2:], _NEAREST) * usual
    return out


def _wobble(points: Array) -> Array:
    """(T,) noise of points (T, N, 3): their second differences, as large as those of steady places would be."""
    out = np.zeros(len(points))
    second = np.linalg.norm(points[2:] - 2 * points[1:-1] + points[:-2], axis=-1).mean(-1)
    out[1:-1] = second / np.sqrt(6.0)
    return out


def _changes(points: Array, valid: Flags, half: int) -> tuple[Array, Flags]:
    """Changes (T, N, D) of points over a window about each frame, and where both its ends are known."""
    frames = np.arange(len(points))
    before, after = np.maximum(frames - half, 0), np.minimum(frames + half, len(points) - 1)
    return points[after] - points[before], valid & valid[before] & valid[after]


def _handling(
    thing: RigidObject,
    hand: HandTrack,
    moving: Flags,
    there: tuple[Flags, Flags],
    frames: tuple[int, int, int],
    o: PhaseOptions,
) -> tuple[Flags, Flags, Flags, Flags] | None:
    """Held and gripped frames of a pair, those in which it is quiet and hardly moves; None where there is no hold.

    Args:
        thing: the object.
        hand: the hand.
        moving: (T,) the object moves.
        there: (T,) the hand is near, and near as the only one.
        frames: in half a window, in the shortest motion, and in the longest pause.
        o: how.
    """
    (near, alone), (half, shortest, pause) = there, frames
    apart, along, known = _relative_motion(thing, hand, half)
    way, own = _ways(thing, hand, half)
    held = np.zeros(len(moving), np.bool_)
    for first, stop in runs(moving):
        span = np.arange(first, stop)
        seen = span[known[span]]
        if not len(seen) or near[seen].mean() < 0.5 or np.median(own[seen] - o.with_it * way[seen]) < 0:
            continue
        together = np.median(apart[seen] / np.maximum(along[seen], o.still)) < o.together
        if together or alone[seen].mean() >= o.alone:
            held[span] = True
    for first, stop in runs(known & _believed(thing) & ~near):
        if stop - first >= shortest:  # it has left
            held[first:stop] = False
    held = _without_ends(held, known, apart > o.against + o.leaving * along)
    for first, stop in runs(_paused(held, near, pause)):
        # How a shape that is a guess is turned is one, too: it has to go somewhere.
        if thing.mesh.source != "file" and way[first:stop].max() < o.moving:
            held[first:stop] = False
    if not held.any():
        return None
    quiet = near & known & (apart < o.against + o.together * along)
    slow = near & known & (apart < o.lasting.closing + o.together * along)
    return held, _grown(held, quiet), quiet, slow


def _lasting(
    thing: RigidObject,
    hand: HandTrack,
    found: tuple[Flags, Flags, Flags],
    near: Flags,
    step: float,
    o: PhaseOptions,
) -> Flags:
    """(T,) gripped frames with pauses, and with what else is one grip; ``found``: gripped, quiet, hardly moving."""
    gripped, quiet, slow = found
    gripped = _paused(gripped, near, round(o.pause / step))
    gripped = through_unseen(gripped, _believed(thing), near, o.lasting)
    middle = transform_points(thing.camera_from_object, thing.mesh.center[None])[:, 0]
    palm = hand.joints[:, list(_PALM)].mean(1)
    apart = palm[:, :2] / np.maximum(palm[:, 2:], _NEAREST) - middle[:, :2] / np.maximum(
        middle[:, 2:], _NEAREST
    )
    return with_rests(gripped, quiet, slow, apart * middle[:, 2:], step, o.lasting)


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


def _ways(thing: RigidObject, hand: HandTrack, half: int) -> tuple[Array, Array]:
    """How far the object's middle is seen to move over a window, and the joint of the hand that moves most.

    Both (T,) metres across the line of sight at the object's distance.
    """
    frames = np.arange(len(hand))
    before, after = np.maximum(frames - half, 0), np.minimum(frames + half, len(hand) - 1)
    middle = transform_points(thing.camera_from_object, thing.mesh.center[None])
    depth = np.maximum(middle[:, 0, 2], _NEAREST)

    def moved(points: Array) -> Array:
        rays = points[..., :2] / np.maximum(points[..., 2:], _NEAREST)
        out: Array = np.linalg.norm(rays[after] - rays[before], axis=-1).max(-1) * depth
        return out

    return moved(middle), moved(hand.joints)


def near_object(thing: RigidObject, hand: HandTrack, o: PhaseOptions) -> Flags:
    """(T,) the hand is seen on the object, or beside it."""
    vertices = thing.mesh.vertices
    chosen = vertices[np.linspace(0, len(vertices) - 1, min(len(vertices), o.points)).astype(int)]
    out = np.zeros(len(hand), np.bool_)
    for t in np.flatnonzero(hand.valid & thing.valid):
        surface = transform_points(thing.camera_from_object[t], chosen)
        rays = hand.joints[t, :, :2] / hand.joints[t, :, 2:]
        across = np.linalg.norm(rays[:, None] - (surface[:, :2] / surface[:, 2:])[None], axis=-1)
        depth = float(surface[:, 2].mean())
        off = abs(float(hand.joints[t, :, 2].mean()) - depth) - thing.mesh.radius
        out[t] = across.min() * depth < o.near and off < o.deep * depth
    return out


def _relative_motion(thing: RigidObject, hand: HandTrack, half: int) -> tuple[Array, Array, Flags]:
    """How far the palm moves over a window from where the object would carry it, and how far that is.

    Both (T,) metres across the line of sight, the palm put where the object is along it; and where they are known.
    """
    frames = np.arange(len(hand))
    before, after = np.maximum(frames - half, 0), np.minimum(frames + half, len(hand) - 1)
    palm = hand.joints[:, list(_PALM)].mean(1)
    middle = transform_points(thing.camera_from_object, thing.mesh.center[None])[:, 0]
    placed = palm * (middle[:, 2:] / palm[:, 2:])
    carry = thing.camera_from_object[after] @ inverse(thing.camera_from_object[before])
    carried = transform_points(carry, placed[before][:, None])[:, 0]
    depth = middle[after, 2:]
    apart = np.linalg.norm(carried[:, :2] / carried[:, 2:] - placed[after, :2] / placed[after, 2:], axis=1)
    along = np.linalg.norm(carried - placed[before], axis=1)
    both = hand.valid & thing.valid
    return apart * depth[:, 0], along, both & both[before] & both[after]


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
