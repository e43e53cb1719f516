"""Contacts in measured grasps: the hand touches before the object moves, and still holds it at the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from dexman_pose.contact import detect_contacts
from dexman_pose.data import HandTrack, Mesh, PoseTrack, RigidObject
from dexman_pose.geometry import orthonormalize

# The files list fingers as index, middle, pinky, ring, thumb, then the tips.
ORDER = [0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20]


@pytest.mark.data
def test_contact_precedes_motion(data_dir: Path) -> None:
    files = sorted((data_dir / "grasps").glob("*.npz"))
    assert len(files) >= 5
    for file in files:
        with np.load(file) as data:
            poses, joints = orthonormalize(data["T_cam_obj"]), data["hand_joints_cam"][:, ORDER].astype(float)
            name, side, seen = str(data["object"]), str(data["side"]), data["hand_valid"].astype(bool)
        shape = trimesh.load(data_dir / "meshes" / "ycb" / name / "textured.obj", force="mesh", process=False)
        mesh = Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))
        n = len(poses)
        obj = RigidObject(name, mesh, PoseTrack(poses, np.ones(n, bool), np.ones(n)))
        hand = HandTrack(
            side, joints, np.zeros((n, 21, 2)), seen, np.zeros(n, bool), np.ones(n), np.zeros(21)
        )
        touching = detect_contacts({name: obj}, {side: hand}).touching[0].any(1)
        moved = np.linalg.norm(poses[:, :3, 3] - poses[0, :3, 3], axis=1) > 0.01
        assert moved.any() and not touching[0]
        assert np.argmax(touching) < np.argmax(moved) <= np.argmax(touching) + 25
        assert touching[np.argmax(moved) :].mean() > 0.9
        held = touching & seen & (np.arange(n) > n - 10)
        tips = joints[held][:, [4, 8, 12, 16, 20]]
        in_object = np.einsum("tji,tkj->tki", poses[held, :3, :3], tips - poses[held, None, :3, 3])
        drift = np.linalg.norm(in_object - in_object.mean(0), axis=-1).mean()
        assert held.any() and drift < 0.012  # rotations of another convention let the fingers slide by more
