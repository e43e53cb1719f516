"""What is paid for, how noise is drawn, how worlds differ, and that a search can be stopped and gone on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, matrix_from_quaternion, quaternion_from_matrix, se3, so3_exp
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.planning import planner
from dexman_pose.robot.planning.cost import apart, contact_cost, object_cost
from dexman_pose.robot.planning.kept import Keeper
from dexman_pose.robot.planning.members import (
    Difference,
    different_model,
    different_start,
    drawn_differences,
    spread_differences,
)
from dexman_pose.robot.planning.noise import deviations, knots_to_frames
from dexman_pose.robot.planning.options import CostOptions, Limits, PlanOptions, Spread
from dexman_pose.robot.planning.planner import Progress, plan_controls
from dexman_pose.robot.planning.prepare import Prepared, prepare
from dexman_pose.robot.planning.proposals import Carriers
from dexman_pose.robot.planning.score import score
from dexman_pose.robot.planning.simulation import MujocoSimulations
from dexman_pose.robot.planning.sweep import Sweep
from dexman_pose.robot.world.build import TIME
from dexman_pose.robot.world.controls import limited
from tests.robot.gripper import lifting

SMALL = PlanOptions(samples=8, members=2, rounds=2, horizon=8, passes=1, trials=4, settle=0.2, easy=0.0)


@pytest.fixture(scope="module")
def ready(mujoco: Any, gripper: Callable[[str], HandDescription]) -> Prepared:
    return prepare(lifting(), gripper)


def _place(*numbers: float) -> np.ndarray:
    return np.array([[*numbers[:3], 1.0, 0.0, 0.0, 0.0]])


def test_distance_and_angle_are_those_of_the_poses() -> None:
    half = so3_exp([0, 0, 0.8])
    turned = np.array([[0.03, 0.04, 0.0, np.cos(0.4), 0, 0, np.sin(0.4)]])
    metres, radians = apart(turned, _place(0, 0, 0))
    assert metres[0] == pytest.approx(0.05)
    assert radians[0] == pytest.approx(0.8)
    assert half[0, 0] == pytest.approx(np.cos(0.8))
    opposite = turned * [1, 1, 1, -1, -1, -1, -1]
    assert apart(opposite, turned)[1][0] == pytest.approx(0.0, abs=1e-6)


def test_cost_of_an_object_by_hand() -> None:
    limits, options = Limits(0.03, 0.5), CostOptions(outside=5.0)
    reference = _place(0, 0, 0)
    assert object_cost(_place(0, 0, 0.015), reference, limits, options) == pytest.approx(0.25 + 0.5)
    assert object_cost(_place(0, 0, 0.06), reference, limits, options) == pytest.approx(4.0 + 2.0 + 5.0)
    assert object_cost(_place(0, 0, np.nan), reference, limits, options) >= 1e5


def test_contact_points_move_with_the_object(ready: Prepared) -> None:
    task = ready.task
    frames = np.array([20])
    weight = task.touch_weight[20]
    assert set(np.flatnonzero(weight)) >= {task.world.points.index("right_thumb_tip")}
    places = np.array([[0.1, -0.2, 0.3, np.cos(0.5), 0, 0, np.sin(0.5)]])[None]
    rotation = so3_exp([0, 0, 1.0])
    there = places[0, 0, :3] + task.touch_point[20] @ rotation.T
    cost = CostOptions(near=0.02)
    assert contact_cost(there[None], places, task, frames, cost)[0] == pytest.approx(0.0, abs=1e-9)
    wrong = places[0, 0, :3] + task.touch_point[20] @ rotation  # a planted error: turned the other way
    assert contact_cost(wrong[None], places, task, frames, cost)[0] > 0.1
    away = contact_cost(there[None] + 0.02, places, task, frames, cost)[0]
    share = weight.sum() / max(weight.sum(), 1.0)
    assert away == pytest.approx(share * (1 - np.exp(-3.0)))
    assert contact_cost(there[None], places, task, np.array([0]), cost)[0] == 0.0, "nothing is held yet"


def test_noise_is_straight_between_knots() -> None:
    basis = knots_to_frames(8, 3)
    assert basis.shape == (8, 4)
    assert np.allclose(basis.sum(1)[:7], 1.0)
    assert np.allclose(basis @ np.array([0.0, 3.0, 6.0, 9.0]), np.arange(8))


def test_deviations_are_those_of_slides_hinges_and_fingers(ready: Prepared) -> None:
    found = deviations(ready.task.world, PlanOptions(slide=1.0, hinge=2.0, finger=3.0))
    assert sorted(found.tolist()) == [1.0] * 3 + [2.0] * 3 + [3.0] * 2


def test_worlds_differ_as_they_say(ready: Prepared) -> None:
    world = ready.task.world
    difference = Difference(np.array([[0.004, -0.003]]), 0.8, np.array([1.2]))
    model = different_model(world, difference)
    body = world.model.body("object_cube").id
    assert model.body_mass[body] == pytest.approx(1.2 * world.model.body_mass[body])
    assert np.allclose(model.geom_friction[:, 0], 0.8 * world.model.geom_friction[:, 0])
    assert world.model.geom_friction[:, 0].max() == pytest.approx(1.0), "the believed world is not touched"
    moved = different_start(world, ready.task.start, difference)
    assert np.allclose((moved - ready.task.start)[world.object_at[0] :][:3], [0.004, -0.003, 0.0])


def test_drawn_worlds_stay_in_the_spread() -> None:
    spread = Spread(0.005, 0.2, 0.2)
    rng = np.random.default_rng(0)
    drawn = drawn_differences(200, 2, spread, rng)
    assert max(np.abs(d.offset).max() for d in drawn) <= 0.005
    assert 0.8 <= min(d.friction for d in drawn) < 0.83
    even = spread_differences(4, 1, spread, rng)
    assert even[0].friction == 1.0
    assert not even[0].offset.any()
    assert np.allclose([np.linalg.norm(d.offset) for d in even[1:]], 0.005)
    assert np.allclose(np.sum([d.offset for d in even[1:]], 0), 0.0, atol=1e-12)


def test_scores_are_strict() -> None:
    reference = np.zeros((5, 1, 7))
    reference[..., 3] = 1.0
    reference[2:, 0, 2] = 0.1
    perfect = score(reference, reference)
    assert perfect.success
    assert perfect.tracked == 5
    assert perfect.lifted == pytest.approx(1.0)
    off = reference.copy()
    off[3, 0, 0] = 0.031
    found = score(off, reference)
    assert not found.success
    assert found.tracked == 3
    assert found.most_position == pytest.approx(0.031)
    turned = reference.copy()
    turned[4, 0, 3:] = [np.cos(0.26), 0, np.sin(0.26), 0]
    assert score(turned, reference).tracked == 4
    lost = reference.copy()
    lost[1] = np.nan
    assert score(lost, reference).tracked == 1


def test_an_object_that_is_put_where_it_stands_takes_its_motion_along(
    mujoco: Any, gripper: Callable[[str], HandDescription]
) -> None:
    motion = lifting()
    thing = motion.objects["cube"]
    sunk = replace(
        motion,
        objects={
            "cube": replace(
                thing, world_from_object=se3(so3_exp([0.05, 0, 0]), [0, 0, -0.01]) @ thing.world_from_object
            )
        },
    )
    found = prepare(sunk, gripper)
    assert found.task.reference[0, 0, 2] == pytest.approx(0.02, abs=1e-3)
    rise = found.task.reference[-1, 0, 2] - found.task.reference[0, 0, 2]
    assert rise == pytest.approx(0.06, abs=5e-3)
    assert np.abs(found.original[0, 0, 2] - 0.01) < 2e-3, "what was measured is kept beside it"


def test_an_object_that_begins_in_the_hand_is_refused(
    mujoco: Any, gripper: Callable[[str], HandDescription]
) -> None:
    motion = lifting().cut(18, 28)
    with pytest.raises(InputError, match="4 cm above the table in the first frame"):
        prepare(motion, gripper)


def test_the_same_seed_finds_the_same_controls_and_an_interrupted_search_too(
    ready: Prepared, tmp_path: Path
) -> None:
    whole = plan_controls(ready.task, SMALL)
    assert np.array_equal(whole.controls, plan_controls(ready.task, SMALL).controls)
    file = tmp_path / "unfinished.npz"
    keeper = Keeper(file, ready.task, SMALL)
    keeper._last = -1e9

    class Stop(Exception):
        pass

    def stop(progress: Progress) -> None:
        keeper.keep(progress)
        if progress.state is not None and progress.state.frame >= 12:
            raise Stop

    with pytest.raises(Stop):
        plan_controls(ready.task, SMALL, keep=stop)
    begun = keeper.begun()
    assert begun is not None
    assert begun.state is not None
    assert np.array_equal(plan_controls(ready.task, SMALL, begun=begun).controls, whole.controls)
    assert Keeper(file, ready.task, replace(SMALL, seed=1)).begun() is None, "other settings begin anew"
    file.write_bytes(b"broken")
    assert keeper.begun() is None


def test_more_passes_go_on_where_fewer_ended(ready: Prepared, tmp_path: Path) -> None:
    more = replace(SMALL, passes=3, enough=2.0)  # never enough
    keeper = Keeper(tmp_path / "unfinished.npz", ready.task, more)

    class Stop(Exception):
        pass

    def stop(progress: Progress) -> None:
        keeper._last = -1e9
        keeper.keep(progress)
        if progress.number == 2:
            raise Stop

    with pytest.raises(Stop):
        plan_controls(ready.task, more, keep=stop)
    fewer = Keeper(tmp_path / "unfinished.npz", ready.task, replace(more, passes=2))
    begun = fewer.begun()
    assert begun is not None and begun.best is not None
    ended = plan_controls(ready.task, replace(more, passes=2), begun=begun)
    assert ended.passes in (1, 2) and np.array_equal(ended.controls, begun.best.controls)
    assert ended.steps == begun.steps, "nothing more is searched"
    first = plan_controls(ready.task, replace(more, passes=2))
    assert np.array_equal(first.controls, ended.controls)


def test_the_first_of_several_passes_is_wide(ready: Prepared) -> None:
    """It is in the believed world alone, with twice the samples; what it finds is made steady in several worlds."""
    seen: dict[int, Progress] = {}

    def see(progress: Progress) -> None:
        seen.setdefault(progress.number, progress)

    o = replace(SMALL, passes=3, enough=2.0)
    plan_controls(ready.task, o, keep=see)
    assert [len(seen[i].differences) for i in range(3)] == [1, 2, 2]
    wide, narrow = (plan_controls(ready.task, replace(o, passes=2, wide=w)) for w in (o.wide, None))
    assert not np.array_equal(wide.controls, narrow.controls)
    begun = [seen[i].begun for i in range(3)]
    assert begun == ([0, 0, 0] if seen[1].residuals is not None else [0, 1, 1])


def test_a_wide_pass_that_finds_nothing_is_not_gone_on_from(ready: Prepared) -> None:
    seen: dict[int, Progress] = {}

    def see(progress: Progress) -> None:
        seen.setdefault(progress.number, progress)

    never = replace(SMALL, passes=3, limits=Limits(1e-9, 1e-9), lost=1e12)
    found = plan_controls(ready.task, never, keep=see)
    assert found.share == 0.0
    assert seen[1].residuals is None and seen[1].begun == 1, "the second begins with the retargeted motion"
    assert seen[2].residuals is not None and seen[2].begun == 1


def test_a_pass_that_is_worse_is_not_gone_on_from(ready: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third goes on from what the second began with, where the second is told to be worse."""
    seen: dict[int, Progress] = {}

    def see(progress: Progress) -> None:
        seen.setdefault(progress.number, progress)

    judged = planner.found_of

    def worse(controls: Any, scores: Any, passes: int, steps: int) -> Any:
        found = judged(controls, scores, passes, steps)
        return replace(found, share=0.5 if passes == 1 else 0.1)

    monkeypatch.setattr(planner, "found_of", worse)
    found = plan_controls(ready.task, replace(SMALL, passes=3, wide=None), keep=see)
    assert found.passes == 1
    assert seen[1].residuals is not None and seen[2].residuals is not None
    assert np.array_equal(seen[1].residuals, seen[2].residuals)


