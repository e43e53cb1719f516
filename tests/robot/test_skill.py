"""Plans: played blindly, judged strictly, kept in files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data.files import read_arrays, write_npz
from dexman_pose.errors import InputError
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.motion.types import Motion
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.planner import Found, judged_controls
from dexman_pose.robot.planning.prepare import prepare
from dexman_pose.robot.planning.score import score
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.planning.ways import ways
from dexman_pose.robot.skill.evaluate import evaluate
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.skill.plan_file import NAME, read_plan, write_plan
from dexman_pose.robot.skill.replay import replay
from dexman_pose.robot.skill.tries import UNFINISHED
from tests.robot.gripper import lifting

SMALL = PlanOptions(samples=12, members=2, rounds=2, horizon=9, passes=1, trials=4)


@pytest.fixture(scope="module")
def kept(
    mujoco: Any, gripper: Callable[[str], HandDescription], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    plan_motion(lifting(), gripper, options=SMALL, out=folder)
    return folder


@pytest.fixture(scope="module")
def plan(kept: Path) -> Plan:
    return read_plan(kept)


def test_a_plan_lifts_the_cube_in_an_independent_replay_and_in_others(plan: Plan) -> None:
    found = evaluate(plan)
    assert found.replay.success
    assert found.replay.lifted > 0.8
    assert found.succeeded >= 8
    assert found.friction == pytest.approx(1.0)
    values = found.values()
    assert values["strict_success"]
    assert values["E_t_m"] < 0.03
    assert "perturbed" in found.told()


def test_where_one_way_does_not_do_the_other_is_tried_and_the_better_kept(
    mujoco: Any, gripper: Callable[[str], HandDescription], tmp_path: Path
) -> None:
    """The first way is told to be never good enough."""
    picky = replace(SMALL, samples=4, rounds=1, trials=2, other=2.0)
    said: list[str] = []
    plan_motion(lifting(), gripper, options=picky, out=tmp_path, said=said.append)
    assert "the same with plain grips" in said
    about = read_plan(tmp_path).about["search"]
    assert about["grips"] in ("bearing", "plain")
    assert sorted(f.name for f in tmp_path.iterdir()) == [NAME]
    first, plain = ways()
    assert first.around and first.press.along and first.grip.bear is not None
    assert not plain.around and not plain.press.along and plain.grip.bear is None
    assert ways(plain) == (plain,)


def test_what_is_learnt_is_taken_where_it_is_better_than_an_unsure_search(
    mujoco: Any, gripper: Callable[[str], HandDescription], tmp_path: Path
) -> None:
    picky = replace(SMALL, samples=4, rounds=1, trials=2, other=1.5, enough=1.5)  # no search is sure
    taken: list[Found] = []
    begun: list[str] = []
    retargeted = prepare(lifting(), gripper).task.joints

    def learn(task: Task, options: PlanOptions) -> Found:
        if judged_controls(task, task.controls, options).share > 0.0:
            begun.append("plan" if np.abs(task.joints - retargeted).max() > 1e-6 else "motion")
        found = judged_controls(task, task.controls + 1e-4, options)
        taken.append(replace(found, share=2.0))
        return taken[0]

    said: list[str] = []
    plan_motion(lifting(), gripper, options=picky, learn=learn, out=tmp_path, said=said.append)
    assert "learning goes on" in said[-1] and "the same with plain grips" in said
    assert begun == ["plan"], "a plan that succeeds somewhere is what it goes on from"
    plan = read_plan(tmp_path)
    assert plan.about["search"]["by"] == "learning" and np.array_equal(plan.controls, taken[0].controls)
    sure = replace(picky, other=0.0, enough=0.0)
    plan_motion(lifting(), gripper, options=sure, learn=learn, out=tmp_path)
    assert len(taken) == 1 and read_plan(tmp_path).about["search"]["by"] == "retargeting", "it was not asked"


def test_contacts_are_where_the_fingers_are(plan: Plan) -> None:
    world = plan.world()
    episode = plan.replayed()
    tips = [world.points.index(f"right_{f}_tip") for f in ("thumb", "index")]
    assert not episode.touching[0].any()
    assert episode.touching[20:, tips].all()
    assert (episode.force[20:, tips] > 0.1).all()


def test_open_fingers_lift_nothing(plan: Plan) -> None:
    """A judge that cannot say no would be worth nothing."""
    world = plan.world()
    controls = plan.controls.copy()
    for i in range(world.model.nu):
        if "thumb" in world.model.actuator(i).name or "index" in world.model.actuator(i).name:
            controls[:, i] = plan.controls[0, i]
    found = evaluate(replace(plan, controls=controls), replays=2)
    assert not found.replay.success
    assert found.replay.lifted < 0.2
    assert found.succeeded == 0
    assert found.values()["E_t_m"] is None


def test_a_plan_comes_back_from_its_file(plan: Plan, kept: Path, tmp_path: Path) -> None:
    assert not (kept / UNFINISHED).exists()
    again = read_plan(write_plan(tmp_path / "a.npz", plan))
    assert again.about == plan.about
    assert again.model == plan.model
    for name in ("start", "controls", "reference", "measured", "joints", "qpos", "force"):
        assert np.array_equal(getattr(again, name), getattr(plan, name))
    assert again.score().success


def test_damaged_files_are_refused_in_a_line(kept: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no plan"):
        read_plan(tmp_path / "none.npz")
    arrays = read_arrays(kept / "plan.npz")
    file = tmp_path / "plan.npz"
    for change, message in (
        ({"header": np.frombuffer(b"{}", np.uint8)}, "is no plan"),
        ({"header": np.frombuffer(b"{", np.uint8)}, "plan.npz"),
        ({"controls": arrays["controls"][:3]}, "must match"),
        ({"controls": arrays["controls"][0]}, "shape"),
        ({"start": arrays["start"] * np.nan}, "finite"),
    ):
        write_npz(file, {**arrays, **change})
        with pytest.raises(InputError, match=message):
            read_plan(file)
    write_npz(file, {name: value for name, value in arrays.items() if name != "qpos"})
    with pytest.raises(InputError, match="lacks qpos"):
        read_plan(file)
    file.write_bytes(b"PK nothing")
    with pytest.raises(InputError):
        read_plan(file)
    write_npz(file, {**arrays, "start": arrays["start"][:-1]})
    with pytest.raises(InputError, match="coordinates"):
        read_plan(file).world()


def test_a_film_shows_the_plan_where_something_can_be_drawn(plan: Plan) -> None:
    from dexman_pose.errors import EstimationError
    from dexman_pose.robot.skill.film import FilmOptions, filmed

    frames = filmed(plan, options=FilmOptions(size=(96, 72)))
    try:
        first = next(frames)
    except EstimationError as error:
        assert "MUJOCO_GL" in str(error)
        pytest.skip(str(error))
    assert first.shape == (72, 96, 3)
    last = first
    for frame in frames:
        last = frame
    assert np.abs(first.astype(int) - last).mean() > 1.0, "the cube has gone up"


def test_two_hands_lift_two_objects(mujoco: Any, gripper: Callable[[str], HandDescription]) -> None:
    one, other = lifting("left"), lifting("right", height=0.04)
    apart = np.array([0.15, 0.0, 0.0])
    hands = {
        side: replace(m.hands[side], joints=m.hands[side].joints + sign * apart)
        for side, m, sign in (("left", one, -1.0), ("right", other, 1.0))
    }
    objects = {}
    for name, m, sign in (("cube", one, -1.0), ("die", other, 1.0)):
        poses = m.objects["cube"].world_from_object.copy()
        poses[:, :3, 3] += sign * apart
        objects[name] = replace(m.objects["cube"], name=name, world_from_object=poses)
    found = evaluate(plan_motion(Motion(hands, objects), gripper, options=SMALL), replays=3)
    assert found.replay.success
    assert found.succeeded >= 2


def test_a_replay_that_breaks_ends_there(mujoco: Any, gripper: Callable[[str], HandDescription]) -> None:
    task = prepare(lifting(), gripper).task
    start = task.start.copy()
    start[task.world.object_at[0]] = 1e12  # no simulation survives that
    episode = replay(task.world, start, task.controls, settle=0.1)
    assert np.isnan(episode.qpos).all()
    assert not score(episode.places, task.reference).success
