"""A followed object's distance, by its colours, where its outline was found too far inside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from dexman_pose.data import Clip, MaskSequence, PoseTrack
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.refinement.settled import SettleOptions, distance_factor, settled_track

TURNS = (0.3, 0.4, 0.5)


@pytest.fixture(scope="module")
def filmed(scene: Any) -> tuple[PoseTrack, ObjectClip]:
    """The object in three frames, and its true track."""
    poses = np.stack([scene.pose_at((0.4, turn, 0.2), (0.03, -0.02, 0.32)) for turn in TURNS])
    frames, labels = [], []
    for pose in poses:
        image, mask, _ = scene.picture(scene.mesh, pose)
        frames.append(cv2.GaussianBlur(image, (0, 0), 1.0))
        labels.append(mask)
    height, width = labels[0].shape
    masks = MaskSequence(("it",), height, width, len(poses), np.ones((len(poses), 1), np.float32))
    for index, mask in enumerate(labels):
        masks.set(index, mask)
    clip = ObjectClip(Clip.from_frames(np.stack(frames)), masks, "it", scene.camera)
    return PoseTrack(poses, np.ones(len(poses), bool), np.ones(len(poses))), clip


def at_distance(scene: Any, track: PoseTrack, factor: float) -> PoseTrack:
    poses = track.camera_from_object.copy()
    center = poses[:, :3, :3] @ scene.mesh.center + poses[:, :3, 3]
    poses[:, :3, 3] += (factor - 1.0) * center
    return replace(track, camera_from_object=poses)


@pytest.mark.parametrize("off", [1.02, 1.04])
def test_an_object_too_far_away_comes_nearer(scene: Any, filmed: Any, off: float) -> None:
    true, clip = filmed
    rasterizer = refiner_for(scene.mesh).rasterizer
    factor = distance_factor(rasterizer, at_distance(scene, true, off), clip)
    assert factor * off == pytest.approx(1.0, abs=0.006)
    far = at_distance(scene, true, off)
    found = settled_track(rasterizer, far, far, clip)
    np.testing.assert_allclose(found.camera_from_object, true.camera_from_object, atol=0.006 * 0.33)


@pytest.mark.parametrize("off", [0.97, 1.0, 1.008])
def test_what_is_right_or_too_near_stays(scene: Any, filmed: Any, off: float) -> None:
    true, clip = filmed
    track = at_distance(scene, true, off)
    found = settled_track(refiner_for(scene.mesh).rasterizer, track, track, clip)
    assert found is track


def test_the_nearer_of_two_distances_is_taken_where_it_agrees(scene: Any, filmed: Any) -> None:
    true, clip = filmed
    rasterizer = refiner_for(scene.mesh).rasterizer
    never = SettleOptions(agreed=2.0)  # by colours alone nothing is changed
    far = at_distance(scene, true, 1.05)
    again = replace(far, valid=np.array([True, True, False]))
    found = settled_track(rasterizer, true, again, clip, never)
    np.testing.assert_allclose(found.camera_from_object[:2], true.camera_from_object[:2], atol=1e-9)
    np.testing.assert_array_equal(found.camera_from_object[2], far.camera_from_object[2])
    np.testing.assert_array_equal(found.valid, again.valid)
    near = at_distance(scene, true, 0.9)  # where the picture plainly does not show it
    assert settled_track(rasterizer, near, true, clip, never) is true


def test_a_plain_mesh_says_nothing(scene: Any, filmed: Any) -> None:
    true, clip = filmed
    plain = replace(scene.mesh, vertex_colors=np.full_like(scene.mesh.vertex_colors, 128))
    far = at_distance(scene, true, 1.04)
    assert distance_factor(refiner_for(plain).rasterizer, far, clip) == 1.0
    nothing = replace(far, valid=np.zeros(len(far), bool))
    assert settled_track(refiner_for(scene.mesh).rasterizer, nothing, nothing, clip) is nothing