def test_a_search_that_is_sure_is_shorter(ready: Prepared) -> None:
    task = ready.task
    steps = [plan_controls(task, replace(SMALL, sure=sure)).steps for sure in (0.0, 1e9)]
    assert steps[1] < 0.75 * steps[0], "one round of two"


def test_a_hand_that_holds_carries_the_object_back_to_its_reference(mujoco: Any, ready: Prepared) -> None:
    task = ready.task
    carriers = Carriers(task)
    frame = 20
    place = task.reference[frame, 0]
    pose = se3(matrix_from_quaternion(place[3:]), place[:3])
    off = se3(so3_exp([0.1, -0.2, 0.15]), [0.01, -0.02, 0.005]) @ pose
    lies = np.concatenate([off[:3, 3], quaternion_from_matrix(off[:3, :3])])[None, None]
    controls = np.tile(task.controls[frame], (8, 1))
    change = carriers.correction(np.repeat(lies, 3, 0), frame, controls, 1.0, 4)
    motors = np.flatnonzero(carriers.is_carrier)
    assert np.allclose(change[0], 0.0)
    assert not change[:, ~carriers.is_carrier].any()

    def palm(values: np.ndarray) -> np.ndarray:
        model, data = task.world.model, mujoco.MjData(task.world.model)
        names = [model.actuator(int(m)).name.removesuffix("_motor") for m in motors]
        for name, value in zip(names, values[motors]):
            data.joint(name).qpos[0] = value
        mujoco.mj_kinematics(model, data)
        body = model.body("right_palm").id
        return se3(data.xmat[body].reshape(3, 3), data.xpos[body])

    held = inverse(palm(controls[-1])) @ off
    assert np.allclose(palm((controls + change)[-1]) @ held, pose, atol=1e-9)
    assert not carriers.correction(lies, 0, controls, 1.0, 4).any(), "nothing is held yet"


