"""The environment on the gripper and its cube: pads, starts, observations, ends, broken simulations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.geometry.se3 import quaternion_from_matrix, so3_exp
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.learning.environment import GraspEnvironment
from dexman_pose.robot.learning.judge import judge, nothing
from dexman_pose.robot.learning.observations import Observer
from dexman_pose.robot.learning.options import EpisodeOptions, LearningOptions
from dexman_pose.robot.learning.starts import Starts
from dexman_pose.robot.learning.worlds import MujocoWorlds
from dexman_pose.robot.planning.prepare import prepare
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.pads import pad_directions
from tests.robot.gripper import lifting

COUNT = 6


@pytest.fixture(scope="module")
def task(mujoco: Any, gripper: Callable[[str], HandDescription]) -> Task:
    return prepare(lifting(), gripper).task


@pytest.fixture
def environment(task: Task) -> Iterator[GraspEnvironment]:
    made = GraspEnvironment(task, MujocoWorlds(task.world, COUNT), LearningOptions())
    yield made
    made.close()


def test_pads_look_where_fingers_close(task: Task) -> None:
    thumb, index = (task.world.points.index(f"right_{f}_tip") for f in ("thumb", "index"))
    directions = pad_directions(task.world)
    np.testing.assert_allclose(directions[thumb], [1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(directions[index], [-1, 0, 0], atol=1e-9)


def test_pads_turn_with_their_fingers(task: Task) -> None:
    worlds = MujocoWorlds(task.world, 1)
    qpos = task.start.copy()
    worlds.put([0], qpos[None], np.zeros((1, task.world.model.nv)))
    thumb, index = (task.world.points.index(f"right_{f}_tip") for f in ("thumb", "index"))
    between = worlds.points[0, index] - worlds.points[0, thumb]
    assert worlds.pads[0, thumb] @ between > 0 > worlds.pads[0, index] @ between
    np.testing.assert_allclose(np.linalg.norm(worlds.pads[0], axis=1), 1.0, atol=1e-9)
    worlds.close()


def test_starts_along_the_way_have_fingers_on_the_object_and_move(task: Task) -> None:
    starts = Starts(task, task.controls, EpisodeOptions(along=1.0, rest=4), np.random.default_rng(0))
    frames, qpos, _ = starts.drawn(20, None)
    assert frames.max() < task.num_frames - 4 and len(set(frames.tolist())) > 5
    for frame, q in zip(frames, qpos):
        if frame:
            np.testing.assert_allclose(task.world.object_places(q)[0], task.reference[frame, 0], atol=1e-9)
    rising = int(np.argmax(np.diff(task.reference[:, 0, 2])))
    _, speed = starts.on_the_way(rising)
    at = task.world.model.jnt_dofadr[task.world.model.body("object_cube").jntadr[0]]
    assert speed[at + 2] == pytest.approx(30 * np.diff(task.reference[:, 0, 2])[rising])


def test_perturbed_starts_lie_beside_the_place_and_at_the_beginning(task: Task) -> None:
    starts = Starts(task, task.controls, EpisodeOptions(), np.random.default_rng(0))
    frames, qpos, _ = starts.drawn(50, 0.005)
    assert not frames.any()
    beside = task.world.object_places(qpos)[:, 0, :2] - task.reference[0, 0, :2]
    assert 0.003 < np.abs(beside).max() < 0.0055


def test_rotation_left_is_the_short_way_in_the_world(task: Task, environment: GraspEnvironment) -> None:
    """The reference turned by 0.2 about z is seen as +0.2 about z, quaternion's sign whatever it is."""
    turned = task.reference.copy()
    turned[:, 0, 3:] = -quaternion_from_matrix(so3_exp([0, 0, 0.2]))
    other = replace(task, reference=turned)
    frame, before = np.zeros(COUNT, np.intp), np.repeat(task.controls[:1], COUNT, 0)
    environment.reset(perturbed=0.0)
    seen = Observer(other, task.controls, np.ones(task.controls.shape[1])).seen(
        environment.worlds, frame, before
    )
    start = 2 * len(task.world.joints) + task.world.model.nv + 6
    np.testing.assert_allclose(seen[0, start : start + 3], [0, 0, 3 * 0.2], atol=0.02)


