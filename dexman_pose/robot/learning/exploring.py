"""How much first actions scatter: what noise shakes out of the hand, no learning from noise can keep in it."""

from __future__ import annotations

import numpy as np

from dexman_pose.robot.learning.environment import GraspEnvironment
from dexman_pose.robot.learning.judge import Judgement, Policy, judge
from dexman_pose.robot.learning.options import LearningOptions


def first_deviation(environment: GraspEnvironment, still: Judgement, options: LearningOptions) -> float:
    """Find the deviation of first actions under which objects stay where they stay without it.

    It is halved until, of the frames that are tracked without noise, the share ``options.shaken`` is tracked with it.

    Args:
        environment: begun anew, before and after.
        still: the judgement of no actions.
        options: the deviation to begin with, and how often it is halved at most.
    """
    deviation = options.deviation
    for _ in range(options.halved):
        found = judge(environment, _noise(deviation, environment, options.seed))
        if found.tracked >= options.shaken * still.tracked:
            break
        deviation /= 2.0
    return deviation


def _noise(deviation: float, environment: GraspEnvironment, seed: int) -> Policy:
    """The policy of noise alone."""
    rng = np.random.default_rng(seed)
    return lambda observed: deviation * rng.standard_normal((len(observed), environment.num_actions))
