"""A task as an environment for learning: residuals on a motion's controls, over any simulator.

It has what rsl-rl asks of one (``num_envs``, ``num_actions``, ``get_observations``, ``step``), without importing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.arrays import Array, Bools
from dexman_pose.robot.learning.observations import Observer, numbers
from dexman_pose.robot.learning.options import LearningOptions
from dexman_pose.robot.learning.payment import Payment
from dexman_pose.robot.learning.starts import Starts
from dexman_pose.robot.learning.worlds import Worlds
from dexman_pose.robot.planning.cost import apart
from dexman_pose.robot.planning.noise import deviations
from dexman_pose.robot.planning.options import Limits
from dexman_pose.robot.planning.task import Task

if TYPE_CHECKING:
    from torch import Tensor

EXTRA = "learn"
"""The extra of this package that brings what learning needs."""


@dataclass
class Counts:
    """What happened since it was last asked.

    Attributes:
        ended: frames at which episodes ended.
        broken: episodes whose simulation came to no number; they earn nothing and begin anew.
    """

    ended: list[int]
    broken: int = 0


class GraspEnvironment:
    """N episodes at once, each a frame on at every step.

    An action is added to the controls that the task has, or those of a plan: zero plays them as they are.

    Args:
        task: what is to be done.
        worlds: N copies of its world.
        options: rewards, residuals, starts.
        controls: (T, A) that actions are added to; the task's own when None.
        seed: of the starts.

    Attributes:
        limits: factor on the limits of success at which an episode ends.
        counts: what happened.
    """

    def __init__(
        self,
        task: Task,
        worlds: Worlds,
        options: LearningOptions,
        controls: Array | None = None,
        seed: int = 0,
    ) -> None:
        torch = require("torch", EXTRA, "learning a skill")
        self.task, self.worlds, self.options = task, worlds, options
        self.controls = np.asarray(task.controls if controls is None else controls, np.float64)
        self.num_envs, self.num_actions = worlds.count, self.controls.shape[1]
        self.max_episode_length, self.device, self.cfg = task.num_frames, "cpu", {"source": "dexman_pose"}
        self.limits = options.strictness.loose
        self.counts = Counts([])
        self.bounds = Limits()
        self._scale = deviations(task.world, options.residual)
        self._range = task.world.model.actuator_ctrlrange.T
        self._starts = Starts(task, self.controls, options.episodes, np.random.default_rng(seed))
        self._observer = Observer(task, self.controls, self._scale)
        self._pay = Payment(task, options.rewards)
        self.frame: NDArray[np.intp] = np.zeros(self.num_envs, np.intp)
        self._before = np.repeat(self.controls[:1], self.num_envs, 0)
        self._torch = torch
        self.reset()

    def reset(self, *, perturbed: float | None = None) -> None:
        """Begin all episodes anew.

        Args:
            perturbed: metres along x and y that objects start beside their places, at most, all at frame 0; None to
                begin as in training.
        """
        self._begin(np.arange(self.num_envs), perturbed)

    @property
    def gone(self) -> Array:
        """(N, A) controls that were gone to last."""
        return self._before

    @property
    def episode_length_buf(self) -> Tensor:
        """(N,) frame of each episode."""
        return self._torch.as_tensor(self.frame)

    @episode_length_buf.setter
    def episode_length_buf(self, value: object) -> None:
        """Episodes are as long as the motion: their frames are not drawn at random."""

    def get_observations(self) -> Any:
        """A ``TensorDict`` with (N, D) under ``policy``."""
        made = require("tensordict", EXTRA, "learning a skill").TensorDict
        return made({"policy": self._torch.as_tensor(self.observed())}, batch_size=[self.num_envs])

    def observed(self) -> NDArray[np.float32]:
        """(N, D) what a policy sees."""
        return self._observer.seen(self.worlds, self.frame, self._before)

    def step(self, actions: Tensor) -> tuple[Any, Tensor, Tensor, dict[str, Any]]:
        """Go one frame on.

        Args:
            actions: (N, A).

        Returns:
            Observations, rewards (N,), which episodes ended (N,), and which of them by running out (``time_outs``).
        """
        rewards, ended, out, _ = self.go(np.asarray(actions.detach().cpu().numpy(), np.float64))
        if ended.any():
            self.counts.ended += self.frame[ended].tolist()
            self._begin(np.flatnonzero(ended), None)
        tensor = self._torch.as_tensor
        return (
            self.get_observations(),
            tensor(rewards.astype(np.float32)),
            tensor(ended),
            {"time_outs": tensor(out)},
        )

    def go(self, actions: Array) -> tuple[Array, Bools, Bools, tuple[Array, Array]]:
        """Go one frame on and end nothing.

        Returns:
            Rewards (N,), which episodes are over (N,), which of them by running out (N,), and metres and radians (N, O)
            between objects and their reference.
        """
        o, last = self.options, self.task.num_frames - 1
        actions = np.clip(np.nan_to_num(actions), -o.residual.most, o.residual.most)
        after = np.minimum(self.frame + 1, last)
        controls = np.clip(self.controls[after] + self._scale * actions, *self._range)
        self.worlds.step(self._before, controls)
        self._before, self.frame = controls, after
        places = self.task.world.object_places(self.worlds.qpos)
        metres, radians = apart(places, self.task.reference[after])
        broken = self.worlds.broken | ~np.isfinite(metres).all(1) | ~np.isfinite(radians).all(1)
        lost = (metres > self.limits * self.bounds.position) | (radians > self.limits * self.bounds.rotation)
        failed = broken | lost.any(1)
        earned = self._pay.earned(self.worlds, after, metres, radians)
        rewards = np.where(failed, 0.0, np.nan_to_num(earned)) - o.rewards.effort * (actions**2).mean(1)
        self.counts.broken += int(broken.sum())
        out = (after >= last) & ~failed
        return rewards, failed | out, out, (numbers(metres), numbers(radians))

    def _begin(self, which: NDArray[np.intp], perturbed: float | None) -> None:
        frames, qpos, qvel = self._starts.drawn(len(which), perturbed)
        self.worlds.put(which.tolist(), qpos, qvel)
        self.frame[which], self._before[which] = frames, self.controls[frames]

    def close(self) -> None:
        """Give back what the simulator holds."""
        self.worlds.close()
