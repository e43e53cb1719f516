"""Policies in files, learning that goes on where it was, and falls that are taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.learning.exploring import first_deviation
from dexman_pose.robot.learning.judge import Judgement, judge, nothing
from dexman_pose.robot.learning.learner import Learner
from dexman_pose.robot.learning.options import LearningOptions, StrictnessOptions
from dexman_pose.robot.learning.planned import FOLDER, _kept, controls_of, learnt_controls
from dexman_pose.robot.learning.policy import Network, SkillPolicy
from dexman_pose.robot.learning.policy_file import read_policy, write_policy
from dexman_pose.robot.learning.train import (
    KEPT,
    environment_of,
    evaluate_policy,
    task_of_plan,
    train,
)
from dexman_pose.robot.learning.worlds import MujocoWorlds, Worlds
from dexman_pose.robot.planning.members import Difference, different_model
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.planner import judged_controls
from dexman_pose.robot.planning.prepare import prepare
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.build import World
from dexman_pose.robot.world.controls import limited
from tests.robot.gripper import lifting

SMALL = LearningOptions(environments=8, frames=8, judged_every=2, layers=(16, 16), epochs=2, batches=2)


@pytest.fixture(scope="module")
def task(mujoco: Any, gripper: Callable[[str], HandDescription]) -> Task:
    return prepare(lifting(), gripper).task


@pytest.fixture(scope="module")
def learns() -> None:
    pytest.importorskip("rsl_rl", reason="needs: pip install 'dexman-pose[learn]'")


def network(seen: int, actions: int) -> Network:
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(np.float32)

    return Network(
        drawn(seen), np.abs(drawn(seen)), (drawn(5, seen), drawn(actions, 5)), (drawn(5), drawn(actions))
    )


def test_a_network_by_hand() -> None:
    one = np.ones(1, np.float32)
    made = Network(one, one - np.float32(0.01), (2 * one[None], one[None]), (one, one))
    np.testing.assert_allclose(made(np.array([[2.0], [-1.0]])), [[4.0], [np.expm1(-3.0) + 1.0]], rtol=1e-6)


def test_layers_that_do_not_follow_are_refused() -> None:
    one = np.ones(1, np.float32)
    with pytest.raises(InputError, match="do not follow"):
        Network(one, one, (np.ones((2, 3), np.float32),), (np.ones(2, np.float32),))


def test_a_policy_comes_back_from_its_file(task: Task, tmp_path: Path) -> None:
    o = LearningOptions()
    policy = SkillPolicy(network(9, task.controls.shape[1]), task, task.controls, {"source": "written"})
    write_policy(tmp_path / "policy.npz", policy, o.residual)
    again, residual = read_policy(tmp_path)
    assert residual == o.residual and again.about == {"source": "written"}
    seen = np.random.default_rng(1).standard_normal((4, 9))
    np.testing.assert_array_equal(again.network(seen), policy.network(seen))
    np.testing.assert_array_equal(again.task.touch_point, task.touch_point)
    assert again.task.world.points == task.world.points


@pytest.mark.parametrize("damage", ["cut", "other", "missing"])
def test_files_that_are_no_policy_are_refused_in_one_line(damage: str, task: Task, tmp_path: Path) -> None:
    file = tmp_path / "policy.npz"
    policy = SkillPolicy(network(9, task.controls.shape[1]), task, task.controls)
    write_policy(file, policy, LearningOptions().residual)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:2000])
    elif damage == "other":
        np.savez(file, header=np.frombuffer(b'{"format": "another"}', np.uint8))
    else:
        file.unlink()
    with pytest.raises(InputError) as error:
        read_policy(file)
    assert "\n" not in str(error.value)


def test_a_plan_of_another_robot_is_refused(task: Task) -> None:
    from types import SimpleNamespace

    plan: Any = SimpleNamespace(controls=task.controls[:, :2], qpos=np.zeros((task.num_frames, 3)))
    with pytest.raises(InputError, match="that it was made with"):
        task_of_plan(task, plan)


@pytest.mark.parametrize(("mass", "friction"), [(1.0, 1.0), (2.5, 1.0), (1.0, 0.4)])
def test_a_plan_of_a_world_that_weighs_or_rubs_otherwise_is_refused(
    task: Task, mass: float, friction: float
) -> None:
    from types import SimpleNamespace

    change = Difference(np.zeros((1, 2)), friction, np.array([mass]))
    other = replace(task.world, model=different_model(task.world, change))
    plan: Any = SimpleNamespace(
        controls=task.controls,
        qpos=np.zeros((task.num_frames, task.world.model.nq)),
        world=lambda: other,
    )
    if mass == friction == 1.0:
        assert task_of_plan(task, plan).joints.shape == task.joints.shape
    else:
        with pytest.raises(InputError, match="of another world"):
            task_of_plan(task, plan)


def test_the_network_in_a_file_acts_as_the_learner_does(task: Task, learns: None, tmp_path: Path) -> None:
    made = environment_of(task, SMALL)
    learner = Learner(made, SMALL)
    learner.learn(lambda c: len(c.judged) >= 2)
    from dexman_pose.robot.learning.policy import network_of

    seen = made.observed()
    mine = network_of(learner._runner.alg.save()["actor_state_dict"])(seen)
    np.testing.assert_allclose(mine, learner.policy(seen), atol=1e-4)
    made.close()


def test_a_run_goes_on_where_it_was_and_ends_with_a_policy(task: Task, learns: None, tmp_path: Path) -> None:
    lines: list[str] = []

    def stop(line: str) -> None:
        lines.append(line)
        if len(lines) == 2:
            raise KeyboardInterrupt

    sure = replace(SMALL, enough=2.0)  # never sure: it learns until its time is over
    with pytest.raises(KeyboardInterrupt):
        train(task, tmp_path, options=sure, minutes=1.0, said=stop)
    assert (tmp_path / KEPT).is_file() and not (tmp_path / "policy.npz").exists()
    with pytest.raises(InputError, match="other settings"):
        train(task, tmp_path, options=replace(sure, seed=1), minutes=1e-6)
    more: list[str] = []
    policy = train(task, tmp_path, options=sure, minutes=1e-6, said=more.append)
    assert not more, "its time was over already"
    assert policy.about["learnt"]["judgements"] == 2
    assert not (tmp_path / KEPT).exists() and (tmp_path / "policy.npz").is_file()
    read, _ = read_policy(tmp_path)
    assert evaluate_policy(read, SMALL, starts=3).episodes == 3


class Heavier:
    """A simulator of another name, which notes what it is asked for."""

    name = "heavier"

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def __call__(self, world: World, count: int, differences: Sequence[Difference], threads: int) -> Worlds:
        self.asked.append((count, len(differences)))
        return MujocoWorlds(
            world, count, [Difference(d.offset, d.friction, 2.0 * d.mass) for d in differences]
        )


def test_a_policy_is_learnt_in_the_simulator_that_is_given_and_says_so(
    task: Task, learns: None, tmp_path: Path
) -> None:
    simulator = Heavier()
    policy = train(task, tmp_path / "a", options=SMALL, minutes=1e-6, simulator=simulator)
    assert simulator.asked == [(8, SMALL.episodes.models)] and policy.about["simulator"] == "heavier"
    evaluate_policy(policy, SMALL, starts=3, simulator=simulator)
    assert simulator.asked[1:] == [(3, 3)]

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(task, tmp_path / "b", options=SMALL, minutes=1.0, simulator=simulator, said=stop)
    with pytest.raises(
        InputError, match="other settings"
    ):  # what was begun there is not gone on with elsewhere
        train(task, tmp_path / "b", options=SMALL, minutes=1e-6)


def test_controls_of_a_policy_that_adds_nothing_are_the_tasks(task: Task, learns: None) -> None:
    made = environment_of(task, SMALL)
    size = made.observed().shape[1]
    made.close()
    still = network(size, task.controls.shape[1])
    still = replace(
        still,
        weights=(still.weights[0], 0.0 * still.weights[1]),
        biases=(still.biases[0], 0.0 * still.biases[1]),
    )
    found = controls_of(SkillPolicy(still, task, task.controls, {}), SMALL)
    np.testing.assert_allclose(found, limited(task.world, task.controls))


def test_what_a_policy_does_becomes_controls_and_is_not_learnt_twice(
    task: Task, learns: None, tmp_path: Path
) -> None:
    search = PlanOptions(trials=3, settle=0.2)
    found = learnt_controls(1e-6, out=tmp_path, options=SMALL)(task, search)
    assert found.controls.shape == task.controls.shape
    assert found.share == judged_controls(task, found.controls, search).share > 0.0
    before = (tmp_path / FOLDER / "policy.npz").stat().st_mtime_ns
    again = learnt_controls(1e-6, out=tmp_path, options=SMALL)(task, search)
    assert np.array_equal(again.controls, found.controls)
    assert (tmp_path / FOLDER / "policy.npz").stat().st_mtime_ns == before
    never_sure = replace(SMALL, enough=2.0)
    learnt_controls(1e-3, out=tmp_path, options=never_sure)(task, search)
    now = (tmp_path / FOLDER / "policy.npz").stat().st_mtime_ns
    assert now > before, "other options are learnt anew"
    before = now
    assert _kept(tmp_path / FOLDER, task, never_sure, 1e-3, "mujoco") is not None
    assert _kept(tmp_path / FOLDER, task, never_sure, 1e-3, "warp") is None, "learnt elsewhere"
    assert _kept(tmp_path / FOLDER, task, never_sure, 1e3, "mujoco") is None, "more time for what is not sure"
    other = replace(task, controls=task.controls + 1e-3)
    learnt_controls(1e-6, out=tmp_path, options=SMALL)(other, search)
    assert (tmp_path / FOLDER / "policy.npz").stat().st_mtime_ns > before, "another motion is learnt anew"


def test_what_was_interrupted_elsewhere_is_learnt_anew_for_a_plan(
    task: Task, learns: None, tmp_path: Path
) -> None:
    """The plan's search begins anew with other settings, too; the rest of a plan is not to fail after it."""

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learnt_controls(1.0, out=tmp_path, options=SMALL, said=stop)(task, PlanOptions(seed=1))
    assert (tmp_path / FOLDER / KEPT).is_file()
    with pytest.raises(InputError, match="other settings"):
        train(task, tmp_path / FOLDER, options=SMALL, minutes=1e-6)
    found = learnt_controls(1e-6, out=tmp_path, options=SMALL)(task, PlanOptions(trials=3, settle=0.2))
    assert found.controls.shape == task.controls.shape
    assert not (tmp_path / FOLDER / KEPT).exists()


