"""The box that somebody drew: an outline that misses it is another thing's, or one side of this one drawn small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.data import Camera, Mesh
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.pose.matching.color_agreement import ColorAgreement
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.search import verdict as words
from dexman_pose.pose.search.asked_box import (
    LOOSE,
    closely,
    covered_sides,
    off_box,
    pose_off_box,
    poses_off_box,
)
from dexman_pose.pose.search.verdict import PoseSignals, judge
from dexman_pose.render import Rasterizer

SEEN = np.zeros((100, 120), bool)
SEEN[20:60, 30:90] = True  # x 30 to 89, y 20 to 59
PLAIN = PoseSignals(overlap=0.95, margin=0.1, colors=None, edges=0.6, depth=None, inside=1.0, seen=1.0)


def test_a_loose_box_around_what_is_seen_is_met() -> None:
    assert off_box(SEEN, np.array([30 - LOOSE, 20 - LOOSE, 89 + LOOSE, 59 + LOOSE])) == 0.0


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ([30.0, 20.0, 149.0, 59.0], (60 - LOOSE) / 119),  # half of it is empty
        ([60.0, 20.0, 89.0, 59.0], (30 - LOOSE) / 29),  # half of the outline is out of it
        ([30.0, 0.0, 89.0, 59.0], (20 - LOOSE) / 59),
    ],
)
def test_the_side_that_is_missed_most_counts(box: list[float], share: float) -> None:
    assert off_box(SEEN, np.array(box)) == pytest.approx(share)


@pytest.mark.parametrize("right", [69.0, 80.0, 89.0])
def test_a_box_may_be_around_what_is_seen_or_around_what_a_hand_covers_too(right: float) -> None:
    covered = SEEN.copy()
    covered[:, 70:] = False
    box = np.array([30.0, 20.0, right, 59.0])
    assert off_box(covered, box, whole=SEEN, loose=0.0) == 0.0
    assert off_box(covered, box + [0, 0, 30, 0], whole=SEEN, loose=0.0) == pytest.approx(
        (right + 30 - 89) / (right)
    )
    assert off_box(covered, box - [0, 0, 9, 0], whole=SEEN, loose=0.0) == pytest.approx(
        max(69 - (right - 9), 0) / (right - 39)
    )


def test_a_small_box_is_drawn_closer() -> None:
    assert closely(np.array([0.0, 0.0, 10.0, 12.0])) == 2.0
    assert closely(np.array([5.0, 5.0, 35.0, 55.0])) == pytest.approx(4.0)
    assert closely(np.array([0.0, 0.0, 300.0, 200.0])) == LOOSE


def test_without_a_box_or_an_outline_nothing_is_said() -> None:
    assert off_box(SEEN, None) is None
    assert off_box(np.zeros((10, 10), bool), np.array([1.0, 1.0, 5.0, 5.0])) is None


def test_a_pose_too_far_away_does_not_fill_the_box_and_what_is_hidden_need_not() -> None:
    camera = Camera.from_focal(200.0, 160, 120)
    corners = np.array([[x, y, 0.0] for x in (-0.1, 0.1) for y in (-0.1, 0.1)])
    sheet = Mesh(corners, np.array([[0, 1, 3], [0, 3, 2], [0, 3, 1], [0, 2, 3]]))
    near, far = np.eye(4), np.eye(4)
    near[2, 3], far[2, 3] = 0.5, 1.0
    labels = np.zeros((120, 160), np.uint8)
    box = np.array([39.5, 19.5, 119.5, 99.5])
    look = ObjectView(np.zeros((120, 160, 3), np.uint8), labels, 1, camera, asked=box)
    rasterizer = Rasterizer(sheet)
    assert pose_off_box(rasterizer, near, look) == 0.0
    assert pose_off_box(rasterizer, far, look) == pytest.approx((20 - LOOSE) / 80, abs=0.02)
    assert pose_off_box(rasterizer, far, replace(look, asked=None)) is None
    labels = labels.copy()
    labels[:, 80:] = OCCLUDER  # the box is around the left half, all that is seen
    half = replace(look, labels=labels, asked=np.array([39.5, 19.5, 79.5, 99.5]))
    assert pose_off_box(rasterizer, near, half) == 0.0


def test_many_poses_are_measured_without_drawing_them() -> None:
    camera = Camera.from_focal(200.0, 160, 120)
    corners = np.array([[x, y, 0.0] for x in (-0.1, 0.1) for y in (-0.1, 0.1)])
    sheet = Mesh(corners, np.array([[0, 1, 3], [0, 3, 2], [0, 3, 1], [0, 2, 3]]))
    poses = np.repeat(np.eye(4)[None], 4, 0)
    poses[:, 2, 3] = 0.5, 0.7, 1.0, 0.4
    labels = np.zeros((120, 160), np.uint8)
    look = ObjectView(
        np.zeros((120, 160, 3), np.uint8), labels, 1, camera, asked=np.array([39.5, 19.5, 119.5, 99.5])
    )
    drawn = [pose_off_box(Rasterizer(sheet), pose, look, ranked=True) for pose in poses]
    np.testing.assert_allclose(poses_off_box(poses, corners, look), drawn, atol=0.02)
    assert not poses_off_box(poses, corners, replace(look, asked=None)).any()


def test_an_object_may_go_on_where_something_covers_it() -> None:
    camera = Camera.from_focal(200.0, 160, 120)
    corners = np.array([[x, y, 0.0] for x in (-0.1, 0.1) for y in (-0.1, 0.1)])
    near = np.eye(4)
    near[2, 3] = 0.5
    labels = np.zeros((120, 160), np.uint8)
    labels[:, 82:] = OCCLUDER
    half = np.array([39.5, 19.5, 79.5, 99.5])  # around the left half
    look = ObjectView(np.zeros((120, 160, 3), np.uint8), labels, 1, camera, asked=half)
    assert covered_sides(look).tolist() == [False, False, True, False]
    assert poses_off_box(near[None], corners, look)[0] == 0.0
    open_ = replace(look, labels=np.zeros_like(labels))
    assert not covered_sides(open_).any()
    assert poses_off_box(near[None], corners, open_)[0] == pytest.approx((40 - LOOSE) / 40, abs=0.05)
    corner = replace(open_, asked=np.array([0.0, 0.0, 30.0, 119.0]))  # the picture ends there
    assert covered_sides(corner).tolist() == [True, True, False, True]


def test_a_pose_that_misses_the_box_is_refused_even_if_its_colours_agree() -> None:
    off = judge(replace(PLAIN, boxed=0.25))
    assert not off.valid and words.BOX_DISAGREES in off.doubts
    print_ = replace(PLAIN, colors=ColorAgreement(0.9, 30.0, 1.0))
    assert judge(replace(print_, boxed=0.25)).valid
    assert judge(replace(print_, boxed=0.5)) == words.Verdict(False, (words.BOX_DISAGREES,))
    assert judge(replace(PLAIN, boxed=0.1)).valid
