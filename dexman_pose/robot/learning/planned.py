"""Plans of what policies do: the controls that a policy gives in the world that is believed in, played blindly after.

A policy is learnt while its actions scatter, in worlds that differ: what it comes to do holds firmly, unseeing, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.robot.learning.environment import GraspEnvironment
from dexman_pose.robot.learning.options import LearningOptions
from dexman_pose.robot.learning.policy import SkillPolicy
from dexman_pose.robot.learning.policy_file import NAME, read_policy
from dexman_pose.robot.learning.train import train
from dexman_pose.robot.learning.worlds import InMujoco, MujocoWorlds
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.planner import Found, judged_controls
from dexman_pose.robot.planning.task import Task

FOLDER = "policy"
"""Beside a plan, of the policy that it was taken from."""

_SECONDS = 60.0  # in a minute


def controls_of(policy: SkillPolicy, options: LearningOptions) -> Array:
    """Write down the controls (T, A) of a policy in the world that is believed in, nothing perturbed.

    Args:
        policy: what acts.
        options: as it was learnt with; what an action does counts here.

    Raises:
        MissingExtraError: MuJoCo or torch is needed and not there.
    """
    worlds = MujocoWorlds(policy.task.world, 1)
    environment = GraspEnvironment(policy.task, worlds, options, controls=policy.controls)
    try:
        environment.reset(perturbed=0.0)
        out = [environment.gone[0].copy()]
        for _ in range(policy.task.num_frames - 1):
            environment.go(policy.network(environment.observed()))
            out.append(environment.gone[0].copy())
    finally:
        environment.close()
    return np.array(out)


def learnt_controls(
    minutes: float,
    *,
    out: str | Path | None = None,
    options: LearningOptions | None = None,
    threads: int = 1,
    said: Callable[[str], object] = lambda line: None,
) -> Callable[[Task, PlanOptions], Found]:
    """What :func:`~dexman_pose.robot.skill.make.plan_motion` asks where a search leaves a plan unsure.

    Args:
        minutes: of learning at most.
        out: folder of the plan, whose folder ``policy`` gets the policy; an interrupted run goes on there. None to keep
            nothing.
        options: of learning; seed and simulator are the search's.
        threads: of the simulator.
        said: called with a line after every judgement.

    Returns:
        A function that learns a task, and judges what the policy does in the trial worlds of a search.
    """

    def found(task: Task, search: PlanOptions) -> Found:
        o = replace(options or LearningOptions(), seed=search.seed)
        how: dict[str, Any] = {
            "options": o,
            "minutes": minutes,
            "threads": threads,
            "simulator": InMujoco(search.simulator),
            "anew": True,
            "said": said,
        }
        if out is None:
            with TemporaryDirectory(prefix="dexman_pose_") as folder:
                policy = train(task, folder, **how)
        else:
            kept = _kept(Path(out) / FOLDER, task, o, minutes, search.simulator)
            policy = kept or train(task, Path(out) / FOLDER, **how)
        return judged_controls(task, controls_of(policy, o), search)

    return found


def _kept(folder: Path, task: Task, o: LearningOptions, minutes: float, simulator: str) -> SkillPolicy | None:
    """The policy of the same task that was learnt to the end before the rest of planning was interrupted.

    Not one that had less time than there is now, unless it is sure.
    """
    if not (folder / NAME).is_file():
        return None
    policy, _ = read_policy(folder)
    learnt = policy.about.get("learnt") or {}
    if policy.about.get("options") != json.loads(json.dumps(asdict(o))):
        return None
    if policy.about.get("simulator") != simulator:
        return None
    is_sure = ((learnt.get("best") or {}).get("success") or 0.0) >= o.enough
    if not is_sure and learnt.get("seconds", 0.0) < _SECONDS * minutes:
        return None
    same = policy.task.world.xml == task.world.xml and np.array_equal(policy.controls, task.controls)
    return policy if same else None
