"""One pass over a motion: controls are sampled for the frames ahead, the best mean is gone a few frames along.

Model predictive path integral control (Williams et al., 2017) with annealed noise (as in Xue et al., 2024), on
residuals of a retargeted motion. Every sample is simulated in several worlds, each of which goes on from a state of its
own: what is found has to work in all of them without looking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.robot.planning.cost import apart, contact_cost, object_cost
from dexman_pose.robot.planning.members import Difference, different_models, different_start
from dexman_pose.robot.planning.noise import deviations, knots_to_frames
from dexman_pose.robot.planning.options import Limits, PlanOptions
from dexman_pose.robot.planning.proposals import Carriers
from dexman_pose.robot.planning.simulation import Simulations
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.controls import stepped


@dataclass
class SweepState:
    """How far a pass has come; enough to go on from.

    Attributes:
        frame: the next one.
        residuals: (T + F, A) on the task's controls, F frames beyond the end that are looked at.
        states: (M, S) of the members.
        rng: of the noise.
    """

    frame: int
    residuals: Array
    states: Array
    rng: np.random.Generator = field(repr=False)


class Sweep:
    """A pass over a task.

    Args:
        task: what is planned.
        simulations: of its world.
        differences: the members.
        options: settings.
        noise: factor on the deviations.
        first: whether no pass came before.
    """

    def __init__(
        self,
        task: Task,
        simulations: Simulations,
        differences: Sequence[Difference],
        options: PlanOptions,
        noise: float = 1.0,
        first: bool = True,
    ) -> None:
        self.task, self.many, self.o = task, simulations, options
        self.differences = list(differences)
        self.models: list[Any] = different_models(task.world, differences)
        self.sigma = deviations(task.world, options)
        self.noise, self.first = noise, first
        self.carriers = Carriers(task, options)
        span = task.world.model.actuator_ctrlrange
        self.lower, self.upper = span[:, 0], span[:, 1]
        self.limits = Limits(options.tight * options.limits.position, options.tight * options.limits.rotation)
        ahead = options.horizon + 1
        self.basis = knots_to_frames(ahead, options.knot)
        self.far = max(options.far, 1) * options.horizon + 1
        self.reference_controls = _continued(task.controls, self.far)

    def begin(self, rng: np.random.Generator, residuals: Array | None = None) -> SweepState:
        """The state before the first frame: objects settled, hands where the motion begins.

        Args:
            rng: of the noise.
            residuals: of a pass before, to begin with.
        """
        task = self.task
        starts = [different_start(task.world, task.start, d) for d in self.differences]
        states = np.stack([self.many.state(qpos) for qpos in starts])
        if residuals is None:
            residuals = np.zeros((task.num_frames, task.controls.shape[1]))
        residuals = _continued(residuals[: task.num_frames], self.far)
        first = self._bounded(task.controls[0] + residuals[0])
        steps = round(self.o.settle / task.world.model.opt.timestep)
        held = np.broadcast_to(first, (len(states), steps, len(first)))
        settled, _ = self.many.run(self.models, states, np.ascontiguousarray(held))
        return SweepState(0, residuals.copy(), settled[:, -1].copy(), rng)

    def run(self, state: SweepState, after: Callable[[SweepState], None] | None = None) -> SweepState:
        """Go to the end of the motion, or to where an object is lost in all members.

        Args:
            state: to go on from.
            after: called with the state after each stride.
        """
        while state.frame < self.task.num_frames - 1 and not self._is_lost(state):
            self._stride(state)
            if after is not None:
                after(state)
        return state

    def controls(self, state: SweepState) -> Array:
        """(T, A) that were found."""
        return self._bounded(self.task.controls + state.residuals[: self.task.num_frames])

    def _bounded(self, controls: Array) -> Array:
        return np.asarray(np.clip(controls, self.lower, self.upper))

    def _stride(self, state: SweepState) -> None:
        """Search from the members' states, then let them go a few frames along what was found."""
        at, ahead = state.frame, self.o.horizon + 1
        mean, least = state.residuals[at : at + ahead].copy(), np.inf
        for turn in range(self.o.rounds if self.first else self.o.again_rounds):
            if least < self.o.sure or (self.o.skip > 0 and self._is_easy(state)):
                break
            centers = self._centers(mean, state) if turn == 0 else [mean]
            residuals = self._drawn(centers, state.rng, self.noise * self.o.anneal**turn, at)
            some, costs = self._chosen(residuals, state, turn)
            mean, least = self._weighted(some, costs), float(costs.min())
            state.residuals[at : at + ahead] = mean
            if self.first:  # what lies ahead begins where this ends; later passes know it already
                state.residuals[at + ahead :] = self.o.carried * mean[-1]
        go = min(self.o.stride, self.task.num_frames - 1 - at)
        controls = self._bounded(self.reference_controls[at : at + go + 1] + mean[: go + 1])
        steps = stepped(controls, self.task.world.steps)
        same = np.ascontiguousarray(np.broadcast_to(steps, (len(self.models), *steps.shape)))
        states, _ = self.many.run(self.models, state.states, same)
        state.states = states[:, -1].copy()
        state.frame = at + go

    def _is_lost(self, state: SweepState) -> bool:
        """Whether some object is far from its reference in all members; where a simulation broke it is, too."""
        places = self.task.world.object_places(self.many.qpos(state.states))
        metres, _ = apart(places, self.task.reference[state.frame])
        near = metres <= self.o.lost * self.o.limits.position
        return bool((~near).any(-1).all())

    def _is_easy(self, state: SweepState) -> bool:
        """Whether the controls found so far keep objects well within the limits in all members, a good way ahead."""
        at = state.frame
        controls = self._bounded(
            self.reference_controls[at : at + self.far] + state.residuals[at : at + self.far]
        )
        steps = stepped(controls, self.task.world.steps)
        same = np.ascontiguousarray(np.broadcast_to(steps, (len(self.models), *steps.shape)))
        states, _ = self.many.run(self.models, state.states, same)
        every = self.task.world.steps
        places = self.task.world.object_places(self.many.qpos(states[:, every - 1 :: every]))
        frames = np.minimum(np.arange(at + 1, at + self.far), self.task.num_frames - 1)
        metres, radians = apart(places, self.task.reference[frames])
        easy, limits = self.o.skip, self.o.limits
        return bool(((metres < easy * limits.position) & (radians < easy * limits.rotation)).all())

    def _drawn(self, centers: list[Array], rng: np.random.Generator, noise: float, frame: int) -> Array:
        """(N, F, A) residuals around centers in turn; the first sample of each is the center itself.

        A third of the samples changes carriers alone, a third fingers alone: a better place of the palm is not thrown
        away because of what fingers did at the same time.

        Args:
            centers: (F, A) each.
            rng: of the noise.
            noise: factor on the deviations.
            frame: of the task; but at its beginning the first control is where the motors are already.
        """
        drawn = rng.standard_normal((self.o.samples, self.basis.shape[1], len(self.sigma)))
        knots = self.carriers.noise(drawn, self.sigma, noise, frame, self.o.knot)
        kind = np.arange(self.o.samples) // len(centers) % 3
        knots *= np.where(self.carriers.is_carrier, kind[:, None] != 1, kind[:, None] != 2)[:, None]
        knots[: len(centers)] = 0.0
        if frame > 0:
            knots[:, 0] = 0.0
        around = np.stack(centers)[np.arange(self.o.samples) % len(centers)]
        return np.asarray(around + np.einsum("fk,nka->nfa", self.basis, knots))

    def _centers(self, mean: Array, state: SweepState) -> list[Array]:
        """The mean, and it with held objects carried back."""
        at = state.frame
        places = self.task.world.object_places(self.many.qpos(state.states))
        controls = self._bounded(self.reference_controls[at : at + len(mean)] + mean)
        guesses = [self.carriers.correction(places, at, controls, gain, self.o.ramp) for gain in self.o.carry]
        return [mean, *[mean + guess for guess in guesses if guess.any()]]

    def _chosen(self, residuals: Array, state: SweepState, turn: int) -> tuple[Array, Array]:
        """The better of the samples, and their costs: the mean over all members.

        All are tried in one member, the ones that do best there in the others.
        """
        count, members = len(residuals), len(self.models)
        scaled = residuals / self.sigma
        effort = self.o.cost.effort * (scaled**2).mean((1, 2))
        effort += self.o.cost.jitter * (np.diff(scaled, axis=1) ** 2).mean((1, 2))
        first = turn % members
        one = self._costs(residuals, state, [first])[:, 0]
        if members == 1:
            return residuals, one + effort
        best = np.argsort(one + effort, kind="stable")[: min(self.o.kept, count)]
        if 0 not in best:  # the mean that the search has come to
            best = np.append(best[:-1], 0)
        others = [m for m in range(members) if m != first]
        rest = self._costs(residuals[best], state, others)
        return residuals[best], (one[best] + rest.sum(1)) / members + effort[best]

    def _costs(self, residuals: Array, state: SweepState, members: list[int]) -> Array:
        """(N, M) of samples in members."""
        at, count, worlds = state.frame, len(residuals), len(members)
        ahead = residuals.shape[1]
        controls = self._bounded(self.reference_controls[at : at + ahead] + residuals)
        steps = stepped(controls, self.task.world.steps)
        states, points = self.many.run(
            [self.models[m] for m in members] * count,
            np.tile(state.states[members], (count, 1)),
            np.repeat(steps, worlds, axis=0),
        )
        every = self.task.world.steps
        ends = slice(every - 1, None, every)
        frames = np.minimum(np.arange(at + 1, at + ahead), self.task.num_frames - 1)
        places = self.task.world.object_places(self.many.qpos(states[:, ends]))
        paid = object_cost(places, self.task.reference[frames], self.limits, self.o.cost)
        if self.o.cost.contact > 0:
            paid = paid + self.o.cost.contact * contact_cost(
                points[:, ends], places, self.task, frames, self.o.cost
            )
        return np.asarray(paid.mean(1).reshape(count, worlds))

    def _weighted(self, residuals: Array, costs: Array) -> Array:
        scale = self.o.temperature * float(costs.std()) + 1e-9
        weights = np.exp(-(costs - costs.min()) / scale)
        return np.asarray(np.einsum("n,nfa->fa", weights / weights.sum(), residuals))


def _continued(controls: Array, by: int) -> Array:
    """Controls that stay where they end."""
    return np.concatenate([controls, np.repeat(controls[-1:], by, axis=0)])
