"""A motion made into a plan, and kept where an interrupted search can go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from dexman_pose._version import __version__
from dexman_pose.robot.assets.body import BodyDescription
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.motion.types import Motion
from dexman_pose.robot.planning.kept import Keeper
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.planner import Found, judged_controls, plan_controls
from dexman_pose.robot.planning.prepare import Prepared, PrepareOptions, prepare
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.planning.ways import ways
from dexman_pose.robot.retarget.motion import Retargeted
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.skill.plan_file import NAME, write_plan
from dexman_pose.robot.skill.replay import replay

UNFINISHED = "unfinished.npz"
"""Of the file, in a plan's folder, that an interrupted search goes on from."""

_GRIPS = ("bearing", "plain")
"""Names of the ways of gripping, in the order of :func:`~dexman_pose.robot.planning.ways.ways`."""

_DIGITS = 5
"""Of metres in headers."""


def plan_motion(
    motion: Motion,
    describe: Callable[[str], HandDescription],
    *,
    body: BodyDescription | None = None,
    preparing: PrepareOptions | None = None,
    options: PlanOptions | None = None,
    learn: Callable[[Task, PlanOptions], Found] | None = None,
    out: str | Path | None = None,
    said: Callable[[str], object] = lambda line: None,
) -> Plan:
    """Plan a motion for a robot's hands.

    Args:
        motion: of hands and objects.
        describe: the robot's hand of a side.
        body: whose arms carry the hands; None for free hands.
        preparing: how the motion becomes a task.
        options: of the search.
        learn: asked for better controls where those of the search are unsure
            (:func:`~dexman_pose.robot.learning.planned.learnt_controls`); the best are taken.
        out: folder that gets the plan; an interrupted search goes on there. None to keep nothing.
        said: called with a line on what is found on the way.

    Raises:
        InputError: nothing moves, an object is in the hand from the first frame, ``out`` takes no files.
        MissingExtraError: MuJoCo or CoACD is needed and not there; the message holds the command.
        MissingModelError: the robot's files are not there.
    """
    o = options or PlanOptions()
    began = monotonic()
    tried: list[_Tried] = []
    for begun in _begun(motion, describe, body, preparing, o, said):
        if tried:
            said(f"the same with {_GRIPS[begun.number]} grips")
        tried.append(_searched(begun, out, o))
        if tried[-1].found.share >= o.other:
            break
    best = max(tried, key=lambda t: t.found.rank)
    if best.found.share < o.enough and learn is not None:
        said(f"it succeeds in {best.found.share:.0%} of the trial worlds: learning goes on from there")
        tried.append(replace(best, found=learn(_begun_with(best, o), o), by="learning"))
        best = max(tried, key=lambda t: t.found.rank)
    plan = _plan(best, sum(t.found.steps for t in tried), o, monotonic() - began)
    if out is not None:
        write_plan(Path(out) / NAME, plan)
        for t in tried:
            _unfinished(out, t.number).unlink(missing_ok=True)
    return plan


@dataclass(frozen=True)
class _Tried:
    """A way of gripping, and what was found with it."""

    ready: Prepared
    found: Found
    preparing: PrepareOptions
    number: int
    by: str = "search"


def _begun(
    motion: Motion,
    describe: Callable[[str], HandDescription],
    body: BodyDescription | None,
    preparing: PrepareOptions | None,
    o: PlanOptions,
    said: Callable[[str], object],
) -> list[_Tried]:
    """The ways of gripping that are worth a search, the most promising one first, not searched yet.

    Which keeps objects within the limits by itself in more of the trial worlds is searched first; where none does in
    any, the plain one, from which a search finds more.
    """
    out: list[_Tried] = []
    for number, way in enumerate(ways(preparing)):
        ready = prepare(motion, describe, way, body)
        if number == 0:
            for line in _told(ready):
                said(line)
        found = judged_controls(ready.task, ready.task.controls, o)
        out.append(_Tried(ready, found, way, number))
        if o.other <= 0.0 or found.share >= max(o.other, o.enough):
            break
    if not any(t.found.share for t in out):
        return out[::-1]
    return sorted(out, key=lambda t: -t.found.share)


