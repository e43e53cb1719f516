"""A hand that is turned over for a stretch of a grip is laid on the thing as in the rest, if the picture allows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import HandObservations, Mesh
from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandTrack, PoseTrack, RigidObject
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.interaction.along_sight import Grip
from dexman_pose.interaction.hand_picture import HandPicture, own_place
from dexman_pose.interaction.options import GraspOptions, GripOptions
from dexman_pose.interaction.same_grasp import with_same_grasp

FRAMES = 30
ODD = slice(12, 18)


@pytest.fixture(scope="module", params=["right", "left"])
def scene(request: pytest.FixtureRequest) -> tuple[HandPicture, Any, Grip]:
    """A hand that carries a thing sideways, seen as it is; the state that the picture alone says; the grip."""
    side = request.param
    model = HandModel(side, resolution=0.005)
    pose = model.pose(finger_flexion=0.5)
    shift = np.stack([0.004 * np.arange(FRAMES), np.zeros(FRAMES), np.full(FRAMES, 0.5)], 1)
    places = se3(so3_exp([0.0, 0.3, 0.2]), shift)
    joints = model.joints(np.broadcast_to(pose, (FRAMES, 15, 3)), places)
    camera = Camera.from_focal(600, 640, 480)
    seen2d = np.zeros((FRAMES, 2, 21, 2))
    local = np.zeros((FRAMES, 2, 21, 3))
    k = ("left", "right").index(side)
    seen2d[:, k] = camera.project(joints.reshape(-1, 3)).reshape(FRAMES, 21, 2)
    local[:, k] = joints - joints.mean(1, keepdims=True)
    known = np.zeros((FRAMES, 2), np.bool_)
    known[:, k] = True
    observations = HandObservations(seen2d, local, known, ~known & False, known.astype(float))
    all_ = np.ones(FRAMES, np.bool_)
    track = HandTrack(
        side, joints, seen2d[:, k], all_, ~all_, all_.astype(float), np.append(0.0, np.full(20, 0.03))
    )
    options = GripOptions()
    picture = HandPicture.of(track, observations, camera, np.arange(FRAMES) / 30.0, options)
    state = picture.begin(options)
    corners = 0.03 * np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    mesh = Mesh(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    poses = se3(np.eye(3), shift)
    thing = RigidObject("cup", mesh, PoseTrack(poses, all_, all_.astype(float)))
    return picture, state, Grip(thing, all_, np.ones(FRAMES))


def turned(picture: HandPicture, state: Any, by: float) -> Any:
    """The state with the hand turned about its wrist in the odd frames."""
    places = state.frame_from_hand.copy()
    places[ODD, :3, :3] = places[ODD, :3, :3] @ so3_exp([0.0, by, 0.0])
    return replace(state, frame_from_hand=places)


def test_a_stretch_that_is_turned_over_is_laid_back(scene: tuple[HandPicture, Any, Grip]) -> None:
    picture, state, grip = scene
    odd = turned(picture, state, 0.9)
    found = with_same_grasp(picture, odd, [grip], GraspOptions())
    right, wrong, mended = (picture.joints_of(s) for s in (state, odd, found))
    assert np.linalg.norm(wrong[ODD] - right[ODD], axis=-1).mean() > 0.04
    assert np.linalg.norm(mended[ODD] - right[ODD], axis=-1).max() < 0.006
    rest = np.r_[0 : ODD.start, ODD.stop : FRAMES]
    np.testing.assert_array_equal(mended[rest], wrong[rest])
    np.testing.assert_allclose(
        own_place(found, picture.side)[ODD], own_place(state, picture.side)[ODD], atol=0.02
    )


def test_the_picture_has_the_last_word(scene: tuple[HandPicture, Any, Grip]) -> None:
    picture, state, grip = scene
    rays = picture.rays.copy()
    odd = turned(picture, state, 0.9)
    other = picture.joints_of(odd)
    rays[ODD] = (other[..., :2] / other[..., 2:])[ODD]  # it is seen turned
    seen = replace(picture, rays=rays)
    found = with_same_grasp(seen, odd, [grip], GraspOptions())
    np.testing.assert_array_equal(found.frame_from_hand, odd.frame_from_hand)


def test_without_a_usual_way_nothing_changes(scene: tuple[HandPicture, Any, Grip]) -> None:
    picture, state, grip = scene
    poses = grip.thing.camera_from_object.copy()
    poses[:, 0, 3] = np.random.default_rng(0).uniform(-0.3, 0.3, FRAMES)
    track = replace(grip.thing.track, camera_from_object=poses)
    loose = replace(grip, thing=replace(grip.thing, track=track))
    odd = turned(picture, state, 0.9)
    found = with_same_grasp(picture, odd, [loose], GraspOptions())
    np.testing.assert_array_equal(found.frame_from_hand, odd.frame_from_hand)
    none = replace(grip, gripped=np.zeros(FRAMES, np.bool_))
    assert with_same_grasp(picture, odd, [none], GraspOptions()) is odd
