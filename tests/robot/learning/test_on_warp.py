"""Learning in MuJoCo Warp: the same copies as in MuJoCo, and a broken one keeps numbers that a policy can look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.cli.train import simulator_of
from dexman_pose.errors import InputError
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.learning.options import LearningOptions
from dexman_pose.robot.learning.policy_file import read_policy
from dexman_pose.robot.learning.starts import Starts
from dexman_pose.robot.learning.train import evaluate_policy, train
from dexman_pose.robot.learning.worlds import InMujoco, MujocoWorlds
from dexman_pose.robot.planning.members import Difference
from dexman_pose.robot.planning.prepare import prepare
from dexman_pose.robot.planning.task import Task
from tests.robot.gripper import lifting
from tests.robot.learning.test_learning import SMALL

FRAMES = (0, 8, 14, 20)
OTHERS = [Difference(np.zeros((1, 2)), f, np.array([m])) for f, m in ((1.0, 1.0), (0.8, 1.3))]


@pytest.fixture(scope="module")
def task(mujoco: Any, gripper: Callable[[str], HandDescription]) -> Task:
    return prepare(lifting(), gripper).task


def _played(task: Task, name: str) -> list[np.ndarray]:
    """What is seen of four copies in two kinds of world, put along the way and let go on for six frames."""
    worlds = MujocoWorlds(task.world, len(FRAMES), OTHERS, simulator=name)
    starts = Starts(task, task.controls, LearningOptions().episodes, np.random.default_rng(3))
    qpos, qvel = (np.stack(s) for s in zip(*(starts.on_the_way(frame) for frame in FRAMES)))
    worlds.put(range(len(FRAMES)), qpos, qvel)
    for i in range(6):
        worlds.step(*(task.controls[[frame + i + j for frame in FRAMES]] for j in (0, 1)))
    assert not worlds.broken.any() and worlds.steps == 6 * len(FRAMES) * task.world.steps
    out = [worlds.qpos.copy(), worlds.points.copy(), worlds.pads.copy()]
    worlds.close()
    return out


@pytest.mark.slow
def test_copies_are_those_of_mujoco(task: Task) -> None:
    pytest.importorskip("mujoco_warp", reason="needs: pip install 'dexman-pose[mjwarp]'")
    for found, expected in zip(_played(task, "warp"), _played(task, "mujoco")):
        np.testing.assert_allclose(found, expected, atol=3e-3)


def _with_a_broken_one(task: Task, name: str) -> MujocoWorlds:
    worlds = MujocoWorlds(task.world, 2, simulator=name)
    speeds = np.zeros((2, task.world.model.nv))
    speeds[1] = 1e12
    worlds.put([0, 1], np.stack([task.start] * 2), speeds)
    worlds.step(*np.stack([task.controls[[0, 0]]] * 2))
    return worlds


def _is_told(worlds: MujocoWorlds, task: Task) -> None:
    assert worlds.broken.tolist() == [False, True]
    assert np.isfinite(worlds.qpos).all() and np.isfinite(worlds.points).all()
    worlds.put([1], task.start[None], np.zeros((1, task.world.model.nv)))
    assert not worlds.broken.any()
    worlds.step(*np.stack([task.controls[[0, 0]]] * 2))
    assert not worlds.broken.any()
    worlds.close()


def test_a_broken_copy_is_told_and_keeps_numbers(task: Task) -> None:
    _is_told(_with_a_broken_one(task, "mujoco"), task)


@pytest.mark.slow
def test_so_is_one_of_mujoco_warp(task: Task) -> None:
    pytest.importorskip("mujoco_warp", reason="needs: pip install 'dexman-pose[mjwarp]'")
    _is_told(_with_a_broken_one(task, "warp"), task)


@pytest.mark.slow
def test_a_policy_is_learnt_there_and_says_so(task: Task, tmp_path: Path) -> None:
    for name in ("mujoco_warp", "rsl_rl", "tensordict"):
        pytest.importorskip(name, reason="needs: pip install 'dexman-pose[mjwarp,learn]'")
    train(task, tmp_path, options=SMALL, minutes=1e-6, simulator=InMujoco("warp"))
    policy, _ = read_policy(tmp_path)
    assert policy.about["simulator"] == "warp"
    assert evaluate_policy(policy, SMALL, starts=3).episodes == 3


def test_simulators_are_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mujoco_warp", reason="needs: pip install 'dexman-pose[mjwarp]'")
    from dexman_pose._warp import wp

    monkeypatch.setattr(wp, "get_cuda_devices", list)
    assert simulator_of("mujoco") is None
    found = simulator_of("warp")
    assert found is not None and found.name == "warp"
    with pytest.raises(InputError, match="no CUDA device"):
        simulator_of("warp-gpu")
