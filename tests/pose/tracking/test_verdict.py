"""Flags from signals alone: no pictures, no tracker."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from dexman_pose.data import PoseTrack
from dexman_pose.data.doubt import Doubt, pose_doubted
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.tracking.signals import FrameSignals, TrackSignals
from dexman_pose.pose.tracking.verdict import JudgedTrack, judge, judged_again, tracked_again

T = 20
LATER = slice(8, T)


def signals(**levels: Any) -> TrackSignals:
    """Good signals of a textured mesh, but for those given: a number, or (T,) numbers."""
    usual: dict[str, Any] = {f.name: np.full(T, np.nan) for f in fields(FrameSignals)}
    usual |= {"overlap": 0.98, "colors": 0.85, "edges": 0.65, "known": 1.0}
    usual |= {"hues": np.full((T, 24), 1 / 8)} | levels
    return TrackSignals(**{k: np.array(np.broadcast_to(v, (T, *np.shape(v)[1:]))) for k, v in usual.items()})


def later(before: float, after: float) -> np.ndarray:
    values = np.full(T, before)
    values[LATER] = after
    return values


def track(found: TrackSignals, *, colored: bool = True, **changes: Any) -> JudgedTrack:
    poses = np.stack([se3(so3_exp([0.0, 0.01 * t, 0.0]), [0.002 * t, 0.0, 0.5]) for t in range(T)])
    made = JudgedTrack(
        poses,
        np.ones(T, bool),
        found,
        0,
        colored,
        False,
        np.zeros(3),
        SymmetryGroup.trivial(),
        given=poses[0],
    )
    return replace(made, **changes)


def has(doubt: np.ndarray, reason: Doubt) -> np.ndarray:
    return (doubt & np.uint16(reason)) != 0


def test_a_good_track_has_no_doubts() -> None:
    assert not judge(track(signals())).any()
    assert not judge(track(signals(colors=np.nan), colored=False)).any()


def test_frames_without_a_pose_say_so() -> None:
    tracked = np.ones(T, bool)
    tracked[5:7] = False
    np.testing.assert_array_equal(has(judge(track(signals(), tracked=tracked)), Doubt.NO_POSE), ~tracked)
    assert pose_doubted(judge(track(signals(), tracked=np.zeros(T, bool)))).all()


def test_a_mask_that_goes_elsewhere_loses_the_mask_and_not_a_textured_pose() -> None:
    doubt = judge(track(signals(overlap=later(0.98, 0.17))))
    np.testing.assert_array_equal(np.nonzero(has(doubt, Doubt.MASK_LOST))[0], np.arange(8, T))
    assert not pose_doubted(doubt).any()
    plain = judge(track(signals(overlap=later(0.98, 0.17), colors=np.nan), colored=False))
    np.testing.assert_array_equal(np.nonzero(pose_doubted(plain))[0], np.arange(8, T))


def test_colours_refute_a_textured_pose_whatever_its_overlap() -> None:
    doubt = judge(track(signals(colors=later(0.85, 0.1))))
    np.testing.assert_array_equal(np.nonzero(has(doubt, Doubt.COLORS))[0], np.arange(8, T))


def test_points_of_the_texture_confirm_a_pose_that_something_unnamed_covers_in_part() -> None:
    covered = {"overlap": later(0.98, 0.5), "colors": later(0.85, 0.2), "edges": later(0.65, 0.55)}
    assert pose_doubted(judge(track(signals(**covered, points=later(90.0, 10.0)))))[LATER].all()
    doubt = judge(track(signals(**covered, points=later(90.0, 60.0))))
    assert not pose_doubted(doubt).any() and has(doubt, Doubt.MASK_LOST)[LATER].all()


def test_other_colours_in_its_place_refute_a_plain_object_and_slow_light_does_not() -> None:
    hues = np.zeros((T, 24))
    hues[:, [0, 8, 16]] = 1.0
    hues[LATER] = np.roll(hues[LATER], 3, axis=1)
    edges = later(0.65, 0.56)
    doubt = judge(track(signals(hues=hues, edges=edges, colors=np.nan), colored=False))
    np.testing.assert_array_equal(np.nonzero(has(doubt, Doubt.COLORS))[0], np.arange(8, T))
    share = np.linspace(0.0, 1.0, T)[:, None]
    slow = (1 - share) * hues[:1] + share * hues[-1:]
    assert not judge(track(signals(hues=slow, colors=np.nan), colored=False)).any()


def test_depth_refutes() -> None:
    doubt = judge(track(signals(depth_agrees=later(0.98, 0.1), depth_behind=later(0.0, 0.9))))
    np.testing.assert_array_equal(np.nonzero(has(doubt, Doubt.DEPTH))[0], np.arange(8, T))


def test_a_jump_is_doubted_until_it_comes_back_unless_colours_confirm_it() -> None:
    plain = track(signals(colors=np.nan), colored=False)
    poses = plain.poses.copy()
    poses[8:14, 0, 3] += 0.3
    doubt = judge(replace(plain, poses=poses))
    np.testing.assert_array_equal(np.nonzero(pose_doubted(doubt))[0], np.arange(8, 14))
    assert not judge(track(signals(), poses=poses)).any()


def test_what_was_lost_needs_more_to_be_believed_again() -> None:
    overlap = np.full(T, 0.98)
    overlap[8:10], overlap[10:15] = 0.5, 0.89
    doubt = judge(track(signals(overlap=overlap, colors=np.nan), colored=False))
    np.testing.assert_array_equal(np.nonzero(pose_doubted(doubt))[0], np.arange(8, 15))
    overlap[8:10] = 0.98
    assert not judge(track(signals(overlap=overlap, colors=np.nan), colored=False)).any()


def test_a_jump_while_out_of_sight_is_in_reach() -> None:
    plain = track(signals(colors=np.nan), colored=False)
    poses, tracked = plain.poses.copy(), np.ones(T, bool)
    poses[8:, 0, 3] += 0.2
    tracked[4:8] = False
    np.testing.assert_array_equal(pose_doubted(judge(replace(plain, poses=poses, tracked=tracked))), ~tracked)


def test_one_frame_off_the_way_is_an_outlier() -> None:
    made = track(signals())
    poses = made.poses.copy()
    poses[9, 1, 3] += 0.04
    assert np.nonzero(judge(replace(made, poses=poses)))[0].tolist() == [9]


def test_a_mesh_that_explains_no_mask_is_doubted_as_a_whole() -> None:
    doubt = judge(track(signals(overlap=0.68, colors=np.nan), colored=False))
    assert has(doubt, Doubt.MESH).all()
    confirmed = judge(track(signals(overlap=0.68)))
    assert not pose_doubted(confirmed).any()


def test_a_start_in_doubt_needs_confirmation() -> None:
    doubt = judge(track(signals(colors=later(0.4, 0.85)), doubted=True))
    assert has(doubt, Doubt.START)[:8].all() and not pose_doubted(doubt[8:]).any()
    plain = judge(track(signals(colors=np.nan), colored=False, doubted=True))
    assert has(plain, Doubt.START).all()


def test_a_given_start_that_refinement_leaves_puts_a_plain_track_in_doubt() -> None:
    made = track(signals(colors=np.nan), colored=False)
    away = made.poses[0].copy()
    away[2, 3] += 0.1
    assert has(judge(replace(made, given=away)), Doubt.START).all()
    assert not judge(replace(made, given=None)).any()


def test_a_mended_track_keeps_its_doubts_but_for_those_of_size() -> None:
    doubt = np.zeros(3, np.uint16)
    doubt[1:] = Doubt.OVERLAP, Doubt.COLORS
    made = PoseTrack(
        np.repeat(np.eye(4)[None], 3, 0), doubt == 0, np.full(3, 0.6), mask_iou=np.ones(3), doubt=doubt
    )
    again = tracked_again(made)
    assert again.valid.all()
    assert judged_again(again, resized=False).valid.tolist() == [True, False, False]
    assert judged_again(again, resized=True).valid.tolist() == [True, True, False]
    assert judged_again(again, resized=False).confidence.tolist() == [0.6, 0.0, 0.0]
    assert judged_again(again, resized=True).confidence.tolist() == [0.6, 0.6, 0.0]
