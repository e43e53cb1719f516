"""The G1's own file with Shadow hands on its arms: tests on data that is not part of the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.benchmarks.grasps.motion import YCB_MASSES, grasp_motion
from dexman_pose.benchmarks.grasps.run import GraspJob, run_grasps
from dexman_pose.robot.assets.g1 import unitree_g1
from dexman_pose.robot.assets.robots import find_robot
from dexman_pose.robot.assets.shadow import shadow_hand
from dexman_pose.robot.assets.standing import BodyPlace, add_body
from dexman_pose.robot.motion.window import WindowOptions
from dexman_pose.robot.objects.model import ObjectOptions
from dexman_pose.robot.objects.pieces import PieceOptions
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.prepare import PrepareOptions, prepare
from dexman_pose.robot.world.physics import PhysicsOptions, new_spec
from dexman_pose.synthetic.grasps.recorded import list_grasps

pytestmark = pytest.mark.data


def _model(data_dir: Path, *acting: str) -> Any:
    robots = data_dir / "robots"
    idle = tuple(shadow_hand(side, robots) for side in ("left", "right") if side not in acting)
    hands = tuple(shadow_hand(side, robots) for side in acting)
    spec = new_spec(PhysicsOptions())
    add_body(spec, BodyPlace(unitree_g1(robots), hands, idle, np.array([0.0, 0.0, 0.1]), 0.0))
    return spec.compile()


@pytest.mark.parametrize("acting", [("left",), ("right",), ("left", "right")])
def test_it_has_its_joints_and_hands_and_stands_still(
    data_dir: Path, mujoco: Any, acting: tuple[str, ...]
) -> None:
    model = _model(data_dir, *acting)
    assert (model.nv, model.nu, model.ntendon) == ((32, 28, 4) if len(acting) == 1 else (61, 53, 8))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    assert data.ncon == 0, "nothing of it lies in itself at rest"
    for _ in range(180):
        mujoco.mj_step(model, data)
    assert np.abs(data.qpos).max() < 1e-3
    assert not any("rubber" in model.mesh(i).name or "hip" in model.mesh(i).name for i in range(model.nmesh))


def test_limits_and_masses_are_those_of_the_files(data_dir: Path, mujoco: Any) -> None:
    model = _model(data_dir, "left", "right")
    body = mujoco.MjModel.from_xml_path(str(unitree_g1(data_dir / "robots").file))
    hand = mujoco.MjModel.from_xml_path(str(shadow_hand("right", data_dir / "robots").file))
    for i in range(model.njnt):
        name = model.joint(i).name
        source = body if name.startswith("body_") else hand
        if name.startswith("left_"):
            continue
        was = source.joint(name.removeprefix("body_").removeprefix("right_" if source is hand else ""))
        assert np.allclose(model.jnt_range[i], was.range), name
        if source is body:
            force = source.jnt_actfrcrange[was.id]
            assert np.allclose(model.jnt_actfrcrange[i], force), (
                f"{name} turns no harder than the file lets it"
            )
    palm = [model.body(i).id for i in range(model.nbody) if model.body(i).name.startswith("right_")]
    kept = [hand.body(model.body(i).name.removeprefix("right_")).mass[0] for i in palm]
    assert np.allclose(model.body_mass[palm], kept)
    forearm = model.body("body_left_wrist_yaw_link")
    assert forearm.mass[0] == pytest.approx(body.body("left_wrist_yaw_link").mass[0])


def test_fingers_point_forward_and_palms_to_each_other(data_dir: Path, mujoco: Any) -> None:
    model = _model(data_dir, "left", "right")
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    for name, inward in (("left_lh_palm", -1.0), ("right_rh_palm", 1.0)):
        turn = data.xmat[model.body(name).id].reshape(3, 3)
        assert np.allclose(turn[:, 2], [1, 0, 0], atol=0.02), "fingers"
        assert np.allclose(-turn[:, 1], [0, inward, 0], atol=0.02), "palm"
        thumb = data.xpos[model.body(name.replace("palm", "ffknuckle")).id]
        little = data.xpos[model.body(name.replace("palm", "lfmetacarpal")).id]
        assert thumb[2] > little[2], "the index finger is above the little one"


@pytest.mark.slow
@pytest.mark.parametrize("hand", ["left", "right"])
def test_a_tin_is_reached_from_beside_the_table(data_dir: Path, mujoco: Any, hand: str) -> None:
    robot = find_robot("g1", data_dir / "robots")
    path = next(f for f in list_grasps(data_dir / "grasps") if "master_chef_can" in f.name)
    motion = grasp_motion(path, data_dir / "meshes" / "ycb", mirrored=hand == "right")
    assert list(motion.hands) == [hand]
    objects = ObjectOptions(pieces=PieceOptions(hull_only=True), masses=YCB_MASSES)
    found = prepare(
        motion, robot.describe, PrepareOptions(window=WindowOptions(after=1.4), objects=objects), robot.body
    )
    assert found.carried is not None
    assert np.median(found.carried.metres) < 0.01
    assert np.degrees(np.median(found.carried.radians)) < 5.0
    assert np.median(found.hands[0].error) < 0.015


@pytest.mark.slow
def test_a_tin_is_lifted_by_an_arm_with_little_work(data_dir: Path, mujoco: Any) -> None:
    job = GraspJob(
        grasps=data_dir / "grasps",
        meshes=data_dir / "meshes" / "ycb",
        robots=data_dir / "robots",
        robot="g1",
        only=("master_chef_can",),
        preparing=PrepareOptions(
            objects=ObjectOptions(pieces=PieceOptions(hull_only=True), masses=YCB_MASSES)
        ),
        options=PlanOptions(samples=32, members=2, rounds=2, horizon=12, passes=1, trials=6),
    )
    (result,) = run_grasps(job)
    assert result.evaluation is not None, result.error
    assert result.evaluation.replay.success
    assert result.plan is not None and result.plan.about["body"]["robot"] == "g1"
