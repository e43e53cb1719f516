"""A motion made into a plan, and kept where an interrupted search can go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from dexman_pose._version import __version__
from dexman_pose.robot.assets.body import BodyDescription
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.engine import mujoco, mujoco_warp
from dexman_pose.robot.motion.types import Motion
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.planner import Found
from dexman_pose.robot.planning.prepare import PrepareOptions
from dexman_pose.robot.planning.simulators import MUJOCO, check_simulator
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.retarget.motion import Retargeted
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.skill.plan_file import NAME, write_plan
from dexman_pose.robot.skill.replay import replay
from dexman_pose.robot.skill.tries import FILES, LEARNING, Tried, Tries

_OWN_DOUBT = (
    "how something is held is the robot's own: with the person's grasp, as it is known, it was not held"
)
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
        InputError: nothing moves, an object is in the hand from the first frame, ``out`` takes no files, there is no
            such simulator here.
        MissingExtraError: MuJoCo, MuJoCo Warp or CoACD is needed and not there; the message holds the command.
        MissingModelError: the robot's files are not there.
    """
    o = options or PlanOptions()
    check_simulator(o.simulator)
    if o.simulator != MUJOCO:
        said(
            "searched in MuJoCo Warp; for hands and objects that it has not simulated yet it compiles for a minute"
        )
    began = monotonic()
    folder = None if out is None else Path(out)
    tried = Tries(motion, describe, body, preparing, o, folder, said).all()
    best = _best(tried)
    if best.is_own:
        said(f"doubt: {_OWN_DOUBT}")
    if best.found.share < o.enough and learn is not None:
        said(f"it succeeds in {best.found.share:.0%} of the trial worlds: learning goes on from there")
        tried.append(replace(best, found=learn(_begun_with(best, o), o), by=LEARNING))
        best = _best(tried)
    plan = _plan(best, sum(t.found.steps for t in tried), o, monotonic() - began)
    if folder is not None:
        write_plan(folder / NAME, plan)
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
    return plan


def _best(tried: list[Tried]) -> Tried:
    """The best; of equals the last, for which there was a reason."""
    return max(reversed(tried), key=lambda t: t.found.rank)


def _begun_with(plan: Tried, o: PlanOptions) -> Task:
    """The task with what was found, even where that fails: held beyond the limits is nearer to success than dropped."""
    task = plan.ready.task
    episode = replay(task.world, task.start, plan.found.controls, settle=o.settle)
    if not np.isfinite(episode.qpos).all():
        return task
    return replace(task, controls=plan.found.controls, joints=episode.qpos[:, task.world.joint_at])


def _plan(best: Tried, steps: int, o: PlanOptions, seconds: float) -> Plan:
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
        "doubts": [*ready.doubts, *([_OWN_DOUBT] if best.is_own else [])],
        "options": asdict(o),
        "search": {
            "trial_share": found.share,
            "trial_tracked": found.tracked,
            "passes": found.passes,
            "grips": best.grips,
            "grasps": "fixed" if best.is_fixed else "as measured",
            "by": best.by,
            "own_grasp": best.is_own,
            "simulator": o.simulator,
            "steps": steps,
            "seconds": seconds,
        },
        "versions": _versions(o.simulator),
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


def _versions(simulator: str) -> dict[str, str]:
    found = {"dexman_pose": __version__, "mujoco": str(mujoco().__version__)}
    return found if simulator == MUJOCO else {**found, "mujoco_warp": str(mujoco_warp().__version__)}


def _errors(hand: Retargeted) -> dict[str, Any]:
    return {
        "median_m": {name: float(np.median(e)) for name, e in zip(hand.tips, hand.error.T)},
        "max_m": {name: float(e.max()) for name, e in zip(hand.tips, hand.error.T)},
        "fastest_joint_rad_s": hand.speed,
        "overlap_m": [round(float(x), _DIGITS) for x in hand.overlap],
    }
