"""Passes over a motion until its plan succeeds in worlds it was not made in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.progress import progress
from dexman_pose.robot.planning.members import (
    Difference,
    different_models,
    different_start,
    drawn_differences,
    no_difference,
    spread_differences,
)
from dexman_pose.robot.planning.options import Limits, PlanOptions
from dexman_pose.robot.planning.score import Score, score
from dexman_pose.robot.planning.simulation import Simulations
from dexman_pose.robot.planning.simulators import simulations
from dexman_pose.robot.planning.sweep import Sweep, SweepState
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.controls import limited, stepped

_TRIALS, _MEMBERS, _NOISE = range(3)
"""What random numbers are for: each use has a stream of its own, so that none depends on how often another drew."""


@dataclass(frozen=True)
class Found:
    """Controls and how they do.

    Attributes:
        controls: (T, A).
        share: of the trial worlds in which they succeed; 0 where the believed one is not among them.
        tracked: mean share of the frames that are tracked there.
        passes: after how many passes; 0 for the retargeted motion itself.
        steps: of the simulation, in all.
    """

    controls: Array
    share: float
    tracked: float
    passes: int
    steps: int

    @property
    def rank(self) -> tuple[float, float]:
        """The better, the greater."""
        return self.share, self.tracked


@dataclass(frozen=True)
class Progress:
    """Where planning is, to be kept and gone on from.

    Attributes:
        number: of the pass, from 0.
        state: of the pass; None before its first frame.
        residuals: (T + ..., A) that the pass began with.
        differences: of its members.
        best: found by the passes before, if any.
        steps: of the simulation so far.
        begun: number of the pass that began with the retargeted motion.
    """

    number: int
    state: SweepState | None
    residuals: Array | None
    differences: tuple[Difference, ...]
    best: Found | None
    steps: int
    begun: int = 0


def plan_controls(
    task: Task,
    options: PlanOptions | None = None,
    *,
    begun: Progress | None = None,
    keep: Callable[[Progress], None] | None = None,
) -> Found:
    """Find controls that let the objects follow their reference.

    Args:
        task: what is planned.
        options: settings.
        begun: where an interrupted search was.
        keep: called with what has to be kept, after every stride.

    Returns:
        The best of the passes, judged in trial worlds that no pass was made in.
    """
    o = options or PlanOptions()
    trials = drawn_trials(task, o)
    at = begun or Progress(0, None, None, _members(task, _of_pass(0, o), 0, None), None, 0)
    with simulations(task.world, o.simulator) as many:
        many.steps = at.steps
        best = at.best or _unsearched(task, many, trials, o)
        while not _is_enough(best, at.number, o):
            here = _of_pass(at.number, o)
            sweep = Sweep(
                task,
                many,
                at.differences,
                here,
                o.again ** (at.number - at.begun),
                first=at.number == at.begun,
            )
            state = _gone(sweep, at, many, keep, here)
            controls = sweep.controls(state)
            scores = tried(task, many, controls, trials, o)
            found = found_of(controls, scores, at.number + 1, many.steps)
            better = found.rank >= best.rank
            best = found if better else best
            if _is_enough(best, at.number + 1, o):
                break
            at = _next(
                task, at, o, state if better else None, trials, scores, replace(best, steps=many.steps)
            )
        return replace(best, steps=many.steps)


def _of_pass(number: int, o: PlanOptions) -> PlanOptions:
    """Settings of a pass: the first of several is wide, and in the believed world alone."""
    w = o.wide
    if w is None or number > 0 or o.passes < 2:
        return o
    return replace(
        o,
        samples=w.times * o.samples,
        members=1,
        horizon=w.horizon,
        knot=w.knot,
        slide=w.slide,
        hinge=w.hinge,
        finger=w.finger,
        tight=1.0,
        sure=w.sure,
        cost=replace(o.cost, contact=0.0, jitter=0.0, effort=w.effort),
    )


def _next(
    task: Task,
    at: Progress,
    o: PlanOptions,
    better: SweepState | None,
    trials: list[Difference],
    scores: list[Score],
    best: Found,
) -> Progress:
    """The pass after one: on from the best that was found, or, where a wide one has found nothing, anew.

    Args:
        task: that is planned.
        at: the pass that has ended.
        o: settings.
        better: where it has ended; None where what it began with was better.
        trials: worlds that it was tried in.
        scores: there.
        best: found so far.
    """
    number = at.number + 1
    if number == 1 and _of_pass(0, o) is not o and not scores[0].success:
        return Progress(number, None, None, _members(task, o, 0, None), best, best.steps, number)
    failed = [d for d, s in zip(trials, scores) if not s.success]
    members = _members(task, o, number, failed)
    residuals = at.residuals if better is None else better.residuals
    if residuals is None:
        return Progress(number, None, None, members, best, best.steps, number)
    return Progress(number, None, residuals, members, best, best.steps, at.begun)


def judged_controls(task: Task, controls: Array, options: PlanOptions | None = None) -> Found:
    """Judge controls, wherever they come from, in the trial worlds that a search with these options is judged in.

    Args:
        task: what is planned.
        controls: (T, A).
        options: of the search.
    """
    o = options or PlanOptions()
    bounded = limited(task.world, controls)
    with simulations(task.world) as many:
        return found_of(bounded, tried(task, many, bounded, drawn_trials(task, o), o), 0, many.steps)


def holds_well(task: Task, options: PlanOptions | None = None) -> bool:
    """Whether the retargeted motion by itself keeps objects well within the limits, in enough of the trial worlds."""
    o = options or PlanOptions()
    with simulations(task.world) as many:
        return _unsearched(task, many, drawn_trials(task, o), o).share >= o.enough


def drawn_trials(task: Task, o: PlanOptions) -> list[Difference]:
    """Worlds that plans are judged in; the first is the one that is believed in."""
    objects = len(task.world.objects)
    drawn = drawn_differences(o.trials - 1, objects, o.spread, stream(o, _TRIALS, 0))
    return [no_difference(objects), *drawn]


def _unsearched(task: Task, many: Simulations, trials: list[Difference], o: PlanOptions) -> Found:
    """The retargeted motion's own controls; a success where they keep objects well within the limits."""
    controls = limited(task.world, task.controls)
    well = Limits(o.easy * o.limits.position, o.easy * o.limits.rotation)
    scores = tried(task, many, controls, trials, replace(o, limits=well))
    return found_of(controls, scores, 0, many.steps)


