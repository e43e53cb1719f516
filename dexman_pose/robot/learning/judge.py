"""How a policy does, strictly: whole episodes from perturbed starts, no noise on its actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.robot.learning.environment import GraspEnvironment
from dexman_pose.robot.planning.options import Limits

Policy = Callable[[NDArray[np.float32]], Array]
"""From observations (N, D) to actions (N, A)."""


@dataclass(frozen=True)
class Judgement:
    """Over N episodes.

    Attributes:
        success: share of them in which every frame is within the limits.
        tracked: mean share of the frames before the first that is not.
        reward: mean sum of the rewards.
        position: metres, E_t: mean over the frames of successful episodes; NaN where there are none.
        rotation: radians, E_r.
        episodes: N.
    """

    success: float
    tracked: float
    reward: float
    position: float
    rotation: float
    episodes: int

    @property
    def rank(self) -> tuple[float, float]:
        """The better, the greater."""
        return self.success, self.tracked

    def told(self) -> str:
        """The figures in one line."""
        return (
            f"{100 * self.success:.0f} % of {self.episodes} perturbed starts succeed, "
            f"{100 * self.tracked:.0f} % of the frames are tracked, reward {self.reward:.1f}"
        )


def judge(
    environment: GraspEnvironment, policy: Policy, *, perturbed: float = 0.005, limits: Limits | None = None
) -> Judgement:
    """Play one episode in every copy of the environment's world.

    Args:
        environment: begun anew, before and after.
        policy: what acts.
        perturbed: metres along x and y that objects start beside their places, at most.
        limits: what counts as success.
    """
    o = limits or Limits()
    environment.reset(perturbed=perturbed)
    count, frames = environment.num_envs, environment.task.num_frames
    good = np.ones(count, np.bool_)
    tracked, total = np.zeros(count), np.zeros(count)
    metres, radians = [], []
    for _ in range(frames - 1):
        rewards, _, _, (away, turned) = environment.go(policy(environment.observed()))
        total += rewards
        away, turned = away.max(1), turned.max(1)
        good &= (away < o.position) & (turned < o.rotation) & ~environment.worlds.broken
        tracked += good
        metres.append(away)
        radians.append(turned)
    environment.reset()
    environment.counts.broken = 0
    return Judgement(
        success=float(good.mean()),
        tracked=float((tracked + 1).mean() / frames),
        reward=float(total.mean()),
        position=float(np.stack(metres)[:, good].mean()) if good.any() else float("nan"),
        rotation=float(np.stack(radians)[:, good].mean()) if good.any() else float("nan"),
        episodes=count,
    )


def nothing(actions: int) -> Policy:
    """The policy that adds nothing to the controls."""
    return lambda observed: np.zeros((len(observed), actions))
