"""Reconstructs clips, plans what was reconstructed, and judges the plans against it and against the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.plans.cases import VideoCase
from dexman_pose.data import Trajectory
from dexman_pose.errors import DexmanError, MissingExtraError, MissingModelError
from dexman_pose.geometry.se3 import matrix_from_quaternion, rotation_angle, se3
from dexman_pose.pipeline import reconstruct
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.shadow import shadow_hand
from dexman_pose.robot.motion.acting import AUTO
from dexman_pose.robot.motion.from_trajectory import MotionOptions, motion_from_trajectory
from dexman_pose.robot.motion.types import RATE, Motion
from dexman_pose.robot.planning.options import Limits, PlanOptions
from dexman_pose.robot.planning.prepare import PrepareOptions
from dexman_pose.robot.skill.evaluate import Evaluation, evaluate
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.skill.plan import Plan

LOOSE = Limits(position=0.05, rotation=0.8)
"""Within what of the truth a robot has done what was filmed."""


@dataclass(frozen=True)
class VideoJob:
    """How clips become plans.

    Attributes:
        out: folder of runs and plans; what lies there is not made again.
        robots: folder of robots.
        preparing: how motions become tasks.
        options: of the search.
    """

    out: Path
    robots: Path | None = None
    preparing: PrepareOptions = field(default_factory=PrepareOptions)
    options: PlanOptions = field(default_factory=PlanOptions)


@dataclass(frozen=True)
class TruthScore:
    """A motion against the truth, over the frames in which that is known.

    Attributes:
        success: every frame within :data:`LOOSE`.
        tracked: share of the frames within.
        position: metres, the worst frame.
        rotation: radians.
    """

    success: bool
    tracked: float
    position: float
    rotation: float


@dataclass(frozen=True)
class VideoResult:
    """What became of one clip.

    Attributes:
        name: of the case.
        seconds: of reconstruction and of planning.
        plan: None where there is none.
        evaluation: of it, against the reconstruction.
        replayed: the replay against the truth, None where there is none.
        reconstructed: the motion that was planned against the truth.
        error: why there is no plan.
    """

    name: str
    seconds: tuple[float, float] = (0.0, 0.0)
    plan: Plan | None = None
    evaluation: Evaluation | None = None
    replayed: TruthScore | None = None
    reconstructed: TruthScore | None = None
    error: str = ""

    def told(self) -> str:
        """In one line."""
        if self.evaluation is None:
            return f"{self.name}: {self.error}"
        against = "" if self.replayed is None else f"; against the truth: {_told(self.replayed)}"
        return f"{self.name}: {self.evaluation.told()}{against}"

    def values(self) -> dict[str, Any]:
        """Plain values for JSON."""
        if self.evaluation is None or self.plan is None:
            return {"error": self.error}
        return {
            **self.evaluation.values(),
            "truth": None if self.replayed is None else vars(self.replayed),
            "reconstruction_to_truth": None if self.reconstructed is None else vars(self.reconstructed),
            "seconds": {"reconstruction": self.seconds[0], "planning": self.seconds[1]},
            "notes": self.plan.about["notes"],
            "doubts": self.plan.about["doubts"],
            "placements": self.plan.about["placements"],
            "search": self.plan.about["search"],
        }


def run_video(
    case: VideoCase, job: VideoJob, report: Callable[[str], object] = lambda line: None
) -> VideoResult:
    """Reconstruct a clip, plan it, judge the plan.

    Raises:
        MissingExtraError: MuJoCo or CoACD is not installed.
        MissingModelError: the robot or the hand detector's weights are not on this machine.
    """
    folder, began = job.out / case.folder.replace(" ", "_"), monotonic()
    try:
        trajectory = reconstruct(
            case.clip, case.prompts, camera=case.camera, out=folder / "run", progress=False
        )
        seen = monotonic()
        motion = motion_from_trajectory(trajectory, AUTO, options=MotionOptions(seconds=case.seconds))
    except (MissingExtraError, MissingModelError):
        raise
    except DexmanError as error:
        return VideoResult(case.name, error=str(error))
    made = run_motion(case.name, motion, job, report, masses=case.masses)
    if made.plan is None:
        return made
    plan, world = made.plan, made.plan.world()
    return replace(
        made,
        seconds=(seen - began, made.seconds[1]),
        replayed=against_truth(case, trajectory, plan, world.objects, world.object_places(plan.qpos)),
        reconstructed=against_truth(case, trajectory, plan, world.objects, plan.measured),
    )


def run_motion(
    name: str,
    motion: Motion,
    job: VideoJob,
    report: Callable[[str], object] = lambda line: None,
    *,
    masses: Mapping[str, float] | None = None,
    describe: Callable[[str], HandDescription] | None = None,
) -> VideoResult:
    """Plan a motion that needs no reconstruction, as the truth of a rendered film: no video is looked at.

    Args:
        name: of the case, and of its folder.
        motion: that is planned.
        job: how.
        report: is told what is found on the way.
        masses: kg, of objects that somebody has weighed.
        describe: the robot's hand of a side; None for Shadow hands.

    Raises:
        MissingExtraError: MuJoCo or CoACD is not installed.
        MissingModelError: the robot is not on this machine.
    """
    began = monotonic()
    try:
        plan = plan_motion(
            motion,
            describe or (lambda side: shadow_hand(side, job.robots)),
            preparing=_weighed(job.preparing, masses or {}),
            options=job.options,
            out=job.out / name.replace(" ", "_") / "plan",
            said=lambda line: report(f"  {line}"),
        )
    except (MissingExtraError, MissingModelError):
        raise
    except DexmanError as error:
        return VideoResult(name, error=str(error))
    seconds = (0.0, monotonic() - began)
    return VideoResult(name, seconds, plan, evaluate(plan, seed=job.options.seed))


def _weighed(preparing: PrepareOptions, weighed: Mapping[str, float]) -> PrepareOptions:
    """The settings with what a case's objects weigh."""
    masses = {**weighed, **preparing.objects.masses}
    return replace(preparing, objects=replace(preparing.objects, masses=masses))


