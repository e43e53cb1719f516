"""Metric hands from exact observations of articulated hands: depth, pose and bones must come back."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hand_scenes import articulated

from dexman_pose.data import Camera, HandObservations
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.errors import InputError
from dexman_pose.geometry import so3_exp
from dexman_pose.hands import lift_hands
from dexman_pose.hands.lifting.bones import AVERAGE_LENGTHS, ancestry, bone_vectors, hand_length
from dexman_pose.hands.lifting.observation import to_rays, towards

LEFT, RIGHT = 0, 1
CAMERA = Camera.from_focal(600.0, 640, 480)


def _moving_hand(n: int = 24, lengths: np.ndarray = AVERAGE_LENGTHS) -> np.ndarray:
    """(n, 21, 3) a hand that turns, closes and comes nearer, in the camera frame."""
    out = np.zeros((n, 21, 3))
    for i in range(n):
        s = i / max(n - 1, 1)
        rotation = so3_exp([0.3 + 0.5 * s, 0.4 - 0.7 * s, 0.2 * s])
        out[i] = articulated(0.1 + 0.25 * s, lengths) @ rotation.T + [0.1 - 0.25 * s, 0.05, 0.8 - 0.2 * s]
    return out


def _observe(joints: np.ndarray, side: int = RIGHT, camera: Camera = CAMERA) -> HandObservations:
    """What a perfect detector would say: exact pixels, and the hand as seen along the ray to its palm."""
    n = len(joints)
    pixels, local = np.zeros((n, 2, 21, 2)), np.zeros((n, 2, 21, 3))
    detected = np.zeros((n, 2), dtype=bool)
    detected[:, side] = True
    pixels[:, side] = camera.project(joints)
    palm = to_rays(pixels[:, side][:, [0, 5, 9, 13, 17]], camera).mean(1)
    local[:, side] = (joints - joints.mean(1, keepdims=True)) @ towards(palm)
    return HandObservations(pixels, local, detected, np.zeros_like(detected), detected.astype(float))


def _lengths(joints: np.ndarray) -> np.ndarray:
    return np.linalg.norm(bone_vectors(joints), axis=-1)


def test_exact_recovery() -> None:
    truth = _moving_hand()
    track = lift_hands(_observe(truth), CAMERA)["right"]
    assert np.linalg.norm(track.joints - truth, axis=-1).max() < 1e-3
    assert np.abs(track.joints[:, 0, 2] / truth[:, 0, 2] - 1).max() < 1e-3
    assert track.valid.all() and track.scale_source == "hand"
    assert track.confidence.min() > 0.95


def test_bones_are_constant_whatever_was_seen() -> None:
    truth = _moving_hand()
    seen = _observe(truth)
    rng = np.random.default_rng(1)
    seen.joints_2d[:, RIGHT] += rng.normal(0, 3, (len(truth), 21, 2))
    seen.joints_local[:, RIGHT] += rng.normal(0, 0.008, (len(truth), 21, 3))
    track = lift_hands(seen, CAMERA)["right"]
    assert np.ptp(_lengths(track.joints), axis=0).max() < 1e-9
    assert _lengths(track.joints)[0] == pytest.approx(track.bone_lengths[1:], abs=1e-9)
    assert track.bone_lengths[0] == 0.0
    assert np.median(np.linalg.norm(CAMERA.project(track.joints) - track.joints_2d, axis=-1)) < 3.0


def test_proportions_of_the_person_are_found() -> None:
    lengths = AVERAGE_LENGTHS.copy()
    lengths[[6, 10, 14, 18]] *= 1.2  # long first phalanges
    lengths *= hand_length(AVERAGE_LENGTHS) / hand_length(lengths)
    truth = _moving_hand(40, lengths)
    track = lift_hands(_observe(truth), CAMERA)["right"]
    assert track.bone_lengths == pytest.approx(lengths, abs=1.5e-3)
    assert np.median(np.abs(track.joints[:, 0, 2] / truth[:, 0, 2] - 1)) < 0.01


def test_size_scales_distance() -> None:
    truth = _moving_hand(12, AVERAGE_LENGTHS * 0.8)
    average = lift_hands(_observe(truth), CAMERA)["right"]
    assert average.joints[:, 0, 2] == pytest.approx(truth[:, 0, 2] / 0.8, rel=5e-3)
    given = lift_hands(_observe(truth), CAMERA, hand_scale=0.8)["right"]
    assert given.joints[:, 0, 2] == pytest.approx(truth[:, 0, 2], rel=5e-3)
    assert given.scale_source == "given"
    with pytest.raises(InputError, match="hand_scale"):
        lift_hands(_observe(truth), CAMERA, hand_scale=-1.0)


def test_depth_images_fix_the_size() -> None:
    truth = _moving_hand(12, AVERAGE_LENGTHS * 0.85)
    images = np.zeros((12, 480, 640), dtype=np.float32)
    for image, joints in zip(images, truth):
        for (x, y), z in zip(np.round(CAMERA.project(joints)).astype(int), joints[:, 2]):
            image[y - 3 : y + 4, x - 3 : x + 4] = z - 0.01  # the skin
        image[:40] = 3.0
    track = lift_hands(_observe(truth), CAMERA, depth=DepthSequence.from_arrays(images))["right"]
    assert track.scale_source == "depth"
    assert np.median(np.abs(track.joints[:, 0, 2] - truth[:, 0, 2])) < 0.01
    assert hand_length(track.bone_lengths) / hand_length(AVERAGE_LENGTHS) == pytest.approx(0.85, abs=0.02)


def test_empty_depth_images_change_nothing() -> None:
    truth = _moving_hand(8)
    nothing = DepthSequence.from_arrays(np.zeros((8, 480, 640), dtype=np.float32))
    assert lift_hands(_observe(truth), CAMERA, depth=nothing)["right"].scale_source == "hand"


def test_left_hand_and_frames_without_a_hand() -> None:
    truth = _moving_hand(20) * [-1, 1, 1]
    seen = _observe(truth, LEFT)
    seen.detected[5:12] = False
    seen.bridged[5:7, LEFT] = True
    tracks = lift_hands(seen, CAMERA)
    assert set(tracks) == {"left"}
    track = tracks["left"]
    assert np.flatnonzero(~track.valid).tolist() == [7, 8, 9, 10, 11]
    assert track.bridged.sum() == 2
    assert np.array_equal(track.joints[7], track.joints[6]) and np.array_equal(
        track.joints[11], track.joints[12]
    )
    assert (track.confidence[7:12] == 0).all()


def test_no_hand_at_all() -> None:
    empty = np.zeros((5, 2), dtype=bool)
    seen = HandObservations(
        np.zeros((5, 2, 21, 2)), np.zeros((5, 2, 21, 3)), empty, empty, empty.astype(float)
    )
    assert lift_hands(seen, CAMERA) == {}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_very_few_frames(n: int) -> None:
    truth = _moving_hand(n)
    track = lift_hands(_observe(truth), CAMERA)["right"]
    assert np.linalg.norm(track.joints - truth, axis=-1).max() < 8e-3


def test_an_outlier_joint_does_not_move_the_hand() -> None:
    truth = _moving_hand()
    seen = _observe(truth)
    seen.joints_2d[:, RIGHT, 8] += [80.0, -60.0]
    track = lift_hands(seen, CAMERA)["right"]
    others = [j for j in range(21) if j not in (6, 7, 8)]
    assert np.median(np.linalg.norm(track.joints - truth, axis=-1)[:, others]) < 0.015


def test_distorted_lens() -> None:
    cv2 = pytest.importorskip("cv2")
    lens = Camera(CAMERA.K, 640, 480, distortion=np.array([-0.25, 0.08, 0.001, -0.001]))
    truth = _moving_hand(10)
    seen = _observe(truth)
    flat, _ = cv2.projectPoints(truth.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), lens.K, lens.distortion)
    seen.joints_2d[:, RIGHT] = flat.reshape(10, 21, 2)
    track = lift_hands(seen, lens)["right"]
    assert np.linalg.norm(track.joints - truth, axis=-1).max() < 5e-3


def test_ancestry_rebuilds_joints() -> None:
    joints = articulated(0.3)
    assert np.allclose(ancestry() @ bone_vectors(joints), joints - joints[0])
    assert len(JOINT_PARENTS) == 21


def test_fast_enough() -> None:
    seen = _observe(_moving_hand(200))
    start = time.process_time()
    lift_hands(seen, CAMERA)
    assert (time.process_time() - start) / 200 < 0.06  # 15 ms on a quiet machine; tests share theirs
