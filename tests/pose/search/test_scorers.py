"""Scorers of candidates: one protocol, each a kind of evidence of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose.matching.edges import picture_edges
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.search.scorers import (
    JUDGING,
    RANKING,
    Contest,
    Scorer,
    by_color,
    by_depth,
    by_edges,
    by_outline,
    total,
)
from dexman_pose.pose.solver.options import RefineOptions


@pytest.fixture(scope="module")
def contest(scene: Any) -> Contest:
    """The true pose, and two that are 25 degrees and 15 mm off."""
    true = scene.pose_at((0.4, -0.5, 0.2), (0.01, -0.005, 0.25))
    image, labels, depth = scene.picture(scene.mesh, true)
    look = ObjectView(image, labels, 1, scene.camera, depth)
    refiner, view = refiner_for(scene.mesh), look.evidence()
    off = [true @ se3(so3_exp([0.0, 0.45, 0.0]), [0.0, 0.0, 0.0]), se3(np.eye(3), [0.015, 0.0, 0.0]) @ true]
    poses = [refiner.refine(p, view, RefineOptions(iterations=0)) for p in (true, *off)]
    return Contest(refiner, poses, view, look, picture_edges(look.picture(view)), True)


@pytest.mark.parametrize("scorer", [by_outline, by_depth, by_edges, by_color])
def test_each_prefers_the_true_pose(contest: Contest, scorer: Scorer) -> None:
    found = scorer(contest)
    assert found.shape == (3,)
    assert found[0] > found[1:].max() + 0.01


def test_what_is_not_asked_says_nothing(contest: Contest) -> None:
    silent = replace(contest, colored=False, edges=None, view=replace(contest.view, depth=None))
    for scorer in (by_depth, by_edges, by_color):
        np.testing.assert_array_equal(scorer(silent), 0.0)
    np.testing.assert_array_equal(total(RANKING, silent), by_outline(silent))


def test_another_scorer_joins_by_the_same_protocol(contest: Contest) -> None:
    def against_the_first(contest: Contest) -> np.ndarray:
        return -10.0 * (np.arange(len(contest.candidates)) == 0)

    assert total(JUDGING, contest).argmax() == 0
    assert total((*JUDGING, against_the_first), contest).argmax() != 0
