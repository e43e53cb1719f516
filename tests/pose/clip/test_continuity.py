"""Frames that no object can have moved through."""

from __future__ import annotations

import numpy as np

from dexman_pose.data import PoseTrack
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose.clip.continuity import connected_frames, moved_frames
from dexman_pose.pose.clip.options import ContinuityOptions

FRAMES = 60
TIMES = np.arange(FRAMES) / 30.0
CENTER = np.array([0.0, 0.01, 0.0])
Array = np.ndarray


def steady() -> Array:
    t = np.arange(FRAMES)
    turn = so3_exp(np.stack([0.1 * t, 0 * t, 0 * t], -1))
    return se3(turn, np.stack([0.01 * t, 0 * t, 0.6 + 0 * t], -1))


def connected(poses: Array, valid: Array | None = None) -> Array:
    ok = np.ones(FRAMES, bool) if valid is None else valid
    track = PoseTrack(poses, ok, ok.astype(float))
    return connected_frames(track, CENTER, TIMES, ContinuityOptions())


def test_motion_of_a_hand_is_connected() -> None:
    assert connected(steady()).all()


def test_a_short_run_that_jumps_away_and_back_is_not_valid() -> None:
    poses = steady()
    poses[20:24, 0, 3] += 0.3
    expected = np.ones(FRAMES, bool)
    expected[20:24] = False
    np.testing.assert_array_equal(connected(poses), expected)


def test_a_flip_is_a_jump_too() -> None:
    poses = steady()
    poses[40, :3, :3] = so3_exp([0.0, 2.5, 0.0]) @ poses[40, :3, :3]
    assert not connected(poses)[40] and connected(poses).sum() == FRAMES - 1


def test_where_two_long_runs_meet_both_ends_go() -> None:
    poses = steady()
    poses[30:, 0, 3] += 0.15
    ok = connected(poses)
    assert not ok[29] and not ok[30]
    assert ok[:27].all() and ok[33:].all()


def test_a_gap_gives_time_to_move() -> None:
    poses, valid = steady(), np.ones(FRAMES, bool)
    valid[25:35] = False
    poses[35:, 0, 3] += 0.3
    np.testing.assert_array_equal(connected(poses, valid), valid)


def test_moved_frames_look_at_the_centre_and_the_rotation() -> None:
    before = steady()
    after = before.copy()
    after[3, :3, :3] = so3_exp([0.0, 0.0, 0.2]) @ after[3, :3, :3]
    after[3, :3, 3] = before[3, :3, :3] @ CENTER + before[3, :3, 3] - after[3, :3, :3] @ CENTER
    after[5, 0, 3] += 0.01
    found = moved_frames(before, after, CENTER, 0.005, 0.1)
    assert np.nonzero(found)[0].tolist() == [3, 5]
    assert np.nonzero(moved_frames(before, after, CENTER, 0.005, 0.3))[0].tolist() == [5]
