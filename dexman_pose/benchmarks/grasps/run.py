"""Plans a folder of measured grasps and judges every plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from dexman_pose.benchmarks.grasps.motion import grasp_motion
from dexman_pose.benchmarks.grasps.two_hands import paired_motion
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import DexmanError, InputError, MissingExtraError, MissingModelError
from dexman_pose.robot.assets.robots import find_robot
from dexman_pose.robot.motion.types import Motion
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.planner import Found
from dexman_pose.robot.planning.prepare import PrepareOptions
from dexman_pose.robot.planning.simulators import check_simulator
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.skill.evaluate import Evaluation, evaluate
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.synthetic.grasps.recorded import list_grasps
from dexman_pose.threads import cores

AFTER = 1.4
"""Seconds of a grasp that are planned after its lift."""
_ENOUGH = 8
"""Perturbed replays of ten that make a plan sure."""


@dataclass(frozen=True)
class GraspJob:
    """What is planned.

    Attributes:
        grasps: folder of measured grasps.
        meshes: folder of their objects' meshes.
        robots: folder of robots, None to look in the usual places.
        robot: one of :data:`~dexman_pose.robot.assets.robots.ROBOTS`.
        only: parts of names; empty for all.
        mirrored: whether each is planned in a mirror.
        hand: each is planned in a mirror where its hand is another one; ``both``: every two of them that follow each
            other are planned at once, one for each hand. None for hands as they were measured.
        keep: folder for the plans.
        learn: minutes of learning where a search leaves a plan unsure, at most; 0 for none.
        preparing: how motions become tasks.
        options: of the search.
    """

    grasps: Path
    meshes: Path
    robots: Path | None = None
    robot: str = "shadow"
    only: tuple[str, ...] = ()
    mirrored: bool = False
    hand: str | None = None
    keep: Path | None = None
    learn: float = 0.0
    preparing: PrepareOptions = field(default_factory=PrepareOptions)
    options: PlanOptions = field(default_factory=PlanOptions)


@dataclass(frozen=True)
class GraspResult:
    """What became of one grasp.

    Attributes:
        name: of the file.
        seconds: from the file to the plan.
        plan: None where there is none.
        evaluation: of it.
        error: why there is none.
    """

    name: str
    seconds: float
    plan: Plan | None = None
    evaluation: Evaluation | None = None
    error: str = ""


def run_grasps(job: GraspJob, report: Callable[[str], object] = lambda line: None) -> list[GraspResult]:
    """Plan every grasp.

    Raises:
        InputError: no grasps, none of the names asked for, or no such simulator here.
        MissingExtraError: MuJoCo or CoACD is not installed.
        MissingModelError: the robot is not on this machine.
    """
    check_simulator(job.options.simulator)
    files = [f for f in list_grasps(job.grasps) if not job.only or any(part in f.name for part in job.only)]
    if not files:
        raise InputError(f"no grasp in {job.grasps} has {' or '.join(job.only)} in its name")
    out = []
    for name, motion in _motions(files, job):
        result = _planned(name, motion, job, report)
        out.append(result)
        if result.evaluation is None:
            report(f"{result.name}: {result.error}")
        else:
            report(f"{result.name}: {result.evaluation.told()}; {result.seconds:.0f} s")
    return out


def _motions(files: list[Path], job: GraspJob) -> list[tuple[str, Callable[[], Motion]]]:
    """Names of what is planned, and how each becomes a motion."""
    if job.hand != "both":
        return [(file.stem, partial(_one_hand, file, job)) for file in files]
    if len(files) < len(SIDES):
        raise InputError(f"two hands need two grasps, but there is {files[0].name} alone")
    pairs = list(pairwise(files))
    return [
        (f"{a.stem}+{b.stem}", partial(paired_motion, a, b, job.meshes, job.options.seed)) for a, b in pairs
    ]


def _one_hand(file: Path, job: GraspJob) -> Motion:
    motion = grasp_motion(file, job.meshes, job.mirrored)
    return motion.mirrored() if job.hand is not None and job.hand not in motion.hands else motion


def _planned(
    name: str, motion: Callable[[], Motion], job: GraspJob, report: Callable[[str], object]
) -> GraspResult:
    window = replace(job.preparing.window, after=AFTER)
    preparing = replace(job.preparing, window=window)
    began = monotonic()
    try:
        robot = find_robot(job.robot, job.robots)
        out = job.keep / name if job.keep is not None else None
        plan = plan_motion(
            motion(),
            robot.describe,
            body=robot.body,
            preparing=preparing,
            options=job.options,
            learn=_learn(job, out, report),
            out=out,
            said=lambda line: report(f"  {line}"),
        )
        seconds = monotonic() - began
        return GraspResult(name, seconds, plan, evaluate(plan, seed=job.options.seed))
    except (MissingExtraError, MissingModelError):
        raise
    except DexmanError as error:
        return GraspResult(name, monotonic() - began, error=str(error))


def _learn(
    job: GraspJob, out: Path | None, report: Callable[[str], object]
) -> Callable[[Task, PlanOptions], Found] | None:
    if job.learn <= 0:
        return None
    from dexman_pose.robot.learning.planned import learnt_controls

    return learnt_controls(job.learn, out=out, threads=cores(), said=lambda line: report(f"    {line}"))


def lines(results: list[GraspResult], job: GraspJob) -> list[str]:
    """The results as a table."""
    friction = job.preparing.world.contact.friction
    head = (
        f"{'grasp':<56} {'strict':>6} {'tracked':>8} {'cm':>5} {'rad':>5} {'perturbed':>9} {'search s':>8}   "
        f"friction {friction:g}, {cores()} cores"
    )
    rows = [head]
    for r in results:
        if r.evaluation is None or r.plan is None:
            rows.append(f"{r.name:<56} {'-':>6} {r.error}")
            continue
        e, s = r.evaluation, r.evaluation.replay
        seconds = r.plan.about["search"]["seconds"]
        rows.append(
            f"{r.name:<56} {'yes' if s.success else 'no':>6} {s.tracked:>4}/{s.frames:<3} "
            f"{1e2 * s.most_position:>5.1f} {s.most_rotation:>5.2f} "
            f"{e.succeeded:>5}/{len(e.perturbed):<3} {seconds:>8.0f}"
        )
    rows.append(summary(results))
    return rows


def summary(results: list[GraspResult]) -> str:
    """How many succeed, in one line."""
    done = [r.evaluation for r in results if r.evaluation is not None]
    strict = sum(e.replay.success for e in done)
    sure = sum(e.succeeded >= _ENOUGH for e in done)
    mean = float(np.mean([e.succeeded for e in done])) if done else 0.0
    return (
        f"{strict} of {len(results)} succeed at every step; {sure} in at least {_ENOUGH} of 10 perturbed replays, "
        f"{mean:.1f} of 10 in the mean"
    )


def as_json(results: list[GraspResult], job: GraspJob) -> dict[str, Any]:
    """The results as plain values."""
    grasps: dict[str, dict[str, Any]] = {}
    for r in results:
        if r.evaluation is None or r.plan is None:
            grasps[r.name] = {"error": r.error}
        else:
            grasps[r.name] = {**r.evaluation.values(), "seconds": r.seconds, "about": r.plan.about}
    return {
        "cores": cores(),
        "robot": job.robot,
        "mirrored": job.mirrored,
        "hand": job.hand,
        "learn_minutes": job.learn,
        "options": asdict(job.options),
        "grasps": grasps,
    }
