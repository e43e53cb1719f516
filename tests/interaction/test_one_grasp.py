"""A hand that is turned wrongly in depth is laid on what it holds as all frames of the grip say together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import PoseTrack
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.hands.model.system import HandState
from dexman_pose.interaction.along_sight import Grip
from dexman_pose.interaction.hand_picture import HandPicture, own_place, place_of_own
from dexman_pose.interaction.one_grasp import with_one_grasp
from dexman_pose.interaction.options import GripOptions

FRAMES = 10


def pictured(scene: Any, options: GripOptions) -> tuple[HandPicture, HandState]:
    """What is seen, and the hand as it is, turned by 30 degrees about the camera's x."""
    hand = replace(scene.hand, joints=scene.joints)
    picture = HandPicture.of(hand, scene.seen, scene.camera, scene.times, options)
    state = picture.begin(options)
    palm = picture.joints_of(state)[:, [0, 5, 9, 13, 17]].mean(1)
    turn = so3_exp(np.array([0.5, 0.0, 0.0]))
    moved = se3(np.tile(turn, (FRAMES, 1, 1)), palm - palm @ turn.T)
    places = place_of_own(moved @ own_place(state, picture.side), picture.side)
    return picture, replace(state, frame_from_hand=places)


def error(joints: Array, scene: Any) -> float:
    """Metres, mean over joints, wrists brought together."""
    own, true = joints - joints[:, :1], scene.joints - scene.joints[:, :1]
    return float(np.linalg.norm(own - true, axis=-1).mean())


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_wrong_turn_is_undone(grasp: Callable[..., Any], side: str) -> None:
    scene, options = grasp(side, frames=FRAMES), GripOptions()
    picture, state = pictured(scene, options)
    grip = Grip(scene.bar, np.ones(FRAMES, bool), np.ones(FRAMES))
    found = with_one_grasp(picture, state, [grip], options)
    assert error(picture.joints_of(state), scene) > 0.025
    assert error(picture.joints_of(found.state), scene) < 0.010
    assert np.isfinite(found.like.sigma).all()
    np.testing.assert_allclose(found.like.joints, picture.joints_of(found.state), atol=1e-9)


def test_a_way_that_the_picture_contradicts_is_not_taken(grasp: Callable[..., Any]) -> None:
    scene, options = grasp(frames=FRAMES), GripOptions()
    picture, state = pictured(scene, options)
    poses = scene.bar.camera_from_object.copy()
    poses[:, 0, 3] += 0.08 * np.arange(FRAMES)  # the thing leaves
    leaving = replace(scene.bar, track=PoseTrack(poses, np.ones(FRAMES, bool), np.ones(FRAMES)))
    grip = Grip(leaving, np.ones(FRAMES, bool), np.ones(FRAMES))
    found = with_one_grasp(picture, state, [grip], options)
    np.testing.assert_array_equal(found.state.frame_from_hand, state.frame_from_hand)
    assert np.isinf(found.like.sigma).all()


def test_short_grips_are_left_alone(grasp: Callable[..., Any]) -> None:
    scene, options = grasp(frames=FRAMES), GripOptions()
    picture, state = pictured(scene, options)
    grip = Grip(scene.bar, np.arange(FRAMES) < options.one.fewest - 1, np.ones(FRAMES))
    found = with_one_grasp(picture, state, [grip], options)
    np.testing.assert_array_equal(found.state.frame_from_hand, state.frame_from_hand)