def test_a_simulation_that_breaks_is_no_success(ready: Prepared) -> None:
    """MuJoCo puts all things back to their beginning there, and says nothing: the cube would stand where it should."""
    world = ready.task.world
    with MujocoSimulations(world, 1) as many:
        states = np.stack([many.state(ready.task.start)] * 2)
        states[1, TIME + world.model.nq] = 1e12  # a speed that no simulation survives
        steps = np.repeat(ready.task.controls[:1], 12, 0)
        found, _ = many.run([world.model] * 2, states, np.stack([steps] * 2))
    assert np.isfinite(found[0]).all() and np.isnan(found[1, -1]).all()
    places = world.object_places(many.qpos(found))
    result = score(places[1], ready.task.reference[:12], Limits())
    assert not result.success and result.lifted == 0.0
    assert object_cost(places[1, -1:], ready.task.reference[0], Limits(), CostOptions()) >= 1e5


def test_an_object_may_be_called_as_the_parts_of_a_hand_are(
    mujoco: Any, gripper: Callable[[str], HandDescription]
) -> None:
    motion = lifting()
    thing = replace(motion.objects["cube"], name="left_base")
    task = prepare(replace(motion, objects={"left_base": thing}), gripper).task
    assert Carriers(task).is_carrier.sum() == 6
    assert deviations(task.world, PlanOptions()).min() > 0


