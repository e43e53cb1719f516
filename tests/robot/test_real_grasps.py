"""Measured grasps and the Shadow hands' own files: tests on data that is not part of the project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.benchmarks.grasps.motion import YCB_MASSES, grasp_motion
from dexman_pose.benchmarks.grasps.run import GraspJob, run_grasps
from dexman_pose.robot.assets.floating import add_floating_hand
from dexman_pose.robot.assets.shadow import shadow_hand
from dexman_pose.robot.motion.touch import touches_of
from dexman_pose.robot.motion.window import WindowOptions, lift_start, skill
from dexman_pose.robot.objects.model import ObjectOptions
from dexman_pose.robot.objects.pieces import PieceOptions
from dexman_pose.robot.planning.grasp import search_grasps
from dexman_pose.robot.planning.options import GraspOptions, PlanOptions
from dexman_pose.robot.planning.planner import judged_controls
from dexman_pose.robot.planning.prepare import PrepareOptions, prepare
from dexman_pose.robot.planning.ways import fixed, ways
from dexman_pose.robot.retarget.motion import retarget
from dexman_pose.robot.world.physics import PhysicsOptions, new_spec
from dexman_pose.synthetic.grasps.recorded import list_grasps

pytestmark = pytest.mark.data


def _grasps(data: Path) -> list[Path]:
    return list_grasps(data / "grasps")


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_shadow_hand_has_its_fingers_and_no_wrist(data_dir: Path, mujoco: Any, side: str) -> None:
    spec = new_spec(PhysicsOptions())
    add_floating_hand(spec, shadow_hand(side, data_dir / "robots"), np.zeros(3), np.eye(4)[0])
    model = spec.compile()
    assert (model.nv, model.nu, model.ntendon) == (28, 24, 4)
    data = mujoco.MjData(model)
    for _ in range(100):
        mujoco.mj_step(model, data)
    assert data.ncon == 0
    assert np.abs(data.qpos).max() < 1e-3


@pytest.mark.parametrize("mirrored", [False, True])
def test_fingertips_are_retargeted_to_millimetres(data_dir: Path, mujoco: Any, mirrored: bool) -> None:
    for path in _grasps(data_dir)[:3]:
        motion = skill(grasp_motion(path, data_dir / "meshes" / "ycb", mirrored), WindowOptions(after=1.0))
        side = "right" if mirrored else "left"
        assert list(motion.hands) == [side], "the measured hands are left ones"
        lift = lift_start(motion)
        held = {name: (np.arange(motion.num_frames) > lift - 5).astype(float) for name in motion.objects}
        found = retarget(motion, shadow_hand(side, data_dir / "robots"), touches_of(motion), held)
        assert np.median(found.error) < 2e-3, path.name
        assert np.percentile(found.error, 95) < 6e-3, path.name
        assert not found.notes


def test_measured_grasps_stand_on_the_table_and_are_held(data_dir: Path, mujoco: Any) -> None:
    for path in _grasps(data_dir):
        motion = grasp_motion(path, data_dir / "meshes" / "ycb")
        (thing,) = motion.objects.values()
        low = (thing.mesh.vertices @ thing.world_from_object[0, :3, :3].T)[
            :, 2
        ].min() + thing.world_from_object[0, 2, 3]
        assert abs(low) < 0.01, path.name
        (touch,) = touches_of(motion)
        held = touch.touching[lift_start(motion) + 5 :, :5].any(1)
        assert held.mean() > 0.9, path.name


def test_a_thumb_that_begins_on_the_wrong_side_finds_around(data_dir: Path, mujoco: Any) -> None:
    """Begun from fingers bent a little alone, it stays there, and the palm goes out of its way."""
    (path,) = [p for p in _grasps(data_dir) if "banana" in p.name]
    motion = grasp_motion(path, data_dir / "meshes" / "ycb")
    options = PrepareOptions(objects=ObjectOptions(pieces=PieceOptions(hull_only=True)), around=False)

    def farthest(bent: tuple[float, ...]) -> float:
        press = replace(options.press, along=False, solve=replace(options.press.solve, bent=bent))
        ready = prepare(
            motion, lambda side: shadow_hand(side, data_dir / "robots"), replace(options, press=press)
        )
        (hand,) = ready.hands
        return float(np.percentile(hand.error, 95))

    assert farthest((0.3, 1.0)) < 0.007
    assert farthest((0.3,)) > 0.007, "the case is one in which it matters"


def test_a_banana_is_held_by_a_grasp_that_stays(data_dir: Path, mujoco: Any) -> None:
    """Measured fingers lose it; the person's grasp held fast loses it, too; a grasp near that one holds."""
    (path,) = [p for p in _grasps(data_dir) if "banana" in p.name]
    motion = grasp_motion(path, data_dir / "meshes" / "ycb")
    objects = ObjectOptions(pieces=PieceOptions(hull_only=True), masses=YCB_MASSES)
    plain = ways(PrepareOptions(objects=objects))[1]
    task = prepare(motion, lambda side: shadow_hand(side, data_dir / "robots"), fixed(plain)).task
    few = PlanOptions(trials=6, grasp=GraspOptions(samples=48))
    assert judged_controls(task, task.controls, few).share == 0.0
    found = search_grasps(task, few)
    assert found is not None and found.share >= few.enough
    assert judged_controls(task, found.controls, PlanOptions(seed=9, trials=12)).share >= 0.8


@pytest.mark.slow
def test_a_tin_is_lifted_with_little_work(data_dir: Path, mujoco: Any) -> None:
    job = GraspJob(
        grasps=data_dir / "grasps",
        meshes=data_dir / "meshes" / "ycb",
        robots=data_dir / "robots",
        only=("master_chef_can",),
        preparing=PrepareOptions(
            objects=ObjectOptions(pieces=PieceOptions(hull_only=True), masses={"x": 1.0})
        ),
        options=PlanOptions(samples=32, members=2, rounds=2, horizon=12, passes=1, trials=6),
    )
    (result,) = run_grasps(job)
    assert result.evaluation is not None, result.error
    assert result.evaluation.replay.success
    assert result.evaluation.friction == pytest.approx(1.0)