def _searched(begun: _Tried, out: str | Path | None, o: PlanOptions) -> _Tried:
    """What a search finds, gone on with where it was interrupted."""
    task = begun.ready.task
    if out is None:
        return replace(begun, found=plan_controls(task, o))
    keeper = Keeper(_unfinished(out, begun.number), task, o)
    return replace(begun, found=plan_controls(task, o, begun=keeper.begun(), keep=keeper.keep))


def _begun_with(plan: _Tried, o: PlanOptions) -> Task:
    """The task with what was found, even where that fails: held beyond the limits is nearer to success than dropped."""
    task = plan.ready.task
    episode = replay(task.world, task.start, plan.found.controls, settle=o.settle)
    if not np.isfinite(episode.qpos).all():
        return task
    return replace(task, controls=plan.found.controls, joints=episode.qpos[:, task.world.joint_at])


def _unfinished(out: str | Path, number: int) -> Path:
    return Path(out) / (UNFINISHED if number == 0 else f"{number}_{UNFINISHED}")


def _told(ready: Prepared) -> list[str]:
    """What is worth knowing before the search."""
    lines = list(ready.motion.notes)
    lines += [
        f"{thing.name}: {len(thing.pieces)} convex pieces, {thing.mass.source}" for thing in ready.things
    ]
    for name, p in ready.placements.items():
        lines.append(
            f"{name} stands {1e3 * p.moved:.0f} mm and {p.turned:.2f} rad from where it was measured"
        )
    lines += [hand.told() for hand in ready.hands]
    if ready.carried is not None:
        lines.append(ready.carried.told())
    return lines + [f"doubt: {line}" for line in ready.doubts]


def _plan(best: _Tried, steps: int, o: PlanOptions, seconds: float) -> Plan:
    ready, found, task = best.ready, best.found, best.ready.task
    episode = replay(task.world, task.start, found.controls, settle=o.settle)
    contact = best.preparing.world.contact
    about: dict[str, Any] = {
        "source": ready.motion.source,
        "begins_s": ready.motion.begins,
        "robot": sorted({h.hand.robot for h in ready.hands}),
        "body": ready.carried.values() if ready.carried is not None else None,
        "hands": [h.hand.side for h in ready.hands],
        "objects": {
            t.name: {"mass_kg": t.mass.mass, "mass_from": t.mass.source, "pieces": len(t.pieces)}
            for t in ready.things
        },
        "placements": {
            name: {"stands": p.stands, "moved_m": p.moved, "turned_rad": p.turned}
            for name, p in ready.placements.items()
        },
        "friction": contact.friction,
        "table_friction": contact.table_friction,
        "retargeting": {h.hand.side: _errors(h) for h in ready.hands},
        "notes": list(ready.motion.notes),
        "doubts": list(ready.doubts),
        "options": asdict(o),
        "search": {
            "trial_share": found.share,
            "trial_tracked": found.tracked,
            "passes": found.passes,
            "grips": _GRIPS[best.number],
            "by": best.by,
            "steps": steps,
            "seconds": seconds,
        },
        "versions": {"dexman_pose": __version__, "mujoco": str(mujoco().__version__)},
    }
    return Plan(
        model=task.world.xml,
        start=task.start,
        controls=found.controls,
        reference=task.reference,
        measured=ready.original,
        joints=task.joints,
        qpos=episode.qpos,
        force=episode.force,
        settle=o.settle,
        about=about,
    )


def _errors(hand: Retargeted) -> dict[str, Any]:
    return {
        "median_m": {name: float(np.median(e)) for name, e in zip(hand.tips, hand.error.T)},
        "max_m": {name: float(e.max()) for name, e in zip(hand.tips, hand.error.T)},
        "fastest_joint_rad_s": hand.speed,
        "overlap_m": [round(float(x), _DIGITS) for x in hand.overlap],
    }
