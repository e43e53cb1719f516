"""Searching in MuJoCo Warp: it does what MuJoCo does, and nothing that breaks in one copy reaches another.

Its kernels compile for more than a minute at first, so whatever takes a step is marked slow.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import EstimationError, InputError, MissingExtraError
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.planning.members import different_models, different_start, spread_differences
from dexman_pose.robot.planning.on_warp import WarpOptions, WarpSimulations, device_of
from dexman_pose.robot.planning.options import PlanOptions, Spread
from dexman_pose.robot.planning.planner import plan_controls
from dexman_pose.robot.planning.prepare import Prepared, prepare
from dexman_pose.robot.planning.simulation import MujocoSimulations, Simulations
from dexman_pose.robot.planning.simulators import SIMULATORS, check_simulator, simulations
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.world.build import TIME
from dexman_pose.robot.world.controls import stepped
from tests.robot.gripper import lifting

COPIES = 5
NEAR = 3e-3
"""Metres, radians, parts of a quaternion: a cube at low friction slips a little when it is gripped, differently."""
SMALL = PlanOptions(
    samples=8, kept=4, members=2, rounds=1, horizon=9, passes=1, trials=4, settle=0.2, grasp=None
)


@pytest.fixture(scope="module")
def task(mujoco: Any, gripper: Callable[[str], HandDescription]) -> Task:
    ready: Prepared = prepare(lifting(), gripper)
    return ready.task


@pytest.fixture
def warp(mujoco: Any) -> Any:
    return pytest.importorskip("mujoco_warp", reason="needs: pip install 'dexman-pose[mjwarp]'")


def _cases(
    task: Task, many: Simulations, frames: int | None = None
) -> tuple[list[Any], np.ndarray, np.ndarray]:
    """Models that differ, starts that differ, and the lift's controls."""
    differences = spread_differences(COPIES, 1, Spread(friction=0.5, mass=0.5), np.random.default_rng(0))
    starts = np.stack([many.state(different_start(task.world, task.start, d)) for d in differences])
    steps = stepped(task.controls[:frames], task.world.steps)
    controls = np.ascontiguousarray(np.broadcast_to(steps, (COPIES, *steps.shape)))
    return different_models(task.world, differences), starts, controls


def _as_in_mujoco(task: Task, gpu: bool) -> None:
    with MujocoSimulations(task.world, 1) as true, WarpSimulations(task.world, gpu) as many:
        models, starts, controls = _cases(task, true)
        expected, points = true.run(models, starts, controls)
        found, sensed = many.run(models, starts, controls)
        again, _ = many.run(models, starts, controls)
        judged, _ = many.judge(models, starts, controls)
    assert found.shape == expected.shape and sensed.shape == points.shape
    lifted = (
        expected[:, -1, TIME + task.world.object_at[0] + 2] - starts[:, TIME + task.world.object_at[0] + 2]
    )
    assert lifted.max() > 0.04, "the case is one in which contacts matter"
    assert np.abs(many.qpos(found) - true.qpos(expected)).max() < NEAR
    assert np.abs(sensed - points).max() < 1e-3
    assert np.array_equal(judged, expected)
    assert many.steps == 3 * controls.shape[0] * controls.shape[1]
    if not gpu:
        assert np.array_equal(again, found), "nothing is left of a run in the next one"


@pytest.mark.slow
def test_it_moves_as_in_mujoco(task: Task, warp: Any) -> None:
    _as_in_mujoco(task, gpu=False)


@pytest.mark.gpu
def test_it_moves_as_in_mujoco_on_a_device(task: Task, warp: Any) -> None:
    _as_in_mujoco(task, gpu=True)


@pytest.mark.slow
def test_copies_differ_in_friction_and_mass(task: Task, warp: Any) -> None:
    """The same start and controls, other models; then the models change places, and so do the copies."""
    with MujocoSimulations(task.world, 1) as true, WarpSimulations(task.world) as many:
        models, starts, controls = _cases(task, true)
        starts[:] = starts[0]
        expected, _ = true.run(models, starts, controls)
        found, _ = many.run(models, starts, controls)
        turned, _ = many.run(models[::-1], starts, controls)
    apart = np.abs(true.qpos(expected)[:, -1, None] - true.qpos(expected)[None, :, -1]).max(-1)
    assert apart[~np.eye(COPIES, dtype=bool)].min() > 1e-5, "the models do not do the same"
    assert np.abs(many.qpos(found) - true.qpos(expected)).max() < NEAR
    assert np.abs(many.qpos(turned) - true.qpos(expected)[::-1]).max() < NEAR


