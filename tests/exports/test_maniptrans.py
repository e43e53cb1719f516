"""The dictionaries hold what ManipTrans' data classes return, with its names and shapes."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from dexman_pose.data import JOINT_NAMES, Trajectory
from dexman_pose.errors import InputError
from dexman_pose.exports import export
from dexman_pose.exports.scene import world_from_object, world_joints
from dexman_pose.meshing import load_mesh

CAN, BALL = "soup can / 1", "ball"
FLOAT32 = 1e-6


@pytest.fixture(scope="module")
def folder(trajectory: Trajectory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(trajectory, "maniptrans", tmp_path_factory.mktemp("maniptrans"))


@pytest.mark.parametrize("side", ["left", "right"])
def test_hand_and_object(trajectory: Trajectory, folder: Path, side: str) -> None:
    entry = pickle.loads((folder / f"{side}_soup_can_1.pkl").read_bytes())
    n = trajectory.num_frames
    np.testing.assert_allclose(entry["obj_trajectory"], world_from_object(trajectory, CAN), atol=FLOAT32)
    joints = world_joints(trajectory, side)
    at = {name: joints[:, j] for j, name in enumerate(JOINT_NAMES)}
    mano = entry["mano_joints"]
    assert len(mano) == 20
    for theirs, ours in (
        ("thumb_proximal", "thumb_cmc"),
        ("index_intermediate", "index_pip"),
        ("pinky_tip", "pinky_tip"),
    ):
        np.testing.assert_allclose(mano[theirs], at[ours], atol=FLOAT32)
    behind = at["wrist"] - 0.25 * (at["middle_mcp"] - at["wrist"])
    np.testing.assert_allclose(entry["wrist_pos"], behind, atol=FLOAT32)
    assert entry["skip"] == pytest.approx(120 / 25) and entry["obj_verts"].shape == (1000, 3)
    assert entry["tips_distance"].shape == (n, 5)
    both = trajectory.hands[side].valid & trajectory.objects[CAN].valid
    np.testing.assert_array_equal(entry["valid"], both)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_wrist_turns_as_manos(trajectory: Trajectory, folder: Path, side: str) -> None:
    entry = pickle.loads((folder / f"{side}_ball.pkl").read_bytes())
    turned, joints = entry["wrist_rot"], world_joints(trajectory, side)
    np.testing.assert_allclose(
        turned @ turned.swapaxes(1, 2), np.tile(np.eye(3), (len(turned), 1, 1)), atol=1e-5
    )
    local = np.einsum("tji,tkj->tki", turned, joints - joints[:, :1])
    along = local[:, JOINT_NAMES.index("middle_mcp")]
    # In MANO's templates fingers point to -x in the right hand, to +x in the left, the thumb is at +z.
    assert (along[:, 0] * (1 if side == "left" else -1) > 0.07).all()
    assert (
        local[:, JOINT_NAMES.index("index_mcp"), 2] - local[:, JOINT_NAMES.index("pinky_mcp"), 2] > 0.03
    ).all()
    assert (local[:, JOINT_NAMES.index("middle_tip"), 1] < 0.01).all()  # bent to the palm, which faces -y


def test_meshes_and_urdf_lie_beside(trajectory: Trajectory, folder: Path) -> None:
    entry = pickle.loads((folder / "right_ball.pkl").read_bytes())
    mesh = load_mesh(folder / entry["obj_mesh_path"], "m")
    np.testing.assert_allclose(mesh.vertices, trajectory.objects[BALL].mesh.vertices, atol=1e-9)
    link = ElementTree.parse(folder / entry["obj_urdf_path"]).getroot()
    mass = link.find("link/inertial/mass")
    assert mass is not None and 0.04 < float(mass.get("value", 0)) < 500 * 4 / 3 * np.pi * 0.03**3
    radius = np.linalg.norm(entry["obj_verts"], axis=1)
    assert radius.min() > 0.028 and radius.max() < 0.0301


def test_without_gravity_or_hands_it_is_refused(trajectory: Trajectory, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs gravity"):
        export(replace(trajectory, table=None, world_from_camera=np.eye(4)), "maniptrans", tmp_path)
    with pytest.raises(InputError, match="needs a hand and an object"):
        export(replace(trajectory, hands={}, contacts=None), "maniptrans", tmp_path)