def found_of(controls: Array, scores: list[Score], passes: int, steps: int) -> Found:
    """Controls with their scores in the trial worlds, after so many passes."""
    good = np.array([s.success for s in scores])
    share = float(good.mean()) * float(good[0])
    return Found(controls, share, float(np.mean([s.share for s in scores])), passes, steps)


def _is_enough(best: Found, passes: int, o: PlanOptions) -> bool:
    """Whether there need be no more passes after so many."""
    return best.share >= o.enough or passes >= o.passes


def tried(
    task: Task, many: Simulations, controls: Array, differences: list[Difference], options: PlanOptions
) -> list[Score]:
    """Scores of controls in several worlds."""
    world = task.world
    models = different_models(world, differences)
    starts = np.stack([many.state(different_start(world, task.start, d)) for d in differences])
    wait = np.repeat(controls[:1], round(options.settle / world.model.opt.timestep), axis=0)
    steps = np.concatenate([wait, stepped(controls, world.steps)])
    states, _ = many.judge(
        models, starts, np.ascontiguousarray(np.broadcast_to(steps, (len(models), *steps.shape)))
    )
    frames = len(wait) - 1 + world.steps * np.arange(len(controls))
    places = world.object_places(many.qpos(states[:, frames]))
    return [score(p, task.reference, options.limits) for p in places]


def _gone(
    sweep: Sweep, at: Progress, many: Simulations, keep: Callable[[Progress], None] | None, o: PlanOptions
) -> SweepState:
    """The state after the whole pass."""
    state = at.state or sweep.begin(stream(o, _NOISE, at.number), at.residuals)
    total = sweep.task.num_frames - 1
    bar = iter(progress(range(state.frame, total), f"plan, pass {at.number + 1}", total=total - state.frame))

    def after(now: SweepState) -> None:
        for _ in range(now.frame - after.frame):  # type: ignore[attr-defined]
            next(bar, None)
        after.frame = now.frame  # type: ignore[attr-defined]
        if keep is not None:
            keep(replace(at, state=now, steps=many.steps))

    after.frame = state.frame  # type: ignore[attr-defined]
    sweep.run(state, after)
    next(bar, None)
    return state


def _members(
    task: Task, o: PlanOptions, number: int, failed: list[Difference] | None
) -> tuple[Difference, ...]:
    """Worlds of a pass: evenly spread at first, then the believed one and some in which the plan failed."""
    rng = stream(o, _MEMBERS, number)
    even = spread_differences(o.members, len(task.world.objects), o.spread, rng)
    if not failed:
        return tuple(even)
    hard = [failed[i] for i in rng.permutation(len(failed))[: (o.members - 1 + 1) // 2]]
    return tuple([even[0], *hard, *even[1:]][: max(o.members, 1)])


def stream(o: PlanOptions, use: int, number: int) -> np.random.Generator:
    """Random numbers of a use, and of the number of a pass."""
    return np.random.default_rng([o.seed, use, number])
