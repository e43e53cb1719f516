"""Two checkouts in alternation: what the machine does meanwhile meets both alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dexman_pose.benchmarks.pipeline.difference import Difference, difference
from dexman_pose.benchmarks.pipeline.process import Cost, Job, Run, run_once

Runner = Callable[[Path, Job, Path], Run]

WARM_UP = 8
"""Frames of the run that comes before the counted ones: kernels are compiled there, files come into the cache."""


@dataclass(frozen=True)
class StagePair:
    """What a stage took here and there; None where a checkout has no stage of that name.

    Attributes:
        name: of the stage.
        own: of this checkout, the least of all rounds, each number by itself.
        other: of the other.
    """

    name: str
    own: Cost | None
    other: Cost | None

    def ratio(self, number: str) -> float | None:
        """How many times as much the other takes of ``wall``, ``processor`` or ``peak_mb``."""
        if self.own is None or self.other is None or getattr(self.own, number) <= 0.0:
            return None
        out: float = getattr(self.other, number) / getattr(self.own, number)
        return out


@dataclass(frozen=True)
class Comparison:
    """Two checkouts beside each other.

    Attributes:
        rounds: how often each ran.
        stages: in the order of this checkout's run, then those of the other alone, the whole run last.
        differences: of the results, by object.
    """

    rounds: int
    stages: list[StagePair]
    differences: dict[str, Difference]


def compare(
    own: Path,
    other: Path,
    job: Job,
    folder: Path,
    *,
    rounds: int = 3,
    runner: Runner = run_once,
    report: Callable[[str], None] | None = None,
) -> Comparison:
    """Run both checkouts ``rounds`` times, in turns; who begins changes from round to round.

    Before that each runs once on the first frames, uncounted.

    Args:
        own: folder of this checkout.
        other: folder of the other.
        job: what both run.
        folder: where the runs are written.
        rounds: of each.
        runner: runs one of them.
        report: is told what begins.

    Raises:
        DexmanError: a run failed.
    """
    runs: dict[str, list[Run]] = {"own": [], "other": []}
    places = {"own": own, "other": other}
    few = replace(job, max_frames=min(WARM_UP, job.max_frames or WARM_UP))
    for side, place in places.items():
        if report is not None:
            report(f"once before, not counted: {place}")
        runner(place, few, folder / f"before-{side}")
    for turn in range(rounds):
        for side in ("own", "other") if turn % 2 == 0 else ("other", "own"):
            if report is not None:
                report(f"round {turn + 1} of {rounds}: {places[side]}")
            runs[side].append(runner(places[side], job, folder / f"{turn}-{side}"))
    least = {side: _least(found) for side, found in runs.items()}
    return Comparison(
        rounds, _pairs(least["own"], least["other"]), difference(runs["own"][-1], runs["other"][-1])
    )


def _least(runs: list[Run]) -> dict[str, Cost]:
    """The least of every number of every stage."""
    out: dict[str, Cost] = {}
    for run in runs:
        for name, cost in run.costs.items():
            known = out.get(name, cost)
            out[name] = replace(
                known,
                wall=min(known.wall, cost.wall),
                processor=min(known.processor, cost.processor),
                peak_mb=min(known.peak_mb, cost.peak_mb),
            )
    return out


def _pairs(own: dict[str, Cost], other: dict[str, Cost]) -> list[StagePair]:
    *stages, whole = own
    names = [*stages, *(name for name in other if name not in own), whole]
    return [StagePair(name, own.get(name), other.get(name)) for name in names]
