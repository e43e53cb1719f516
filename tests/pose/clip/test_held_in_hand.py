from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Camera, Doubt, HandTrack, PoseTrack
from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.pose.clip.held_in_hand import CONFIDENCE, carried, follow_hand, holding_hand

FRAMES = 6


@pytest.fixture
def held() -> tuple[HandTrack, np.ndarray]:
    """A hand and an object that move together; the hand is lost in frame 4."""
    rng = np.random.default_rng(0)
    shape = 0.05 * rng.standard_normal((21, 3))
    t = np.arange(FRAMES)
    motion = se3(
        so3_exp(np.stack([0.2 * t, 0.1 * t, -0.1 * t], -1)), np.stack([0.02 * t, 0 * t, 0.6 + 0.01 * t], -1)
    )
    joints = shape @ np.swapaxes(motion[:, :3, :3], 1, 2) + motion[:, None, :3, 3]
    camera = Camera.from_focal(500.0, 640, 480)
    valid = t != 4
    hand = HandTrack(
        "right", joints, camera.project(joints), valid, np.zeros(FRAMES, bool), np.ones(FRAMES), np.ones(21)
    )
    return hand, motion @ se3(so3_exp([0.5, 0.3, 0.1]), [0.02, 0.01, 0.0])


def test_the_object_moves_with_the_hand(held: Any) -> None:
    hand, poses = held
    told = carried(hand, poses[1], 1)
    np.testing.assert_allclose(told[hand.valid], poses[hand.valid], atol=1e-9)
    np.testing.assert_allclose(told[4], poses[1])


def test_only_poses_that_fail_are_replaced(held: Any) -> None:
    hand, poses = held
    wrong = poses.copy()
    wrong[[2, 3, 4], :3, :3] = so3_exp([1.5, 0.0, 0.0]) @ poses[[2, 3, 4], :3, :3]
    wrong[5, :3, :3] = so3_exp([0.1, 0.0, 0.0]) @ poses[5, :3, :3]
    valid = np.array([True, True, True, False, True, True])
    track = PoseTrack(wrong, valid, np.ones(FRAMES), mask_iou=np.full(FRAMES, 0.88))
    found = follow_hand(track, hand, 0)
    off = rotation_angle(found.camera_from_object[:, :3, :3] @ np.swapaxes(poses[:, :3, :3], 1, 2))
    np.testing.assert_allclose(off, [0, 0, 0, 0, 1.5, 0.1], atol=1e-6)
    assert found.valid.all()
    np.testing.assert_allclose(found.confidence, [1, 1, CONFIDENCE, CONFIDENCE, 1, 1])
    sure = follow_hand(replace(track, mask_iou=np.full(FRAMES, 0.95)), hand, 0)
    np.testing.assert_allclose(sure.camera_from_object[2], wrong[2])


def test_a_doubted_pose_gives_way_to_the_hand(held: Any) -> None:
    hand, poses = held
    doubt = np.zeros(FRAMES, np.uint16)
    doubt[2] = Doubt.COLORS
    track = PoseTrack(poses, doubt == 0, np.ones(FRAMES), mask_iou=np.full(FRAMES, 0.95), doubt=doubt)
    found = follow_hand(track, hand, 0)
    assert found.doubt is not None and not found.doubt.any()
    assert found.valid.all() and found.confidence[2] == CONFIDENCE


def test_the_hand_at_the_object_is_chosen(held: Any, scene: Any) -> None:
    hand, _ = held
    camera = Camera.from_focal(500.0, 640, 480)
    middle = hand.joints[0].mean(0)
    pose = se3(np.eye(3), middle)
    far = HandTrack(
        "left",
        hand.joints + [0.8, 0, 0],
        hand.joints_2d + [900.0, 0.0],
        hand.valid,
        hand.bridged,
        hand.confidence,
        hand.bone_lengths,
    )
    found = holding_hand({"left": far, "right": hand}, scene.mesh.scaled(3.0), pose, camera, 0)
    assert found is hand
    assert holding_hand({"left": far}, scene.mesh.scaled(3.0), pose, camera, 0) is None
