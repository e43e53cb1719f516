"""The GLB is read back, its nodes are walked as a viewer walks them, and what is seen is what the trajectory holds."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from dexman_pose.data import JOINT_NAMES, Trajectory
from dexman_pose.exports import export
from dexman_pose.exports.scene import world_from_object, world_joints
from dexman_pose.geometry import matrix_from_quaternion, transform_points
from dexman_pose.hands.model.moving import hand_skin
from dexman_pose.meshing import load_mesh

CAN, BALL = "soup can / 1", "ball"

FLOAT32 = 1e-6
_SIZES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_TYPES = {5126: "<f4", 5125: "<u4", 5123: "<u2", 5121: "u1"}
Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


class Glb:
    """A reader of its own, by the specification."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack_from("<I4s", data, 12)
        assert kind == b"JSON"
        self.json: dict[str, Any] = json.loads(data[20 : 20 + size])
        self.bin = data[28 + size :]
        self.names = {n["name"]: i for i, n in enumerate(self.json["nodes"])}
        self.parent = {c: i for i, n in enumerate(self.json["nodes"]) for c in n.get("children", [])}
        (animation,) = self.json["animations"]
        self.tracks = {
            (c["target"]["node"], c["target"]["path"]): animation["samplers"][c["sampler"]]
            for c in animation["channels"]
        }

    def array(self, index: int) -> np.ndarray:
        a = self.json["accessors"][index]
        view = self.json["bufferViews"][a["bufferView"]]
        width = _SIZES[a["type"]]
        rows = np.frombuffer(
            self.bin, _TYPES[a["componentType"]], a["count"] * width, view.get("byteOffset", 0)
        )
        return rows.reshape(a["count"], width)

    def local(self, node: int, frame: int) -> np.ndarray:
        n = self.json["nodes"][node]
        default = {"translation": [0, 0, 0], "rotation": [0, 0, 0, 1], "scale": [1, 1, 1]}
        at = {}
        for path, usual in default.items():
            track = self.tracks.get((node, path))
            at[path] = n.get(path, usual) if track is None else self.array(track["output"])[frame]
        out = np.eye(4)
        x, y, z, w = np.asarray(at["rotation"], float)
        out[:3, :3] = matrix_from_quaternion(np.array([w, x, y, z])) * np.asarray(at["scale"], float)
        out[:3, 3] = at["translation"]
        return out

    def whole(self, node: int, frame: int) -> np.ndarray:
        out = self.local(node, frame)
        while node in self.parent:
            node = self.parent[node]
            out = self.local(node, frame) @ out
        return out


