"""OakInk2 by the protocol of the field: every primitive of a sequence planned, ten replays each, strictly judged.

Success is that of whole episodes: every frame under 3 cm and 0.5 rad. E_t and E_r are means over the successful replays
alone, as they are published; friction and the hands (free ones) stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.datasets.as_trajectory import trajectory_of
from dexman_pose.datasets.oakink2.program import ProgramStep, read_oakink2_program
from dexman_pose.datasets.oakink2.reader import MOCAP_RATE, list_sequences, read_oakink2
from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import DexmanError, InputError, MissingExtraError, MissingModelError
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.motion.acting import AUTO
from dexman_pose.robot.motion.from_trajectory import motion_from_trajectory
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.prepare import PrepareOptions
from dexman_pose.robot.skill.evaluate import Evaluation, evaluate
from dexman_pose.robot.skill.make import plan_motion

_MODE_HANDS = {"lh_main": "left", "rh_main": "right", "bh_main": "both"}
_REPLAYS = 10


@dataclass(frozen=True)
class OakInkJob:
    """What is planned.

    Attributes:
        root: of the data set.
        describe: the robot's hand of a side.
        mano: folder of the user's MANO files; hands have no joints without them.
        view: the camera in whose first place the motion is seen; it must look down on the table.
        sequences: names; all where empty.
        limit: primitives at most; None for all.
        out: folder of plans; None to keep none.
        preparing: how motions become tasks.
        options: of the search.
    """

    root: Path
    describe: Callable[[str], HandDescription]
    mano: Path | None = None
    view: str | None = None
    sequences: tuple[str, ...] = ()
    limit: int | None = None
    out: Path | None = None
    preparing: PrepareOptions = field(default_factory=PrepareOptions)
    options: PlanOptions = field(default_factory=PlanOptions)


@dataclass(frozen=True)
class PrimitiveResult:
    """What became of one primitive.

    Attributes:
        sequence: its name.
        number: of the primitive in its program; 0 where there is no program.
        primitive: what is done.
        mode: which hand does it.
        evaluation: None where there is no plan.
        error: why.
        own_grasp: whether something is held as the robot likes, not as the person did.
    """

    sequence: str
    number: int
    primitive: str
    mode: str
    evaluation: Evaluation | None = None
    error: str = ""
    own_grasp: bool = False

    @property
    def succeeded(self) -> tuple[int, int]:
        """Successful replays, and all; none of a primitive that has no plan."""
        if self.evaluation is None:
            return 0, _REPLAYS
        return self.evaluation.succeeded, len(self.evaluation.perturbed)


def run_oakink2(job: OakInkJob, report: Callable[[str], object] = lambda line: None) -> list[PrimitiveResult]:
    """Plan the primitives of sequences.

    Raises:
        InputError: no data set, or no such sequences.
        MissingExtraError: MuJoCo or CoACD is not installed.
        MissingModelError: the robot is not on this machine.
    """
    names = list(job.sequences) or list_sequences(job.root)
    out: list[PrimitiveResult] = []
    for recording in _recordings(job, names):
        for number, step in enumerate(_steps(job.root, recording)):
            if job.limit is not None and len(out) >= job.limit:
                return out
            result = _planned(recording, number, step, job)
            out.append(result)
            report(_line(result))
    return out


def _recordings(job: OakInkJob, names: list[str]) -> Iterator[Recording]:
    """One view of every sequence: that which is asked for, or the first."""
    seen: set[str] = set()
    views = None if job.view is None else [job.view]
    for recording in read_oakink2(job.root, sequences=names, views=views, mano=job.mano):
        if recording.name not in seen:
            seen.add(recording.name)
            yield recording


def _steps(root: Path, recording: Recording) -> list[ProgramStep | None]:
    file = root / "program" / "program_info" / f"{recording.name}.json"
    return list(read_oakink2_program(file)) if file.is_file() else [None]


def _planned(recording: Recording, number: int, step: ProgramStep | None, job: OakInkJob) -> PrimitiveResult:
    primitive, mode = ("whole sequence", "") if step is None else (step.primitive, step.mode)
    try:
        motion = motion_from_trajectory(
            trajectory_of(
                recording,
                frames=_frames(recording, step),
                objects=None if step is None else [n for n in step.objects if n in recording.objects] or None,
            ),
            _MODE_HANDS.get(mode, AUTO),
        )
        folder = None if job.out is None else job.out / f"{recording.name}_{number:02d}"
        plan = plan_motion(motion, job.describe, preparing=job.preparing, options=job.options, out=folder)
        found = evaluate(plan, replays=_REPLAYS, seed=job.options.seed)
    except (MissingExtraError, MissingModelError):
        raise
    except DexmanError as error:
        return PrimitiveResult(recording.name, number, primitive, mode, error=str(error))
    own = bool(plan.about["search"]["own_grasp"])
    return PrimitiveResult(recording.name, number, primitive, mode, found, own_grasp=own)


def _frames(recording: Recording, step: ProgramStep | None) -> tuple[int, int] | None:
    """Frames of a recording in which a primitive happens; its numbers count mocap frames, as the first frame's do."""
    if step is None:
        return None
    first = recording.first_number
    times = [(number - first) / MOCAP_RATE for number in step.frames]
    inside = np.flatnonzero((recording.frame_times >= times[0]) & (recording.frame_times <= times[1]))
    if not len(inside):
        raise InputError(f"no picture of {recording.name} lies in the primitive {step.primitive!r}")
    return int(inside[0]), int(inside[-1]) + 1


