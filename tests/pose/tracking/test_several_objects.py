"""Objects that hide each other, symmetric objects that do not jump."""

from __future__ import annotations

from typing import Any

import numpy as np
import trimesh

from dexman_pose.data import OCCLUDER, Clip, MaskSequence, Mesh
from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.pose import track
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.tracking.clip_tracker import hidden_by
from dexman_pose.pose.tracking.object_tracker import ObjectTracker
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.render import Rasterizer


def tracker_at(scene: Any, pose: Any, label: int) -> ObjectTracker:
    refiner = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)
    out = ObjectTracker(TrackedObject(refiner, scene.camera, label))
    out.state.pose = pose
    return out


def test_a_nearer_object_hides_what_is_behind_it(scene: Any) -> None:
    far = tracker_at(scene, scene.pose_at((0.3, 0.2, 0.1), (0.0, 0.0, 0.45)), 1)
    near = tracker_at(scene, scene.pose_at((0.1, 0.4, 0.2), (0.02, 0.0, 0.30)), 2)
    labels = np.zeros((scene.camera.height, scene.camera.width), np.uint8)
    _, drawn, _ = scene.picture(scene.mesh, near.state.pose)
    hidden = hidden_by(labels, far, [near])
    np.testing.assert_array_equal(hidden == OCCLUDER, drawn == 1)
    assert (labels == 0).all()
    assert hidden_by(labels, near, [far]) is labels


def test_objects_apart_do_not_hide_each_other(scene: Any) -> None:
    left = tracker_at(scene, scene.pose_at((0.3, 0.2, 0.1), (-0.10, 0.0, 0.45)), 1)
    right = tracker_at(scene, scene.pose_at((0.1, 0.4, 0.2), (0.08, 0.0, 0.30)), 2)
    labels = np.zeros((scene.camera.height, scene.camera.width), np.uint8)
    assert hidden_by(labels, left, [right]) is labels


def test_a_plain_box_does_not_jump_between_its_twins(scene: Any) -> None:
    """Hidden for two frames in the middle, so that it is searched for again."""
    box = trimesh.creation.box((0.05, 0.07, 0.1)).subdivide().subdivide()
    mesh = Mesh(np.asarray(box.vertices), np.asarray(box.faces))
    poses = [
        se3(so3_exp([0.6 + 0.03 * t, 0.7, 0.3 - 0.02 * t]), [-0.02 + 0.004 * t, 0.0, 0.4]) for t in range(12)
    ]
    masks = MaskSequence(("box",), scene.camera.height, scene.camera.width, len(poses))
    frames = []
    for t, pose in enumerate(poses):
        image, labels, _ = scene.picture(mesh, pose)
        frames.append(image)
        masks.set(t, np.zeros_like(labels) if t in (5, 6) else labels)
        masks.confidence[t] = float(t not in (5, 6))
    found = track(mesh, Clip.from_frames(np.stack(frames)), masks, scene.camera, start=poses[0])
    assert not found.valid[[5, 6]].any() and found.valid[[4, 7, 11]].all()
    seen = np.nonzero(found.valid)[0]
    turns = found.camera_from_object[seen, :3, :3]
    steps = np.degrees(rotation_angle(np.swapaxes(turns[:-1], 1, 2) @ turns[1:]))
    assert steps.max() < 12.0
    errors = [rotation_angle(found.camera_from_object[t, :3, :3].T @ poses[t][:3, :3]) for t in seen]
    assert np.degrees(max(errors)) < 5.0
