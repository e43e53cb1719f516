"""What all exporters share: names, filled frames, quaternions without jumps, and the skin of a hand."""

from __future__ import annotations

import numpy as np

from dexman_pose.data import Trajectory
from dexman_pose.exports.scene import (
    continuous_quaternions,
    frame_rate,
    held,
    plain_names,
    world_from_object,
    world_joints,
)
from dexman_pose.geometry import matrix_from_quaternion, so3_exp
from dexman_pose.hands.model.moving import PARENTS, hand_skin


def test_names_are_plain_and_differ() -> None:
    given = ["cup", "Cup", "soup can / 1", "123", "Tasse ü", "/", "cup 2", "cup_2"]
    found = plain_names(given)
    assert list(found) == given
    assert found["cup"] == "cup" and found["soup can / 1"] == "soup_can_1" and found["123"] == "object_123"
    assert all(name.isidentifier() and name.isascii() for name in found.values())
    assert len({name.lower() for name in found.values()}) == len(given)  # some disks know no case


def test_rows_that_are_not_valid_hold_the_one_before_or_the_first() -> None:
    rows = np.arange(6.0)
    valid = np.array([False, True, False, True, False, False])
    np.testing.assert_array_equal(held(rows, valid), [1, 1, 1, 3, 3, 3])
    np.testing.assert_array_equal(held(rows, np.zeros(6, bool)), rows)


def test_quaternions_do_not_jump() -> None:
    turned = so3_exp(np.linspace(0, 4 * np.pi, 200)[:, None] * np.array([0.2, -0.5, 0.84]))
    q = continuous_quaternions(turned)
    assert (np.sum(q[1:] * q[:-1], axis=1) > 0.9).all()
    np.testing.assert_allclose(matrix_from_quaternion(q), turned, atol=1e-9)


def test_frames_without_a_pose_are_filled(trajectory: Trajectory) -> None:
    poses = world_from_object(trajectory, "soup can / 1")
    np.testing.assert_array_equal(poses[0], poses[1])
    np.testing.assert_array_equal(poses[5], poses[4])
    np.testing.assert_array_equal(poses[6], poses[4])
    assert frame_rate(trajectory) == 25.0


def test_the_skin_of_a_fitted_hand_has_the_tracks_joints(trajectory: Trajectory) -> None:
    for side, nearest in (("right", 1e-9), ("left", 4e-3)):
        skin, hand = hand_skin(trajectory, side), trajectory.hands[side]
        assert skin.fitted == (side == "left")
        joints = skin.model.joints(skin.pose, skin.world_from_hand)
        off = np.linalg.norm(joints - world_joints(trajectory, side), axis=-1)[hand.valid]
        assert np.median(off) < nearest
        np.testing.assert_allclose(skin.weights.sum(1), 1.0, atol=1e-9)
        assert len(PARENTS) == skin.weights.shape[1] == len(skin.pivots) == 16
