"""Reading measured grasps: orders of joints, meshes by name, mirrors, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.synthetic.demo.files import DemoTruth
from dexman_pose.synthetic.grasps.recorded import RecordedGrasp, find_mesh, list_grasps, read_grasp


def test_joints_come_in_our_order(recorded: RecordedGrasp, tin_truth: DemoTruth) -> None:
    seen = recorded.valid
    np.testing.assert_allclose(
        recorded.joints[seen], tin_truth.joints[: recorded.num_frames][seen], atol=1e-12
    )
    assert (
        not seen[:2].any() and seen[2:].all() and recorded.side == "right" and recorded.object_name == "tin"
    )
    assert recorded.mesh.texture is not None


def test_the_mirror_changes_the_side_and_keeps_every_distance(recorded: RecordedGrasp) -> None:
    other = recorded.mirrored()
    assert other.side == "left"
    np.testing.assert_allclose(np.linalg.det(other.camera_from_object[:, :3, :3]), 1.0)
    for one in (recorded, other):
        inside = np.linalg.inv(one.camera_from_object)
        tips = transform_points(inside, one.joints)[-1]
        gap = np.linalg.norm(tips[:, None] - one.mesh.vertices, axis=-1).min(1)
        if one is recorded:
            expected = gap
    np.testing.assert_allclose(gap, expected, atol=1e-9)
    corners = other.mesh.vertices[other.mesh.faces]
    assert (
        np.einsum("fi,fi->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) > 0
    )  # still outside out
    again = other.mirrored()
    np.testing.assert_allclose(again.joints, recorded.joints)
    np.testing.assert_array_equal(again.mesh.faces, recorded.mesh.faces)
    assert again.mesh.uv is not None and recorded.mesh.uv is not None
    np.testing.assert_array_equal(again.mesh.uv, recorded.mesh.uv)


def test_meshes_are_found_by_name(grasp_folder: Path, tmp_path: Path) -> None:
    assert find_mesh(grasp_folder / "meshes", "tin").name == "tin.obj"
    (tmp_path / "cup.ply").write_bytes(b"")
    assert find_mesh(tmp_path, "cup") == tmp_path / "cup.ply"
    with pytest.raises(InputError, match="one mesh of 'mug'"):
        find_mesh(tmp_path, "mug")


def test_what_is_no_grasp_is_refused(grasp_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no grasps"):
        list_grasps(tmp_path)
    np.savez(tmp_path / "a.npz", T_cam_obj=np.eye(4)[None])
    with pytest.raises(InputError, match="lacks hand_joints_cam"):
        read_grasp(tmp_path / "a.npz", grasp_folder / "meshes")
    with np.load(grasp_folder / "grasps" / "tin.npz") as file:
        arrays = dict(file)
    for name, value in (("hand_joints_cam", np.zeros((3, 20, 3))), ("side", "both")):
        np.savez(tmp_path / "b.npz", **(arrays | {name: value}))
        with pytest.raises(InputError, match=r"b\.npz"):
            read_grasp(tmp_path / "b.npz", grasp_folder / "meshes")
    (tmp_path / "c.npz").write_bytes(b"no zip")
    with pytest.raises(InputError, match="no file of arrays"):
        read_grasp(tmp_path / "c.npz", grasp_folder / "meshes")