@pytest.mark.slow
def test_a_copy_that_breaks_has_no_numbers_and_leaves_the_others_alone(task: Task, warp: Any) -> None:
    with WarpSimulations(task.world) as many:
        models, starts, controls = _cases(task, many, 8)
        alone, _ = many.run(models, starts, controls)
        starts[1, TIME + task.world.model.nq] = 1e12
        starts[4, TIME + task.world.object_at[0] + 3] = np.nan
        controls[3, 6, 0] = np.nan
        found, _ = many.run(models, starts, controls)
        room = many._room
        after, _ = many.run(models, *_cases(task, many, 8)[1:])
    assert np.isnan(found[[1, 4]]).all()
    assert np.isnan(found[3, 6:]).all()
    assert np.array_equal(found[3, :6], alone[3, :6])
    assert np.array_equal(found[[0, 2]], alone[[0, 2]])
    assert room == WarpOptions(), "what broken copies would need is no reason to begin again"
    assert np.array_equal(after, alone), "the next run knows nothing of it"


@pytest.mark.slow
def test_memory_grows_where_contacts_need_it(task: Task, warp: Any) -> None:
    with (
        WarpSimulations(task.world) as many,
        WarpSimulations(task.world, options=WarpOptions(contacts=1, rows=2)) as tight,
    ):
        models, starts, controls = _cases(task, many)
        assert np.array_equal(tight.run(models, starts, controls)[0], many.run(models, starts, controls)[0])
    for options, said in (
        (WarpOptions(contacts=1, most_contacts=1), "more than 1 contacts each"),
        (WarpOptions(rows=2, most_rows=3), "more than 2 rows each"),
    ):
        with WarpSimulations(task.world, options=options) as tight:
            for _ in range(2):
                with pytest.raises(EstimationError, match=said):
                    tight.run(models, starts, controls)


@pytest.mark.slow
def test_numbers_of_steps_and_copies_may_change(task: Task, warp: Any) -> None:
    with WarpSimulations(task.world) as many:
        models, starts, controls = _cases(task, many, 20)
        short, _ = many.run(models, starts, controls[:, :7])
        long, _ = many.run(models, starts, controls)
        few, _ = many.run(models[:2], starts[:2], controls[:2])
        short_again, _ = many.run(models, starts, controls[:, :7])
    assert short.shape[1] == 7 and long.shape[1] == controls.shape[1]
    assert np.array_equal(short, long[:, :7]) and np.array_equal(short, short_again)
    assert np.allclose(
        few[..., : TIME + task.world.model.nq], long[:2, :, : TIME + task.world.model.nq], atol=1e-5
    )


@pytest.mark.slow
def test_a_plan_is_searched_there_and_judged_in_mujoco(task: Task, warp: Any) -> None:
    found = plan_controls(task, replace(SMALL, simulator="warp", easy=0.0))
    assert found.passes == 1 and found.share == 1.0 and found.steps > 0


def test_what_breaks_on_the_way_stays_broken_and_begins_anew() -> None:
    """Three copies of one place and one speed: one is far away in its second step, one has no speed there."""
    pytest.importorskip("warp", reason="needs: pip install 'dexman-pose[engine]'")
    from dexman_pose._warp import wp
    from dexman_pose.robot.planning.warp_kernels import begin, go_on, note

    def on_device(values: Any) -> Any:
        return wp.array(np.asarray(values, np.float32), dtype=wp.float32, device="cpu")

    first = on_device([[0.0, 1.0, 2.0], [0.0, 3.0, 4.0], [0.0, 5.0, 6.0]])
    time, act, sensors = on_device([9.0] * 3), on_device(np.zeros((3, 0))), on_device(np.ones((3, 3)))
    qpos, qvel, qacc, warmstart = (on_device(np.full((3, 1), 9.0)) for _ in range(4))
    broken = wp.array([1, 1, 1], dtype=wp.int32, device="cpu")
    at = wp.zeros(1, dtype=wp.int32, device="cpu")
    states, sensed = on_device(np.zeros((3, 3, 3))), on_device(np.zeros((3, 3, 3)))
    seen = [time, qpos, qvel, act, qacc, warmstart]
    wp.launch(begin, dim=3, inputs=[first, time, qpos, qvel, act, warmstart, broken], device="cpu")
    assert not broken.numpy().any() and not warmstart.numpy().any() and not time.numpy().any()
    for step in range(3):
        if step == 1:
            qpos.assign([[1.0], [1e11], [5.0]])
            qvel.assign([[2.0], [4.0], [np.nan]])
        wp.launch(note, dim=3, inputs=[at, first, *seen, sensors, broken, states, sensed], device="cpu")
        wp.launch(go_on, dim=1, inputs=[at], device="cpu")
    found = states.numpy()
    assert np.array_equal(found[:, 0], first.numpy())
    assert np.array_equal(found[0, 1:], first.numpy()[[0, 0]])
    assert np.isnan(found[1:, 1:]).all()
    assert np.array_equal(qpos.numpy(), [[1.0], [3.0], [5.0]])
    assert np.array_equal(qvel.numpy(), [[2.0], [0.0], [0.0]])
    assert np.array_equal(broken.numpy(), [0, 1, 1]) and at.numpy()[0] == 3