def test_a_damaged_state_is_said_so(task: Task, learns: None, tmp_path: Path) -> None:
    (tmp_path / KEPT).write_bytes(b"nothing")
    with pytest.raises(InputError, match="remove it to begin anew"):
        train(task, tmp_path, options=SMALL, minutes=1e-6)


def test_a_fall_brings_the_best_policy_back_and_learns_slower(task: Task, learns: None) -> None:
    made = environment_of(task, SMALL)
    learner = Learner(made, SMALL)
    learner.learn(lambda c: len(c.judged) >= 2)
    best = learner.best["actor_state_dict"]["mlp.0.weight"].clone()
    learner._runner.alg.actor.mlp[0].weight.data += 1.0
    learner.course.best = Judgement(0.9, 0.95, 1.0, 0.0, 0.0, 8)
    learner._watch(Judgement(0.7, 0.9, 1.0, 0.0, 0.0, 8))
    assert learner.course.falls == 1
    np.testing.assert_array_equal(learner._runner.alg.actor.mlp[0].weight.detach().numpy(), best.numpy())
    assert learner._runner.alg.desired_kl == pytest.approx(SMALL.kl / 2)
    learner._watch(Judgement(0.7, 0.9, 1.0, 0.0, 0.0, 8))
    assert learner._runner.alg.desired_kl == pytest.approx(SMALL.kl / 4)
    made.close()