@pytest.fixture(scope="module")
def glb(trajectory: Trajectory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(trajectory, "gltf", tmp_path_factory.mktemp("gltf") / "scene.glb")


def test_objects_are_where_the_trajectory_has_them(trajectory: Trajectory, glb: Path) -> None:
    file = Glb(glb)
    for name, node in ((CAN, "soup_can_1"), (BALL, "ball")):
        obj, poses = trajectory.objects[name], world_from_object(trajectory, name)
        shape = file.json["meshes"][file.json["nodes"][file.names[node]]["mesh"]]["primitives"][0]
        vertices = file.array(shape["attributes"]["POSITION"])[file.array(shape["indices"]).reshape(-1, 3)]
        for frame in range(trajectory.num_frames):
            pose = file.whole(file.names[node], frame)
            if not obj.valid[frame]:
                assert not pose[:3, :3].any()
                continue
            wanted = transform_points(Y_UP @ poses[frame], obj.mesh.vertices[obj.mesh.faces])
            np.testing.assert_allclose(transform_points(pose, vertices), wanted, atol=FLOAT32)


def test_times_are_seconds(trajectory: Trajectory, glb: Path) -> None:
    file = Glb(glb)
    for track in file.tracks.values():
        np.testing.assert_allclose(file.array(track["input"])[:, 0], trajectory.frame_times, atol=FLOAT32)
        a = file.json["accessors"][track["input"]]
        assert a["min"] == [0.0] and a["max"] == pytest.approx([trajectory.frame_times[-1]])


def test_joints_are_the_trajectorys(trajectory: Trajectory, glb: Path) -> None:
    file = Glb(glb)
    for side, hand in trajectory.hands.items():
        joints = transform_points(Y_UP, world_joints(trajectory, side))
        for frame in np.flatnonzero(hand.valid):
            for j, name in enumerate(JOINT_NAMES):
                found = file.whole(file.names[f"{side}_{name}"], int(frame))[:3, 3]
                np.testing.assert_allclose(found, joints[frame, j], atol=FLOAT32)


def test_skins_are_hands(trajectory: Trajectory, glb: Path) -> None:
    file = Glb(glb)
    for side in trajectory.hands:
        node = file.json["nodes"][file.names[f"{side}_skin"]]
        skin, shape = file.json["skins"][node["skin"]], file.json["meshes"][node["mesh"]]["primitives"][0]
        rest = file.array(shape["attributes"]["POSITION"]).astype(float)
        bone, weight = (file.array(shape["attributes"][k]) for k in ("JOINTS_0", "WEIGHTS_0"))
        np.testing.assert_allclose(weight.sum(1), 1.0, atol=FLOAT32)
        binds = file.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
        ours = hand_skin(trajectory, side)
        for frame in (3, 11):
            carried = np.stack([file.whole(j, frame) @ b for j, b in zip(skin["joints"], binds)])
            mixed = np.einsum("vk,vkij->vij", weight, carried[bone])
            found = np.einsum("vij,vj->vi", mixed[:, :3], np.column_stack([rest, np.ones(len(rest))]))
            wanted = transform_points(Y_UP, ours.vertices(frame))
            off = np.linalg.norm(found - wanted, axis=1)
            # Four bones a vertex are kept of those that carry it.
            assert np.median(off) < FLOAT32 and off.max() < 1.5e-3


def test_the_texture_is_the_one_that_was(trajectory: Trajectory, glb: Path) -> None:
    file, mesh = Glb(glb), trajectory.objects[CAN].mesh
    (image,) = file.json["images"]
    view = file.json["bufferViews"][image["bufferView"]]
    data = file.bin[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(data)).convert("RGB")), mesh.texture)
    shape = file.json["meshes"][file.json["nodes"][file.names["soup_can_1"]]["mesh"]]["primitives"][0]
    uv = file.array(shape["attributes"]["TEXCOORD_0"])[file.array(shape["indices"]).reshape(-1, 3)]
    np.testing.assert_allclose(uv * [1, -1] + [0, 1], mesh.uv, atol=FLOAT32)


def test_the_camera_sees_what_ours_sees(trajectory: Trajectory, glb: Path) -> None:
    file = Glb(glb)
    pose = Y_UP @ trajectory.world_from_camera
    found = file.whole(file.names["camera"], 0)
    np.testing.assert_allclose(found[:3, 3], pose[:3, 3], atol=FLOAT32)
    np.testing.assert_allclose(found[:3, 2], -pose[:3, 2], atol=FLOAT32)
    np.testing.assert_allclose(found[:3, 1], -pose[:3, 1], atol=FLOAT32)


def test_trimesh_and_our_reader_open_it(glb: Path) -> None:
    scene = trimesh.load(glb)
    assert {"soup_can_1", "ball", "right_hand"} <= set(scene.geometry)
    assert load_mesh(glb).texture is not None


def test_gltfs_own_library_reads_it(trajectory: Trajectory, glb: Path) -> None:
    pygltflib = pytest.importorskip("pygltflib")
    file = pygltflib.GLTF2().load(str(glb))
    assert [a.name for a in file.animations] == ["clip"] and len(file.skins) == 2
    blob = file.binary_blob()
    node = next(i for i, n in enumerate(file.nodes) if n.name == "ball")
    (channel,) = (
        c for c in file.animations[0].channels if c.target.node == node and c.target.path == "translation"
    )
    accessor = file.accessors[file.animations[0].samplers[channel.sampler].output]
    start = file.bufferViews[accessor.bufferView].byteOffset
    rows = np.frombuffer(blob, "<f4", accessor.count * 3, start).reshape(-1, 3)
    np.testing.assert_allclose(rows, world_from_object(trajectory, BALL)[:, :3, 3], atol=FLOAT32)


def test_hands_may_be_left_out(trajectory: Trajectory, tmp_path: Path) -> None:
    file = Glb(export(trajectory, "gltf", tmp_path / "a.glb", hands="joints"))
    assert "skins" not in file.json and "right_wrist" in file.names
    file = Glb(export(trajectory, "gltf", tmp_path / "b.glb", hands="skin"))
    assert len(file.json["skins"]) == 2 and "right_wrist" not in file.names
