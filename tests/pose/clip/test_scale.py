from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Camera, HandTrack, Mesh, PoseTrack
from dexman_pose.pose.clip.scale import moves_across, scale_from_hands

FRAMES = 60
CAMERA = Camera(np.array([[500.0, 0.0, 320.0], [0.0, 500.0, 240.0], [0.0, 0.0, 1.0]]), 640, 480)


def ball() -> Mesh:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400, 3))
    points *= 0.04 / np.linalg.norm(points, axis=1, keepdims=True)
    return Mesh(points, np.array([[0, 1, 2]]))


def track_of(at: np.ndarray) -> PoseTrack:
    poses = np.tile(np.eye(4), (len(at), 1, 1))
    poses[:, :3, 3] = at
    return PoseTrack(poses, np.ones(len(at), np.bool_), np.ones(len(at)))


def hand_over(at: np.ndarray, nearer: np.ndarray) -> HandTrack:
    """A hand whose tips are seen where the object is, at a share of its distance."""
    joints = at[:, None] * nearer[:, None, None] * np.ones((1, 21, 1))
    joints = joints + 0.0
    return HandTrack(
        side="right",
        joints=joints,
        joints_2d=CAMERA.project(joints),
        valid=np.ones(len(at), np.bool_),
        bridged=np.zeros(len(at), np.bool_),
        confidence=np.ones(len(at)),
        bone_lengths=np.ones(21),
    )


def carried() -> np.ndarray:
    """Twice as near as in truth: at rest, then carried to the side."""
    along = np.clip(np.arange(FRAMES) - 30, 0, None) * 0.004
    return np.stack([along, np.zeros(FRAMES), np.full(FRAMES, 0.5)], 1)


def test_the_frames_in_which_a_hand_moves_an_object_tell_its_size() -> None:
    at = carried()
    nearer = np.where(np.arange(FRAMES) < 30, 1.2, 2.0)  # it hovers in front before it takes hold
    found = scale_from_hands(track_of(at), ball(), CAMERA, {"right": hand_over(at, nearer)})
    assert found is not None and found.source == "hand" and not found.passed
    assert found.factor == pytest.approx(2.0, abs=0.03)


def test_of_a_hand_that_only_passes_the_farthest_counts() -> None:
    at = np.tile([0.0, 0.0, 0.5], (FRAMES, 1))
    nearer = np.linspace(1.0, 1.9, FRAMES)
    found = scale_from_hands(track_of(at), ball(), CAMERA, {"right": hand_over(at, nearer)})
    assert found is not None and found.passed
    assert found.factor == pytest.approx(1.81, abs=0.03)


def test_hands_over_what_somebody_moves_count_wherever_they_are_seen() -> None:
    at, track = carried(), track_of(carried())
    hand = hand_over(at, np.full(FRAMES, 2.0))
    hand.valid[32:] = False  # while it moves the hand is not seen
    found = scale_from_hands(track, ball(), CAMERA, {"right": hand})
    assert found is not None and not found.passed and found.factor == pytest.approx(2.0, abs=0.03)


def test_too_few_frames_tell_nothing() -> None:
    at = carried()
    hand = hand_over(at, np.full(FRAMES, 2.0))
    hand.valid[5:] = False
    assert scale_from_hands(track_of(at), ball(), CAMERA, {"right": hand}) is None
    assert scale_from_hands(track_of(at), ball(), CAMERA, {}) is None


@pytest.mark.parametrize("direction", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
def test_motion_along_the_line_of_sight_is_none(direction: Any) -> None:
    at = np.array([0.0, 0.0, 0.5]) + np.arange(FRAMES)[:, None] * 0.002 * np.array(direction)
    assert moves_across(track_of(at), ball()).all() == (direction[2] == 0.0)
    assert moves_across(track_of(at), ball()).any() == (direction[2] == 0.0)