def test_observations_are_small_numbers_of_one_length(environment: GraspEnvironment) -> None:
    seen = environment.observed()
    assert seen.shape[0] == COUNT and seen.dtype == np.float32
    assert np.isfinite(seen).all() and np.abs(seen).max() <= 10.0


def test_doing_nothing_plays_the_controls(environment: GraspEnvironment, task: Task) -> None:
    environment.reset(perturbed=0.0)
    for _ in range(5):
        environment.go(np.zeros((COUNT, environment.num_actions)))
    np.testing.assert_allclose(environment._before, np.repeat(task.controls[5:6], COUNT, 0))
    assert environment.frame.tolist() == [5] * COUNT
    assert np.ptp(environment.worlds.qpos, axis=0).max() < 1e-9, "copies of one world do the same"


def test_an_object_thrown_away_ends_its_episode_without_reward(environment: GraspEnvironment) -> None:
    environment.reset(perturbed=0.0)
    at = int(environment.task.world.object_at[0])
    qpos, qvel = environment.worlds.qpos.copy(), environment.worlds.qvel.copy()
    qpos[2, at] += 0.5
    environment.worlds.put([2], qpos[2:3], qvel[2:3])
    rewards, over, out, (metres, _) = environment.go(np.zeros((COUNT, environment.num_actions)))
    assert over.tolist() == [i == 2 for i in range(COUNT)] and not out.any()
    assert rewards[2] == 0.0 and rewards[0] > 0.1
    assert metres[2, 0] == pytest.approx(0.5, abs=0.01)


def test_the_end_of_the_motion_is_no_failure(environment: GraspEnvironment) -> None:
    environment.reset(perturbed=0.0)
    environment.limits = 1e3
    for _ in range(environment.task.num_frames - 1):
        _, over, out, _ = environment.go(np.zeros((COUNT, environment.num_actions)))
    assert out.all() and over.all()


def test_a_simulation_that_breaks_is_counted_and_begins_anew(environment: GraspEnvironment) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("tensordict", reason="needs: pip install 'dexman-pose[learn]'")
    environment.reset(perturbed=0.0)
    environment.worlds._states[1, 5] = np.nan  # type: ignore[attr-defined]
    seen, rewards, over, more = environment.step(torch.zeros(COUNT, environment.num_actions))
    assert over.tolist() == [i == 1 for i in range(COUNT)] and not more["time_outs"].any()
    assert environment.counts.broken == 1 and np.isfinite(rewards.numpy()).all()
    assert np.isfinite(seen["policy"].numpy()).all() and not environment.worlds.broken.any()


def test_actions_that_are_no_numbers_do_nothing(environment: GraspEnvironment, task: Task) -> None:
    environment.reset(perturbed=0.0)
    environment.go(np.full((COUNT, environment.num_actions), np.nan))
    np.testing.assert_allclose(environment._before, np.repeat(task.controls[1:2], COUNT, 0))


def test_without_contact_less_is_earned(task: Task) -> None:
    options = LearningOptions()
    bare = replace(options, rewards=replace(options.rewards, contact=None))
    sums = []
    for o in (options, bare):
        made = GraspEnvironment(task, MujocoWorlds(task.world, 2), o)
        sums.append(judge(made, nothing(made.num_actions), perturbed=0.0).reward)
        made.close()
    assert sums[0] > sums[1] + 0.5


def test_the_gripper_lifts_the_cube_in_the_judgement(environment: GraspEnvironment) -> None:
    found = judge(environment, nothing(environment.num_actions), perturbed=0.0)
    assert found.episodes == COUNT
    assert found.tracked > 0.5
    assert (found.success == 1.0) == (found.tracked == 1.0)
