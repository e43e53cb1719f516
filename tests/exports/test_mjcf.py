"""MuJoCo loads the scene, its keyframes put everything where the trajectory has it, and it steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import JOINT_NAMES, Mesh, Trajectory
from dexman_pose.errors import InputError
from dexman_pose.exports import export
from dexman_pose.exports.scene import world_from_object, world_joints
from dexman_pose.geometry import se3

mujoco = pytest.importorskip("mujoco")

CAN, BALL = "soup can / 1", "ball"
EXACT = 1e-9


def load(folder: Path) -> tuple[Any, Any]:
    model = mujoco.MjModel.from_xml_path(str(folder / "scene.xml"))
    return model, mujoco.MjData(model)


def body(model: Any, data: Any, name: str) -> np.ndarray:
    at = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, name)
    return se3(data.xmat[at].reshape(3, 3), data.xpos[at])


def to_key(model: Any, data: Any, frame: int) -> None:
    key = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_KEY, f"frame_{frame:05d}")
    mujoco.mj_resetDataKeyframe(model, data, key)
    mujoco.mj_forward(model, data)


@pytest.mark.parametrize("bodies", ["mocap", "free"])
def test_keyframes_hold_the_trajectory(trajectory: Trajectory, tmp_path: Path, bodies: str) -> None:
    model, data = load(export(trajectory, "mjcf", tmp_path, bodies=bodies))
    assert model.nkey == trajectory.num_frames and model.nq == (14 if bodies == "free" else 0)
    for frame in range(trajectory.num_frames):
        to_key(model, data, frame)
        assert data.time == pytest.approx(trajectory.frame_times[frame], abs=EXACT)
        for name, plain in ((CAN, "soup_can_1"), (BALL, "ball")):
            wanted = world_from_object(trajectory, name)[frame]
            np.testing.assert_allclose(body(model, data, plain), wanted, atol=EXACT)
        for side in trajectory.hands:
            found = np.stack([body(model, data, f"{side}_{j}")[:3, 3] for j in JOINT_NAMES])
            np.testing.assert_allclose(found, world_joints(trajectory, side)[frame], atol=EXACT)


def test_meshes_are_those_of_the_trajectory(trajectory: Trajectory, tmp_path: Path) -> None:
    model, data = load(export(trajectory, "mjcf", tmp_path))
    to_key(model, data, 3)
    for name, plain in ((CAN, "soup_can_1"), (BALL, "ball")):
        geom = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, plain)
        mesh = model.geom_dataid[geom]
        first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        points = model.mesh_vert[first : first + count] @ data.geom_xmat[geom].reshape(3, 3).T
        points = points + data.geom_xpos[geom]
        obj = trajectory.objects[name]
        wanted = obj.mesh.vertices @ world_from_object(trajectory, name)[3][:3, :3].T
        wanted += world_from_object(trajectory, name)[3][:3, 3]
        # MuJoCo keeps vertices in float32, about the middle of the mesh.
        away = np.linalg.norm(points[:, None] - wanted[None], axis=-1)
        assert away.min(0).max() < 1e-6 and away.min(1).max() < 1e-6


def test_mocap_scenes_stay_while_they_step(trajectory: Trajectory, tmp_path: Path) -> None:
    model, data = load(export(trajectory, "mjcf", tmp_path))
    to_key(model, data, 4)
    before = body(model, data, "soup_can_1")
    for _ in range(20):
        mujoco.mj_step(model, data)
    np.testing.assert_allclose(body(model, data, "soup_can_1"), before, atol=EXACT)


def test_free_objects_weigh_their_volume_and_come_to_rest_on_the_table(
    trajectory: Trajectory, tmp_path: Path
) -> None:
    model, data = load(export(trajectory, "mjcf", tmp_path, bodies="free", density=800.0))
    can = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, "soup_can_1")
    assert model.body_mass[can] == pytest.approx(800.0 * 0.06 * 0.08 * 0.10, rel=1e-4)
    to_key(model, data, 1)
    for _ in range(500):
        mujoco.mj_step(model, data)
    assert np.isfinite(data.qpos).all()
    assert 0.02 < body(model, data, "soup_can_1")[2, 3] < 0.06
    assert body(model, data, "ball")[2, 3] == pytest.approx(0.03, abs=0.003)


def test_the_camera_is_the_clips(trajectory: Trajectory, tmp_path: Path) -> None:
    model, data = load(export(trajectory, "mjcf", tmp_path))
    mujoco.mj_forward(model, data)
    pose = se3(data.cam_xmat[0].reshape(3, 3), data.cam_xpos[0]) @ np.diag([1.0, -1, -1, 1])
    np.testing.assert_allclose(pose, trajectory.world_from_camera, atol=EXACT)
    assert model.cam_resolution[0].tolist() == [320, 240]
    width, height = model.cam_sensorsize[0]
    fx, fy, _, _ = model.cam_intrinsic[0]
    assert fx / width * 320 == pytest.approx(420.0, rel=1e-5) and fy / height * 240 == pytest.approx(
        425.0, rel=1e-5
    )


def test_open_and_flat_meshes_load(trajectory: Trajectory, tmp_path: Path) -> None:
    mesh = trajectory.objects[BALL].mesh
    half = Mesh(mesh.vertices, mesh.faces[: len(mesh.faces) // 2])
    card = Mesh([[0, 0, 0], [0.1, 0, 0], [0.1, 0.05, 0], [0, 0.05, 0]], [[0, 1, 2], [0, 2, 3]])
    ball = trajectory.objects[BALL]
    objects = {"half": replace(ball, name="half", mesh=half), "card": replace(ball, name="card", mesh=card)}
    scene = replace(trajectory, objects=objects, contacts=None)
    for bodies in ("mocap", "free"):
        model, data = load(export(scene, "mjcf", tmp_path / bodies, bodies=bodies))
        to_key(model, data, 0)
        mujoco.mj_step(model, data)
        assert np.isfinite(data.qpos).all()


def test_bad_options_are_refused(trajectory: Trajectory, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bodies must be one of mocap, free"):
        export(trajectory, "mjcf", tmp_path, bodies="welded")
    with pytest.raises(InputError, match="has no option hands"):
        export(trajectory, "mjcf", tmp_path, hands="skin")
