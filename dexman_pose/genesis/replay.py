"""A plan made in MuJoCo, played blindly in Genesis."""

from __future__ import annotations

import numpy as np

from dexman_pose.genesis.options import GenesisOptions
from dexman_pose.genesis.worlds import GenesisWorlds
from dexman_pose.robot.planning.options import Limits
from dexman_pose.robot.planning.score import Score, score
from dexman_pose.robot.skill.plan import Plan


def replay_in_genesis(
    plan: Plan, options: GenesisOptions | None = None, limits: Limits | None = None
) -> tuple[Score, np.ndarray]:
    """Play a plan's controls in Genesis.

    Args:
        plan: as it was made.
        options: settings of Genesis.
        limits: what counts as success.

    Returns:
        How the objects followed the reference, and where they were: (T, O, 7).

    Raises:
        MissingExtraError: Genesis is not installed.
    """
    world = plan.world()
    worlds = GenesisWorlds(world, 1, options)
    try:
        worlds.put([0], plan.start[None], np.zeros((1, world.model.nv)))
        frame = world.steps * float(world.model.opt.timestep)
        for _ in range(round(plan.settle / frame)):
            worlds.step(plan.controls[:1], plan.controls[:1])
        places = [world.object_places(worlds.qpos[0].copy())]
        for before, after in zip(plan.controls[:-1], plan.controls[1:]):
            worlds.step(before[None], after[None])
            places.append(world.object_places(worlds.qpos[0].copy()))
    finally:
        worlds.close()
    found = np.stack(places)
    return score(found, plan.reference, limits), found
