"""The files are loaded as DexMachina loads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.contact import detect_contacts
from dexman_pose.data import JOINT_NAMES, Trajectory
from dexman_pose.errors import InputError
from dexman_pose.exports import export
from dexman_pose.exports.dexmachina import LINKS, PART
from dexman_pose.exports.scene import world_from_object, world_joints
from dexman_pose.geometry import inverse, matrix_from_quaternion, se3, transform_points

CAN, BALL = "soup can / 1", "ball"
EXACT = 1e-9


@pytest.fixture(scope="module")
def touched(trajectory: Trajectory) -> Trajectory:
    """The ball follows the tip of the right middle finger, 31 mm off, which is 1 mm above its surface."""
    right = trajectory.hands["right"]
    tip = right.joints[:, JOINT_NAMES.index("middle_tip")]
    poses = se3(np.tile(np.eye(3), (len(tip), 1, 1)), tip + [0.0, 0.031, 0.0])
    ball = trajectory.objects[BALL]
    objects = {BALL: replace(ball, track=replace(ball.track, camera_from_object=poses))}
    return replace(trajectory, objects=objects, contacts=detect_contacts(objects, trajectory.hands))


def load(path: Path) -> dict:
    return np.load(path, allow_pickle=True).item()


def test_poses(trajectory: Trajectory, tmp_path: Path) -> None:
    export(trajectory, "dexmachina", tmp_path)
    for name, plain in ((CAN, "soup_can_1"), (BALL, "ball")):
        params = load(tmp_path / f"{plain}_use_01.npy")["params"]
        wanted = world_from_object(trajectory, name)
        found = se3(matrix_from_quaternion(params["obj_quat"]), params["obj_trans"])
        np.testing.assert_allclose(found, wanted, atol=EXACT)
        assert params["obj_arti"].shape == (trajectory.num_frames,) and not params["obj_arti"].any()
        assert (np.sum(params["obj_quat"][1:] * params["obj_quat"][:-1], 1) > 0).all()


def test_joints_are_in_manos_order(trajectory: Trajectory, tmp_path: Path) -> None:
    export(trajectory, "dexmachina", tmp_path)
    world = load(tmp_path / "ball_use_01.npy")["world_coord"]
    for side in ("left", "right"):
        joints = world_joints(trajectory, side)
        for place, name in (
            (0, "wrist"),
            (1, "index_mcp"),
            (9, "pinky_dip"),
            (13, "thumb_cmc"),
            (16, "thumb_tip"),
        ):
            found = world[f"joints.{side}"][:, place]
            np.testing.assert_allclose(found, joints[:, JOINT_NAMES.index(name)], atol=EXACT)


def test_contacts_lie_on_the_object_and_at_the_link_that_touches(touched: Trajectory, tmp_path: Path) -> None:
    export(touched, "dexmachina", tmp_path)
    world = load(tmp_path / "ball_use_01.npy")["world_coord"]
    row = [name for name, _ in LINKS].index("middle3")
    links = world["contact_links_right"]
    assert links.shape == (touched.num_frames, 16, 4)
    assert (links[:, row, 3] == PART).all() and world["valid_contacts.right"].any(1).all()
    poses = world_from_object(touched, BALL)
    local = transform_points(inverse(poses), links[:, row, None, :3])[:, 0]
    assert (np.abs(np.linalg.norm(local, axis=1) - 0.03) < 1.5e-3).all()
    assert not world["contact_links_left"].any()


def test_without_gravity_it_is_refused(trajectory: Trajectory, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs gravity"):
        export(replace(trajectory, table=None, world_from_camera=np.eye(4)), "dexmachina", tmp_path)