def _line(r: PrimitiveResult) -> str:
    label = f"{r.sequence} {r.number} {r.primitive} {r.mode}".rstrip()
    return f"{label}: {r.error}" if r.evaluation is None else f"{label}: {r.evaluation.told()}"


def table(results: list[PrimitiveResult]) -> list[str]:
    """The protocol's figures, and a row per primitive."""
    rows = [f"{'primitive':<40} {'mode':<8} {'strict':>6} {'of 10':>6} {'E_t mm':>7} {'E_r rad':>8}"]
    for r in results:
        label = f"{r.primitive} ({r.sequence[-24:]})"
        if r.evaluation is None:
            rows.append(f"{label:<40} {r.mode:<8} {'-':>6} {r.error}")
            continue
        v = r.evaluation.values()
        errors = (
            f"{'-':>7} {'-':>8}" if v["E_t_m"] is None else f"{1e3 * v['E_t_m']:>7.1f} {v['E_r_rad']:>8.3f}"
        )
        strict = "yes" if v["strict_success"] else "no"
        rows.append(f"{label:<40} {r.mode:<8} {strict:>6} {r.evaluation.succeeded:>6} {errors}")
    told = summary(results)
    middle = (
        "none succeeded"
        if told["E_t_m"] is None
        else f"E_r {told['E_r_rad']:.3f} rad, E_t {told['E_t_m']:.5f} m over the successful ones"
    )
    rows.append(
        f"{told['primitives']} primitives, {told['planned']} planned, {told['own_grasps']} of them with grasps of the "
        f"robot's own; {told['success_percent']:.1f} % of all "
        f"{told['rollouts']} rollouts succeed at every step; {middle}"
    )
    return rows


def summary(results: list[PrimitiveResult]) -> dict[str, Any]:
    """The protocol's figures: rollouts of primitives without a plan count as failures."""
    done, of = np.sum([r.succeeded for r in results], axis=0) if results else (0, 0)
    good = [s for r in results if r.evaluation is not None for s in r.evaluation.perturbed if s.success]
    return {
        "primitives": len(results),
        "planned": sum(r.evaluation is not None for r in results),
        "own_grasps": sum(r.own_grasp for r in results),
        "rollouts": int(of),
        "success_percent": 100.0 * float(done) / max(int(of), 1),
        "E_r_rad": float(np.mean([s.rotation for s in good])) if good else None,
        "E_t_m": float(np.mean([s.position for s in good])) if good else None,
    }