def test_an_unstable_simulation_leaves_no_file_behind(
    ready: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with MujocoSimulations(ready.task.world, 1) as many:
        states = many.state(ready.task.start)[None]
        states[0, TIME + ready.task.world.model.nq] = 1e12
        many.run([ready.task.world.model], states, np.repeat(ready.task.controls[None, :1], 4, 1))
    assert not list(tmp_path.iterdir())


def test_controls_that_hold_well_are_not_searched(ready: Prepared) -> None:
    """A plan of the retargeted motion is that of no pass; a search that finds nothing to mend changes nothing."""
    searched = replace(SMALL, easy=0.9, skip=0.9)
    plain = plan_controls(ready.task, searched)
    assert plain.passes == 0
    assert plain.share == 1.0
    assert np.array_equal(plain.controls, limited(ready.task.world, ready.task.controls))
    with MujocoSimulations(ready.task.world, 1) as many:
        sweep = Sweep(
            ready.task, many, spread_differences(2, 1, Spread(), np.random.default_rng(0)), searched
        )
        state = sweep.run(sweep.begin(np.random.default_rng(1)))
        assert not state.residuals.any()
        eager = Sweep(ready.task, many, sweep.differences, SMALL)
        assert eager.run(eager.begin(np.random.default_rng(1))).residuals.any(), (
            "the same, all of it searched"
        )


def test_what_is_lost_is_not_searched_for(ready: Prepared) -> None:
    """The pass ends where the cube is far away in all worlds, not in one of them; its controls are whole."""
    task = ready.task
    with MujocoSimulations(task.world, 1) as many:
        sweep = Sweep(task, many, spread_differences(2, 1, Spread(), np.random.default_rng(0)), SMALL)
        state = sweep.begin(np.random.default_rng(1))
        x = TIME + task.world.object_at[0]
        state.states[0, x] += 1.1 * SMALL.lost * SMALL.limits.position
        some = sweep.run(replace(state, residuals=state.residuals.copy(), states=state.states.copy()))
        assert some.frame == task.num_frames - 1, "one world is left"
        state.states[1, x] += 1.1 * SMALL.lost * SMALL.limits.position
        steps = many.steps
        assert sweep.run(state).frame == 0 and many.steps == steps
        assert np.array_equal(sweep.controls(state), limited(task.world, task.controls))
        state.states[:] = np.nan
        assert sweep.run(state).frame == 0, "simulations that broke"
