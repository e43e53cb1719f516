"""A verdict on a pose: which signals refuse it, which vouch for it, and what is said of the mask alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.pose import estimate_pose, refine_pose
from dexman_pose.pose.matching.color_agreement import ColorAgreement
from dexman_pose.pose.search import verdict as words
from dexman_pose.pose.search.verdict import PoseSignals, Verdict, judge

PLAIN = PoseSignals(overlap=0.95, margin=0.1, colors=None, edges=0.6, depth=None, inside=1.0, seen=1.0)
STRONG, WEAK = ColorAgreement(0.9, 30.0, 1.0), ColorAgreement(0.1, 30.0, 1.0)


def test_a_plain_pose_with_a_clear_lead_is_valid() -> None:
    assert judge(PLAIN) == words.Verdict(True, ())


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"margin": 0.005}, words.AMBIGUOUS),
        ({"margin": 0.02, "edges": 0.4}, words.AMBIGUOUS),
        ({"margin": 0.02, "overlap": 0.8}, words.AMBIGUOUS),
        ({"overlap": 0.6}, words.OUTLINE_DISAGREES),
        ({"edges": 0.15}, words.EDGES_DISAGREE),
        ({"depth": 0.2}, words.DEPTH_DISAGREES),
        ({"inside": 0.2}, words.LEAVES_IMAGE),
        ({"seen": 0.1}, words.MOSTLY_HIDDEN),
        ({"colors": WEAK}, words.COLORS_DISAGREE),
    ],
)
def test_each_signal_refuses_a_pose_and_says_why(change: dict[str, Any], doubt: str) -> None:
    verdict = judge(replace(PLAIN, **change))
    assert not verdict.valid and doubt in verdict.doubts


def test_a_close_runner_up_is_no_doubt_where_the_outline_is_exact() -> None:
    assert judge(replace(PLAIN, margin=0.02, overlap=0.99)).valid
    assert not judge(replace(PLAIN, margin=0.002, overlap=0.99)).valid


def test_a_smaller_lead_will_do_where_the_picture_shows_the_edges() -> None:
    assert judge(replace(PLAIN, margin=0.02)).valid


def test_colours_that_agree_outweigh_a_mask_that_does_not() -> None:
    verdict = judge(replace(PLAIN, overlap=0.2, colors=STRONG, depth=0.3, edges=0.2))
    assert verdict == words.Verdict(True, (words.MASK_DISAGREES,))


def test_colours_that_two_poses_share_leave_them_ambiguous() -> None:
    assert judge(replace(PLAIN, margin=0.0, colors=STRONG)).doubts == (words.AMBIGUOUS,)


def test_little_contrast_is_not_asked_and_some_does_not_refuse_an_exact_outline() -> None:
    assert judge(replace(PLAIN, colors=ColorAgreement(-0.5, 3.0, 1.0))).valid
    dim = ColorAgreement(0.05, 12.0, 1.0)
    assert judge(replace(PLAIN, colors=dim, overlap=0.99)).valid
    assert not judge(replace(PLAIN, colors=dim, overlap=0.85)).valid


def test_the_picture_of_another_object_is_refused(scene: Any) -> None:
    true = scene.pose_at((0.4, 0.5, 0.2), (0.03, -0.02, 0.32))
    image, labels, _ = scene.picture(scene.mesh, true)
    right = refine_pose(scene.mesh, true, labels == 1, scene.camera, image=image)
    assert right.valid and right.doubts == ()
    noise = np.random.default_rng(0).integers(0, 255, image.shape).astype(np.uint8)
    wrong = refine_pose(scene.mesh, true, labels == 1, scene.camera, image=noise)
    assert not wrong.valid and words.COLORS_DISAGREE in wrong.doubts


def test_an_estimate_comes_with_its_verdict(scene: Any) -> None:
    true = scene.pose_at((0.4, 0.5, 0.2), (0.03, -0.02, 0.32))
    image, labels, _ = scene.picture(scene.mesh, true)
    found = estimate_pose(scene.mesh, image, labels == 1, scene.camera)
    assert found.valid and found.doubts == ()
    assert not any(a.valid for a in found.alternatives)


def test_an_outline_that_is_seen_vouches_for_a_pose_that_leads_by_far_whatever_the_mask() -> None:
    seen = replace(PLAIN, overlap=0.6, region=0.93, margin=0.3)
    assert judge(seen) == Verdict(True, (words.MASK_DISAGREES,))
    assert not judge(replace(seen, margin=0.15)).valid
    assert not judge(replace(seen, region=0.85)).valid
    assert not judge(replace(seen, edges=0.4)).valid
    assert judge(replace(seen, margin=0.15, region=0.97)).valid