def test_what_it_cannot_keep_apart_is_refused(task: Task, warp: Any) -> None:
    with WarpSimulations(task.world) as many:
        models, starts, controls = _cases(task, many, 2)
        models[2] = copy.copy(models[2])
        models[2].jnt_range[0] += 0.1
        with pytest.raises(InputError, match=r"differ in friction and masses alone.*jnt_range"):
            many.run(models, starts, controls)


@pytest.mark.parametrize("name", ["timestep", "iterations", "disableflags"])
def test_so_are_other_options(task: Task, warp: Any, name: str) -> None:
    with WarpSimulations(task.world) as many:
        models, starts, controls = _cases(task, many, 2)
        models[2] = copy.copy(models[2])
        setattr(models[2].opt, name, 2 * getattr(models[2].opt, name) + 1)
        with pytest.raises(InputError, match=rf"but models differ in {name}"):
            many.run(models, starts, controls)


def test_motors_with_a_delay_are_refused(task: Task, warp: Any, mujoco: Any) -> None:
    """Their history is a part of the state that is not carried over."""
    spec = mujoco.MjSpec.from_string(task.world.xml)
    spec.actuators[0].delay, spec.actuators[0].nsample = 0.02, 6
    with pytest.raises(InputError, match=r"delays.*--simulator mujoco"):
        WarpSimulations(replace(task.world, model=spec.compile()))


def test_nothing_to_do_takes_nothing(task: Task, warp: Any) -> None:
    with WarpSimulations(task.world) as many:
        models, starts, controls = _cases(task, many, 2)
        states, points = many.run(models, starts, controls[:, :0])
        none, _ = many.run([], starts[:0], controls[:0])
    assert states.shape == (COPIES, 0, starts.shape[1]) and points.shape == (
        COPIES,
        0,
        len(task.world.points),
        3,
    )
    assert none.shape == (0, controls.shape[1], starts.shape[1])


def test_no_room_is_told(task: Task, warp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(warp, "put_data", full)
    with (
        WarpSimulations(task.world) as many,
        pytest.raises(EstimationError, match=r"no room for 5 copies on cpu \(out of memory\).*--samples"),
    ):
        many.run(*_cases(task, many, 2))


def test_a_world_that_it_does_not_know_is_refused(
    task: Task, warp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NotImplementedError("no such\ncone")

    monkeypatch.setattr(warp, "put_model", refuse)
    with (
        WarpSimulations(task.world) as many,
        pytest.raises(InputError, match=r"no such cone.*--simulator mujoco"),
    ):
        many.run(*_cases(task, many, 2))


def test_a_device_that_is_not_there_is_told(warp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dexman_pose._warp import wp

    monkeypatch.setattr(wp, "get_cuda_devices", list)
    with pytest.raises(InputError, match=r"no CUDA device.*--simulator mujoco"):
        check_simulator("warp-gpu")
    assert str(device_of(gpu=False)) == "cpu"


def test_a_missing_package_is_told_with_its_command(mujoco: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mujoco_warp", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dexman-pose\[mjwarp\]'"):
        check_simulator("warp")


def test_a_simulator_is_asked_for_by_its_name(
    task: Task, gripper: Callable[[str], HandDescription], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan does not begin with one that is not there: nothing is retargeted in vain."""
    assert SIMULATORS[0] == PlanOptions().simulator == "mujoco"
    with simulations(task.world) as many:
        assert isinstance(many, MujocoSimulations)
    said: list[str] = []
    with pytest.raises(InputError, match="one of mujoco, warp, warp-gpu, but is 'bullet'"):
        plan_motion(lifting(), gripper, options=replace(SMALL, simulator="bullet"), said=said.append)
    assert not said
