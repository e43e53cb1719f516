"""Worlds in Genesis beside the same in MuJoCo: states, points, and a cube that is lifted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.genesis.engine import genesis
from dexman_pose.genesis.options import GenesisOptions
from dexman_pose.genesis.worlds import GenesisWorlds, InGenesis
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.learning.environment import GraspEnvironment
from dexman_pose.robot.learning.judge import judge, nothing
from dexman_pose.robot.learning.options import LearningOptions
from dexman_pose.robot.learning.starts import Starts
from dexman_pose.robot.learning.train import evaluate_policy, train
from dexman_pose.robot.learning.worlds import MujocoWorlds
from dexman_pose.robot.planning.prepare import prepare
from dexman_pose.robot.planning.task import Task
from tests.robot.conftest import gripper, mujoco  # noqa: F401
from tests.robot.gripper import lifting

pytestmark = pytest.mark.genesis
COUNT = 3


@pytest.fixture(scope="module")
def task(mujoco: Any, gripper: Callable[[str], HandDescription]) -> Task:  # noqa: F811
    pytest.importorskip("genesis", reason="needs: pip install 'dexman-pose[genesis]'")
    return prepare(lifting(), gripper).task


@pytest.fixture(scope="module")
def worlds(task: Task) -> Iterator[GenesisWorlds]:
    made = GenesisWorlds(task.world, COUNT)
    yield made
    made.close()


def test_states_points_and_pads_are_those_of_mujoco(task: Task, worlds: GenesisWorlds) -> None:
    other = MujocoWorlds(task.world, COUNT)
    starts = Starts(task, task.controls, LearningOptions().episodes, np.random.default_rng(3))
    states = [starts.on_the_way(frame) for frame in (8, 14, 20)]
    qpos, qvel = (np.stack(s) for s in zip(*states))
    at = task.world.object_at[0]
    qpos[:, at + 3 : at + 7] = [0.8, 0.36, 0.48, 0.0]  # turned: origins and axes would show
    for w in (other, worlds):
        w.put(range(COUNT), qpos, qvel)
    np.testing.assert_allclose(worlds.qpos, other.qpos, atol=1e-5)
    np.testing.assert_allclose(worlds.qvel, other.qvel, atol=1e-4)
    np.testing.assert_allclose(worlds.points, other.points, atol=1e-5)
    np.testing.assert_allclose(worlds.pads, other.pads, atol=1e-5)
    other.close()


def test_one_copy_is_put_without_the_others(task: Task, worlds: GenesisWorlds) -> None:
    rest = np.repeat(task.start[None], COUNT, 0)
    worlds.put(range(COUNT), rest, np.zeros((COUNT, task.world.model.nv)))
    moved = task.start.copy()
    moved[task.world.object_at[0]] += 0.3
    worlds.put([1], moved[None], np.zeros((1, task.world.model.nv)))
    x = worlds.qpos[:, task.world.object_at[0]]
    np.testing.assert_allclose(x - task.start[task.world.object_at[0]], [0.0, 0.3, 0.0], atol=1e-6)


def test_the_cube_is_lifted_there_too_by_the_same_environment(task: Task, worlds: GenesisWorlds) -> None:
    environment = GraspEnvironment(task, worlds, LearningOptions())
    found = judge(environment, nothing(environment.num_actions), perturbed=0.0)
    assert found.episodes == COUNT and found.tracked > 0.5
    environment.reset(perturbed=0.0)
    heights = []
    for _ in range(task.num_frames - 1):
        environment.go(np.zeros((COUNT, environment.num_actions)))
        heights.append(task.world.object_places(worlds.qpos)[:, 0, 2].copy())
    assert (np.max(heights, axis=0) > task.reference[0, 0, 2] + 0.8 * 0.06).all()


def test_a_policy_is_learnt_there_by_the_same_code(task: Task, worlds: GenesisWorlds, tmp_path: Path) -> None:
    pytest.importorskip("rsl_rl", reason="needs: pip install 'dexman-pose[learn]'")
    o = LearningOptions(
        environments=COUNT, frames=8, judged_every=1, layers=(16, 16), epochs=1, batches=1, enough=2.0
    )
    lines: list[str] = []
    policy = train(task, tmp_path, options=o, minutes=1e-3, simulator=InGenesis(), said=lines.append)
    assert policy.about["simulator"] == "genesis" and len(lines) == 2
    assert evaluate_policy(policy, o, starts=COUNT, simulator=InGenesis()).tracked > 0.5


def test_a_second_backend_is_refused(task: Task, worlds: GenesisWorlds) -> None:
    from dexman_pose.errors import InputError

    with pytest.raises(InputError, match="was begun on the cpu"):
        genesis(GenesisOptions(backend="gpu"))
