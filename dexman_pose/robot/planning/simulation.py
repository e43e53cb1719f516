"""Many simulations at once: what searches need of a simulator, and MuJoCo on all cores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.robot.engine import mujoco, rollout
from dexman_pose.robot.world.build import TIME, World
from dexman_pose.threads import cores


class Simulations(ABC):
    """Steps many copies of a world; a state holds time, places, speeds and activations.

    Attributes:
        world: that is simulated.
        steps: done so far.
    """

    def __init__(self, world: World) -> None:
        mj = mujoco()
        self.world = world
        self.steps = 0
        self._size = mj.mj_stateSize(world.model, mj.mjtState.mjSTATE_FULLPHYSICS)

    @abstractmethod
    def run(self, models: Sequence[Any], states: Array, controls: Array) -> tuple[Array, Array]:
        """Step N simulations.

        Args:
            models: N, one each.
            states: (N, S) to begin with.
            controls: (N, steps, A).

        Returns:
            States (N, steps, S) after each step, and the touching points (N, steps, P, 3) a step before them. No
            numbers from where a simulation broke.
        """

    @abstractmethod
    def judge(self, models: Sequence[Any], states: Array, controls: Array) -> tuple[Array, Array]:
        """Step N simulations as :meth:`run` does, but by MuJoCo: there plans are judged wherever they are searched."""

    @abstractmethod
    def close(self) -> None:
        """Give back what is held."""

    def __enter__(self) -> Simulations:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def state(self, qpos: Array) -> Array:
        """The state (S,) of ``qpos`` at rest."""
        out = np.zeros(self._size)
        out[TIME : TIME + self.world.model.nq] = qpos
        return out

    def qpos(self, states: Array) -> Array:
        """``qpos`` (..., nq) in states (..., S)."""
        return states[..., TIME : TIME + self.world.model.nq]


class MujocoSimulations(Simulations):
    """MuJoCo, on all cores.

    Args:
        world: that is simulated.
        threads: how many; None for the cores.
    """

    def __init__(self, world: World, threads: int | None = None) -> None:
        super().__init__(world)
        count = threads or cores()
        self._data = [mujoco().MjData(world.model) for _ in range(count)]
        self._many = rollout().Rollout(nthread=count)

    def close(self) -> None:
        """End the threads."""
        self._many.close()

    def judge(self, models: Sequence[Any], states: Array, controls: Array) -> tuple[Array, Array]:
        """Step N simulations."""
        return self.run(models, states, controls)

    def run(self, models: Sequence[Any], states: Array, controls: Array) -> tuple[Array, Array]:
        """Step N simulations."""
        found, sensed = self._many.rollout(list(models), self._data, states, control=controls)
        # MuJoCo begins anew there, all things back at their places, and goes no further: only the time tells.
        step = self.world.model.opt.timestep
        due = states[:, :1] + step * (np.arange(found.shape[1]) + 0.5)
        found[~(found[..., 0] > due)] = np.nan
        self.steps += controls.shape[0] * controls.shape[1]
        return found, sensed.reshape(*sensed.shape[:2], -1, 3)