def test_first_actions_scatter_no_more_than_a_grip_takes(task: Task, learns: None) -> None:
    """Noise that throws the cube away is halved, noise that does not is left; the policy itself stays as it was."""
    made = environment_of(task, SMALL)
    still = judge(made, nothing(made.num_actions))
    calm = replace(SMALL, deviation=1e-3)
    assert first_deviation(made, still, calm) == 1e-3
    wild = replace(SMALL, deviation=8.0, halved=2)
    assert first_deviation(made, still, wild) == 2.0, "not more often than it may"
    assert 1e-3 < first_deviation(made, still, replace(wild, halved=20)) < 8.0
    learner = Learner(made, wild)
    learner.environment.reset()
    hard = replace(wild, enough=2.0)  # never sure
    learner.options = hard
    learner.learn(lambda c: c.updates > 0)
    for kept in (learner.best, learner.state()["best"]):
        np.testing.assert_allclose(kept["actor_state_dict"]["distribution.std_param"].numpy(), 2.0, rtol=0.2)
    made.close()


def test_limits_are_tightened_when_episodes_end_late_in_training(task: Task, learns: None) -> None:
    learner = Learner(environment_of(task, SMALL), SMALL)
    o = SMALL.strictness
    for share, strictness in ((0.9 * o.reached, 0), (1.05 * o.reached, 1)):
        learner.course.judged.append({"training_end": share * (task.num_frames - 1)})
        learner._watch(Judgement(0.0, 0.3, 1.0, 0.0, 0.0, 8))
        assert learner.course.strictness == strictness
    assert learner.environment.limits < o.loose
    learner.environment.close()


def test_limits_are_tightened_only_while_objects_are_carried(task: Task, learns: None) -> None:
    strict = StrictnessOptions(loose=2.0, strict=1.0, tracked=0.7, steps=2)
    options = replace(SMALL, strictness=strict)
    made = environment_of(task, options)
    learner = Learner(made, options)
    found = []
    for tracked in (0.3, 0.8, 0.5, 0.9, 1.0):
        learner._watch(Judgement(0.0, tracked, 1.0, 0.0, 0.0, 8))
        found.append(made.limits)
    assert found == [2.0, 1.5, 1.5, 1.0, 1.0]
    made.close()
