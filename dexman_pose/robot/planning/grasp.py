"""A search for grasps: changes of whole holds, judged by what becomes of the object over whole episodes.

A grasp that stays as it is has few numbers: where the palm is beside the object, and how far fingers are closed. The
cross-entropy method (Rubinstein, 1999), with weights on the better samples as in path integral control, finds them in
a half to a tenth of the time that a search over all frames takes, and what it finds holds in worlds that it was not
found in, for it has nothing that only this episode needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.progress import progress
from dexman_pose.robot.planning.cost import object_cost
from dexman_pose.robot.planning.holds import HoldChanges
from dexman_pose.robot.planning.members import different_models, different_start, spread_differences
from dexman_pose.robot.planning.options import GraspOptions, Limits, PlanOptions
from dexman_pose.robot.planning.planner import Found, drawn_trials, found_of, stream, tried
from dexman_pose.robot.planning.simulation import Simulations
from dexman_pose.robot.planning.simulators import simulations
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.controls import stepped

_DRAWN, _WORLDS = 3, 4
"""What random numbers are for, beside those of the planner."""
_FEW = 4  # samples that count, at least


@dataclass
class GraspState:
    """How far a search is; enough to go on from.

    Attributes:
        number: of the next generation.
        mean: (C,) changes.
        deviation: (C,) of them.
        rng: that samples are drawn with.
        steps: of the simulation so far.
        sure: whether the first stage has come to an end.
        left: generations that the stage may still take.
        best: (C,) changes that did best in the trial worlds; None before any was tried there.
    """

    number: int
    mean: Array
    deviation: Array
    rng: np.random.Generator = field(repr=False)
    steps: int = 0
    sure: bool = False
    left: int = 0
    best: Array | None = None


def search_grasps(
    task: Task,
    options: PlanOptions | None = None,
    *,
    begun: GraspState | None = None,
    keep: Callable[[GraspState], None] | None = None,
) -> Found | None:
    """Find changes of holds with which the objects follow their reference.

    First it looks shortly beyond the lift, in the believed world, until a grasp holds; then over the whole motion, in
    several worlds, until enough of the trial worlds are successes.

    Args:
        task: what is planned, with grasps that stay as they are
            (:func:`~dexman_pose.robot.motion.fixed.with_fixed_grasps`).
        options: settings.
        begun: where an interrupted search was.
        keep: called with what has to be kept, after every generation.

    Returns:
        The best, judged in trial worlds that it was not made in; None where there is nothing to search: no hand holds
        anything.
    """
    o = options or PlanOptions()
    if o.grasp is None or not (changes := HoldChanges(task, o.grasp)).holds:
        return None
    state = begun or GraspState(
        0,
        np.zeros_like(changes.sigma),
        changes.sigma.copy(),
        stream(o, _DRAWN, 0),
        sure=o.grasp.short < 1,
        left=o.grasp.short if o.grasp.short > 0 else o.grasp.long,
    )
    with simulations(task.world, o.simulator) as many:
        many.steps = state.steps
        return _Search(task, changes, many, o, o.grasp).run(state, keep)


class _Search:
    """Generations of a search."""

    def __init__(
        self, task: Task, changes: HoldChanges, many: Simulations, o: PlanOptions, grasp: GraspOptions
    ) -> None:
        self.task, self.changes, self.many, self.o, self.grasp = task, changes, many, o, grasp
        count = len(task.world.objects)
        worlds = spread_differences(grasp.worlds, count, o.spread, stream(o, _WORLDS, 0))
        self.models: list[Any] = different_models(task.world, worlds)
        self.starts = np.stack([many.state(different_start(task.world, task.start, d)) for d in worlds])
        self.trials = drawn_trials(task, o)
        self.limits = Limits(o.tight * o.limits.position, o.tight * o.limits.rotation)
        last = max(hold.start for hold in changes.holds)
        self.soon = min(task.num_frames, last + grasp.after)

    def run(self, state: GraspState, keep: Callable[[GraspState], None] | None) -> Found:
        """Go on until grasps hold in enough worlds, or nothing is found."""
        best = None if state.best is None else self._judged(state.best)
        total = self.grasp.short + self.grasp.long
        with _Bar("grasps", total, state.number) as bar:
            while state.left > 0 and not (best is not None and best.share >= self.grasp.firm):
                least = self._generation(state)
                bar.to(state.number)
                if state.sure:
                    found = self._judged(state.mean)
                    if best is None or found.rank > best.rank:
                        best, state.best = found, state.mean.copy()
                else:
                    self._end_of_first(state, least)
                state.steps = self.many.steps
                if keep is not None:
                    keep(state)
        best = best or self._judged(state.mean)
        return replace(best, steps=self.many.steps, passes=state.number)

    def _end_of_first(self, state: GraspState, least: float) -> None:
        """The second stage begins where a grasp holds, or as the last try."""
        if least < self.grasp.sure or (state.left == 0 and least < self.grasp.hopeless):
            state.sure, state.left = True, self.grasp.long

    def _generation(self, state: GraspState) -> float:
        """Draw samples, go to the better ones; the cost of the mean that they were drawn around.

        What is a better one for a hold, the object that it holds tells: two hands learn from their own successes.
        """
        g = self.grasp
        drawn = state.mean + state.deviation * state.rng.standard_normal((g.samples, len(state.mean)))
        drawn[0] = state.mean
        costs = (
            self._in_all(drawn, state.number) if state.sure else self._costs(drawn, self.soon, [0]).mean(1)
        )
        mean, deviation = state.mean.copy(), state.deviation.copy()
        for hold, part in zip(self.changes.holds, self.changes.parts):
            mean[part], spread = self._better(drawn[:, part], costs[:, hold.thing])
            deviation[part] = g.slow * state.deviation[part] + (1.0 - g.slow) * spread
        state.mean, state.deviation = mean, np.maximum(deviation, g.least * self.changes.sigma)
        state.number, state.left = state.number + 1, state.left - 1
        return float(costs[0].mean())

    def _better(self, drawn: Array, costs: Array) -> tuple[Array, Array]:
        """Mean and spread (C,) of the better of the samples (N, C), by their costs (N,)."""
        best = np.argsort(costs, kind="stable")[: max(round(self.grasp.elite * len(costs)), _FEW)]
        best = best[np.isfinite(costs[best])]
        weight = np.exp((costs[best[0]] - costs[best]) / (costs[best].std() + 1e-6))
        weight /= weight.sum()
        mean = weight @ drawn[best]
        return mean, np.sqrt(weight @ (drawn[best] - mean) ** 2)

    def _in_all(self, drawn: Array, number: int) -> Array:
        """(N, O) costs of changes over the whole motion in all worlds; infinite for those that do badly in one of them.

        The first is the mean that the others were drawn around: it is always tried.
        """
        count = len(self.models)
        first = number % count
        one = self._costs(drawn, self.task.num_frames, [first])[:, 0]
        ranks = np.argsort(np.argsort(one, axis=0, kind="stable"), axis=0).min(1)
        ranks[0] = -1
        kept = np.sort(np.argsort(ranks, kind="stable")[: max(round(self.grasp.kept * len(drawn)), _FEW)])
        others = [i for i in range(count) if i != first]
        out = np.full(one.shape, np.inf)
        out[kept] = one[kept]
        if others:
            rest = self._costs(drawn[kept], self.task.num_frames, others)
            out[kept] = (one[kept] + rest.sum(1)) / count
        return out

    def _costs(self, drawn: Array, frames: int, worlds: list[int]) -> Array:
        """(N, W, O) of changes (N, C) in worlds, by object, of the first frames."""
        task = self.task
        controls = self.changes.controls(drawn)[:, :frames]
        places = played(
            task,
            self.many,
            [self.models[i] for i in worlds] * len(drawn),
            np.tile(self.starts[worlds], (len(drawn), 1)),
            np.repeat(controls, len(worlds), axis=0),
            self.grasp.settle,
        )[..., None, :]
        paid = object_cost(places, task.reference[:frames, :, None], self.limits, self.o.cost)
        return np.asarray(np.minimum(paid, self.grasp.lost).mean(1).reshape(len(drawn), len(worlds), -1))

    def _judged(self, change: Array) -> Found:
        controls = self.changes.controls(change[None])[0]
        return found_of(
            controls, tried(self.task, self.many, controls, self.trials, self.o), 0, self.many.steps
        )


def played(
    task: Task, many: Simulations, models: Sequence[Any], starts: Array, controls: Array, settle: float
) -> Array:
    """Places (N, F, O, 7) of objects while controls (N, F, A) are played, each in its model, from states (N, S).

    Args:
        task: whose world it is.
        many: simulations of it.
        models: N.
        starts: objects beside their places or not.
        controls: of frames, from the first one on.
        settle: seconds at the first of them before.
    """
    world = task.world
    wait = np.repeat(controls[:, :1], round(settle / world.model.opt.timestep), axis=1)
    steps = np.concatenate([wait, stepped(controls, world.steps)], axis=1)
    states, _ = many.run(models, starts, steps)
    ends = wait.shape[1] - 1 + world.steps * np.arange(controls.shape[1])
    return world.object_places(many.qpos(states[:, ends]))


class _Bar:
    """A bar of progress over a count that may jump."""

    def __init__(self, title: str, total: int, at: int) -> None:
        self.at = at
        self.bar = iter(progress(range(at, total), title, total=total - at))

    def to(self, number: int) -> None:
        """Go on to a number."""
        for _ in range(number - self.at):
            next(self.bar, None)
        self.at = number

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        for left in self.bar:  # a search that is sure ends early, its bar is full then
            self.at = left