def against_truth(
    case: VideoCase, trajectory: Trajectory, plan: Plan, names: tuple[str, ...], places: Array
) -> TruthScore | None:
    """Score places (T, O, 7) of a plan against the truth, seen from the camera; None where there is no truth.

    Args:
        case: with the truth.
        trajectory: that was planned; says where the camera is.
        plan: says when it begins.
        names: of the objects.
        places: place and quaternion wxyz of each in the plan's frames, world.
    """
    times = plan.about["begins_s"] + np.arange(len(places)) / RATE
    frames = np.abs(trajectory.frame_times[:, None] - times).argmin(0)
    metres, radians, known = [], [], np.ones(len(places), np.bool_)
    for k, name in enumerate(names):
        true = case.truth.get(name)
        if true is None:
            continue
        known &= true.known[frames]
        poses = se3(matrix_from_quaternion(places[:, k, 3:]), places[:, k, :3])
        wanted = (trajectory.world_from_camera @ true.camera_from_object)[frames]
        metres.append(np.linalg.norm(poses[:, :3, 3] - wanted[:, :3, 3], axis=1))
        radians.append(rotation_angle(np.swapaxes(wanted[:, :3, :3], 1, 2) @ poses[:, :3, :3]))
    if not metres or not known.any():
        return None
    far = np.nan_to_num(np.max(metres, 0), nan=np.inf)[known]
    turn = np.nan_to_num(np.max(radians, 0), nan=np.inf)[known]
    good = (far < LOOSE.position) & (turn < LOOSE.rotation)
    return TruthScore(bool(good.all()), float(good.mean()), float(far.max()), float(turn.max()))


def _told(s: TruthScore) -> str:
    outcome = "success" if s.success else f"within in {100 * s.tracked:.0f} % of the frames"
    return f"{outcome}, at most {1e2 * s.position:.1f} cm and {s.rotation:.2f} rad"


def table(results: list[VideoResult]) -> list[str]:
    """The results as lines."""
    head = (
        f"{'clip':<10} {'strict':>6} {'tracked':>8} {'cm':>5} {'rad':>5} {'perturbed':>9}   {'truth':>6} "
        f"{'cm':>5} {'rad':>5}"
    )
    rows = [f"{head}   reconstruction to truth"]
    for r in results:
        if r.evaluation is None:
            rows.append(f"{r.name:<10} {'-':>6} {r.error}")
            continue
        e, s = r.evaluation, r.evaluation.replay
        row = (
            f"{r.name:<10} {_yes(s.success):>6} {s.tracked:>4}/{s.frames:<3} {1e2 * s.most_position:>5.1f} "
            f"{s.most_rotation:>5.2f} {e.succeeded:>5}/{len(e.perturbed):<3}"
        )
        if r.replayed is not None and r.reconstructed is not None:
            t, m = r.replayed, r.reconstructed
            row += f"   {_yes(t.success):>6} {1e2 * t.position:>5.1f} {t.rotation:>5.2f}"
            row += f"   {1e2 * m.position:.1f} cm, {m.rotation:.2f} rad"
        rows.append(row)
    strict = sum(r.evaluation is not None and r.evaluation.replay.success for r in results)
    true = [r.replayed for r in results if r.replayed is not None]
    rows.append(
        f"{strict} of {len(results)} follow their reconstruction at every step; "
        f"{sum(t.success for t in true)} of {len(true)} the truth within 5 cm and 0.8 rad"
    )
    return rows


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
