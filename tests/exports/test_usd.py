"""The stage is opened by USD's own library and compared with the trajectory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Trajectory
from dexman_pose.exports import export
from dexman_pose.exports.scene import world_from_object, world_joints
from dexman_pose.hands.model.moving import hand_skin

pytest.importorskip("pxr")

CAN, BALL = "soup can / 1", "ball"
DOUBLE, FLOAT32 = 1e-9, 1e-6


@pytest.fixture(scope="module")
def stage(trajectory: Trajectory, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from pxr import Usd

    path = export(trajectory, "usd", tmp_path_factory.mktemp("usd") / "scene.usda")
    return Usd.Stage.Open(str(path))


def whole(stage: Any, place: str, time: float) -> np.ndarray:
    from pxr import UsdGeom

    # USD's matrices act on rows.
    return np.array(UsdGeom.Xformable(stage.GetPrimAtPath(place)).ComputeLocalToWorldTransform(time)).T


def test_units_axes_and_times(trajectory: Trajectory, stage: Any) -> None:
    from pxr import UsdGeom

    assert UsdGeom.GetStageUpAxis(stage) == "Z" and UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert stage.GetTimeCodesPerSecond() == pytest.approx(25.0)
    assert stage.GetEndTimeCode() == pytest.approx(trajectory.num_frames - 1)
    assert stage.GetDefaultPrim().GetPath() == "/World"


def test_objects_are_where_the_trajectory_has_them(trajectory: Trajectory, stage: Any) -> None:
    from pxr import UsdGeom

    for name, plain in ((CAN, "soup_can_1"), (BALL, "ball")):
        obj, poses = trajectory.objects[name], world_from_object(trajectory, name)
        prim = UsdGeom.Imageable(stage.GetPrimAtPath(f"/World/{plain}"))
        for frame, time in enumerate(trajectory.frame_times * 25.0):
            seen = prim.ComputeVisibility(time) == "inherited"
            assert seen == obj.valid[frame]
            np.testing.assert_allclose(whole(stage, f"/World/{plain}", time), poses[frame], atol=DOUBLE)
        ops = [op.GetOpName() for op in UsdGeom.Xformable(prim.GetPrim()).GetOrderedXformOps()]
        assert ops == ["xformOp:translate", "xformOp:orient"]
        mesh = UsdGeom.Mesh(stage.GetPrimAtPath(f"/World/{plain}/mesh"))
        np.testing.assert_allclose(np.array(mesh.GetPointsAttr().Get()), obj.mesh.vertices, atol=FLOAT32)
        faces = np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)
        np.testing.assert_array_equal(faces, obj.mesh.faces)


def test_between_frames_an_object_stays_rigid(trajectory: Trajectory, stage: Any) -> None:
    for time in (1.5, 3.25, 9.75):
        between = whole(stage, "/World/soup_can_1", time)[:3, :3]
        np.testing.assert_allclose(between @ between.T, np.eye(3), atol=1e-6)


def test_hands(trajectory: Trajectory, stage: Any) -> None:
    from pxr import UsdGeom

    for side in trajectory.hands:
        points = UsdGeom.Points(stage.GetPrimAtPath(f"/World/{side}_hand/joints")).GetPointsAttr()
        skin = UsdGeom.Mesh(stage.GetPrimAtPath(f"/World/{side}_hand/skin")).GetPointsAttr()
        joints, ours = world_joints(trajectory, side), hand_skin(trajectory, side)
        for frame in (2, 11):
            np.testing.assert_allclose(np.array(points.Get(frame)), joints[frame], atol=FLOAT32)
            np.testing.assert_allclose(np.array(skin.Get(frame)), ours.vertices(frame), atol=FLOAT32)


def test_the_texture_is_found_and_is_the_one_that_was(trajectory: Trajectory, stage: Any) -> None:
    from pxr import UsdGeom, UsdShade

    shader = UsdShade.Shader(stage.GetPrimAtPath("/World/soup_can_1/look/texture"))
    found = Path(shader.GetInput("file").Get().resolvedPath)
    mesh = trajectory.objects[CAN].mesh
    np.testing.assert_array_equal(np.array(Image.open(found)), mesh.texture)
    st = UsdGeom.PrimvarsAPI(stage.GetPrimAtPath("/World/soup_can_1/mesh")).GetPrimvar("st")
    assert mesh.uv is not None
    np.testing.assert_allclose(np.array(st.Get()), mesh.uv.reshape(-1, 2), atol=FLOAT32)
    bound = UsdShade.MaterialBindingAPI(stage.GetPrimAtPath("/World/soup_can_1/mesh")).ComputeBoundMaterial()[
        0
    ]
    assert bound.GetPath() == "/World/soup_can_1/look"


def test_the_camera_sees_what_ours_sees(trajectory: Trajectory, stage: Any) -> None:
    from pxr import Gf, UsdGeom

    lens = UsdGeom.Camera(stage.GetPrimAtPath("/World/camera")).GetCamera(0.0)
    frustum: Any = lens.frustum
    camera = trajectory.camera
    for point in ([0.05, -0.03, 0.6], [-0.1, 0.08, 0.9]):
        u, v = camera.project(np.array([point]))[0]
        there = trajectory.world_from_camera @ [*point, 1.0]
        seen = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
        x, y, _ = seen.Transform(Gf.Vec3d(*there[:3].tolist()))
        assert (0.5 * (x + 1) * camera.width - 0.5) == pytest.approx(u, abs=0.01)
        assert (0.5 * (1 - y) * camera.height - 0.5) == pytest.approx(v, abs=0.01)


def test_binary_stages_are_written_too(trajectory: Trajectory, tmp_path: Path) -> None:
    from pxr import Usd

    path = export(trajectory, "usd", tmp_path / "scene.usdc", hands="joints")
    assert path.read_bytes().startswith(b"PXR-USDC")
    assert Usd.Stage.Open(str(path)).GetPrimAtPath("/World/left_hand/joints").IsValid()
    assert [p.name for p in tmp_path.glob(".*")] == []
