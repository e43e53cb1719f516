"""A motion from a trajectory: hands and objects in the world that stands on the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dexman_pose.arrays import Array, Bools, runs
from dexman_pose.data import Trajectory
from dexman_pose.data.tracks import SIDES, RigidObject
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.robot.motion.acting import AUTO, ActingOptions, acting, handled
from dexman_pose.robot.motion.resample import distance_to_valid, points_at, poses_at
from dexman_pose.robot.motion.types import RATE, Motion, MovingHand, MovingObject


@dataclass(frozen=True)
class MotionOptions:
    """What of a trajectory is used.

    Attributes:
        bridged: seconds of missing frames that are bridged at most; at longer gaps the motion is cut.
        shortest: seconds of motion that are enough.
        most_objects: the ones that move farthest; others are left out.
        moves: metres that an object moves at least to count as moved.
        acting: which hands act, where nobody says so.
        seconds: of the clip, from and to: nothing else is looked at; None for all of it.
    """

    bridged: float = 0.7
    shortest: float = 0.7
    most_objects: int = 2
    moves: float = 0.03
    acting: ActingOptions = field(default_factory=ActingOptions)
    seconds: tuple[float, float] | None = None


def motion_from_trajectory(
    trajectory: Trajectory,
    hand: str = "both",
    objects: Sequence[str] | None = None,
    options: MotionOptions | None = None,
) -> Motion:
    """Take a motion out of a trajectory.

    Args:
        trajectory: with a table, so that gravity is known.
        hand: ``right``, ``left`` or ``both``; ``auto`` for those that touch an object while it moves.
        objects: names of those to take; None for the ones that move, and with ``auto`` are touched while they do.
        options: what is bridged.

    Raises:
        InputError: no table, no such hand or object, no frame within the seconds asked for, or too few frames in which
            all of them are known.
    """
    o = options or MotionOptions()
    if trajectory.table is None or trajectory.provenance.get("world", "table") == "camera":
        reason = dict(trajectory.provenance.get("table") or {}).get("reason", "no reason is told")
        raise InputError(
            f"this trajectory does not know which way is down ({reason}), so nothing can be simulated; run it with "
            "objects of known shape at rest on the table, or with depth images"
        )
    if o.seconds is not None:
        trajectory = _within(trajectory, *o.seconds)
    chosen, notes = _objects(trajectory, objects, o, hand == AUTO)
    if hand == AUTO:
        hand, told = acting(trajectory, chosen, o.acting)
        notes.append(told)
    sides = _sides(trajectory, hand)
    times = trajectory.frame_times
    grid = np.arange(times[0], times[-1] + 0.5 / RATE, 1.0 / RATE)
    gaps = {f"{side} hand": distance_to_valid(times, trajectory.hands[side].valid, grid) for side in sides}
    gaps |= {x.name: distance_to_valid(times, x.valid, grid) for x in chosen}
    start, stop = _longest(np.max(list(gaps.values()), axis=0) <= o.bridged, gaps, o)
    grid = grid[start:stop]
    frame = 1.5 * float(np.median(np.diff(times)))
    bridged = {name: gap[start:stop] > frame for name, gap in gaps.items()}
    world = trajectory.world_from_camera
    hands = {}
    for side in sides:
        joints = transform_points(world, trajectory.hands[side].joints)
        at = points_at(times, joints, trajectory.hands[side].valid, grid)
        hands[side] = MovingHand(side, at, bridged[f"{side} hand"])
    things = {
        x.name: MovingObject(
            x.name, x.mesh, poses_at(times, world @ x.camera_from_object, x.valid, grid), bridged[x.name]
        )
        for x in chosen
    }
    notes += [
        f"{name}: {int(b.sum())} of {len(b)} frames were bridged" for name, b in bridged.items() if b.any()
    ]
    if start > 0 or stop < len(gaps[chosen[0].name]):
        notes.append(f"used: {grid[0]:.2f} to {grid[-1]:.2f} s, where all hands and objects are known")
    source = f"trajectory of {trajectory.num_frames} frames"
    return Motion(hands, things, source, tuple(notes), begins=float(grid[0]))


def _within(trajectory: Trajectory, start: float, stop: float) -> Trajectory:
    """The trajectory with nothing known outside of a time."""
    times = trajectory.frame_times
    inside = (times >= start) & (times <= stop)
    if not inside.any():
        raise InputError(
            f"no frame lies within {start:g} to {stop:g} s; the trajectory goes from {times[0]:g} to {times[-1]:g} s"
        )
    hands = {s: replace(h, valid=h.valid & inside) for s, h in trajectory.hands.items()}
    objects = {
        n: replace(x, track=replace(x.track, valid=x.track.valid & inside))
        for n, x in trajectory.objects.items()
    }
    return replace(trajectory, hands=hands, objects=objects)


def _sides(trajectory: Trajectory, hand: str) -> list[str]:
    if hand not in (*SIDES, "both"):
        raise InputError(f"hand must be right, left or both, but got {hand!r}")
    wanted = list(SIDES) if hand == "both" else [hand]
    there = [s for s in wanted if s in trajectory.hands and trajectory.hands[s].valid.any()]
    if len(there) < len(wanted):
        found = ", ".join(s for s, h in trajectory.hands.items() if h.valid.any()) or "none"
        lacks = " and ".join(s for s in wanted if s not in there)
        raise InputError(
            f"the trajectory has no {lacks} hand; hands that were found: {found}; choose with --hand"
        )
    return there


def _objects(
    trajectory: Trajectory, names: Sequence[str] | None, o: MotionOptions, touched: bool
) -> tuple[list[RigidObject], list[str]]:
    """The objects to take, ``touched`` ones where there are any, and notes of what is left out."""
    if names is not None:
        for name in names:
            if name not in trajectory.objects:
                raise InputError(
                    f"there is no object {name!r}; there are: {', '.join(trajectory.objects) or 'none'}"
                )
    found = [x for n, x in trajectory.objects.items() if (names is None or n in names) and x.valid.any()]
    if not found:
        raise InputError("the trajectory has no object with a valid pose, so there is nothing to handle")
    spans = {x.name: _span(x.camera_from_object, x.valid) for x in found}
    found.sort(key=lambda x: -spans[x.name])
    if names is not None:
        return found, []
    moving = [x for x in found if spans[x.name] >= o.moves]
    if not moving:
        raise InputError(
            f"no object moves by {1e3 * o.moves:.0f} mm or more, so there is no skill in it; the one that moves "
            f"most is {found[0].name!r}, by {1e3 * spans[found[0].name]:.0f} mm"
        )
    held = (handled(trajectory, moving, o.acting) if touched else moving) or moving
    kept = held[: o.most_objects]
    alone = [x.name for x in moving if x not in held]
    left = [x.name for x in found if x not in kept and x.name not in alone]
    notes = [f"left out, they do not move or move least: {', '.join(left)}"] if left else []
    if alone:
        notes.append(
            f"left out, no hand touches them while they move: {', '.join(alone)}; --objects takes them"
        )
    return kept, notes


def _span(poses: Array, valid: Bools) -> float:
    places = poses[valid, :3, 3]
    return float(np.linalg.norm(places - places[0], axis=1).max())


def _longest(usable: Bools, gaps: dict[str, Array], o: MotionOptions) -> tuple[int, int]:
    """The longest span of frames in which everything is known."""
    spans = sorted(runs(usable), key=lambda span: span[0] - span[1])
    if spans and spans[0][1] - spans[0][0] >= o.shortest * RATE:
        return spans[0]
    worst = max(gaps, key=lambda name: float((gaps[name] > o.bridged).mean()))
    missing = float((gaps[worst] > o.bridged).mean())
    longest = (spans[0][1] - spans[0][0]) / RATE if spans else 0.0
    raise InputError(
        f"hands and objects are known together for {longest:.2f} s only, {o.shortest:g} s are needed; {worst} is "
        f"missing in {100 * missing:.0f} % of the frames for longer than can be bridged ({o.bridged:g} s)"
    )
