"""Scores of hands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dexman_pose.benchmarks.scene.scores.hands import score_hand
from dexman_pose.data import Mesh, Trajectory
from dexman_pose.synthetic.grasps.record import FilmRecord


def test_the_truth_scores_best(record: FilmRecord, meshes: dict[str, Mesh], perfect: Trajectory) -> None:
    scores = score_hand(record, 0, meshes, perfect)
    assert scores["hand_valid"] == scores["hand_valid_seen"] == 1.0
    for name in ("hand_mm", "hand_wrist_mm", "hand_object_mm", "hand_jitter"):
        assert scores[name] == pytest.approx(0.0, abs=1e-6), name


def test_a_hand_that_is_off_as_a_whole(
    record: FilmRecord, meshes: dict[str, Mesh], told: Callable[..., Trajectory]
) -> None:
    off = np.array([0.0, 0.0, 0.05])
    scores = score_hand(record, 0, meshes, told(record, meshes, hand_moved=off))
    assert scores["hand_mm"] == pytest.approx(50) and scores["hand_object_mm"] == pytest.approx(50)
    assert scores["hand_wrist_mm"] == pytest.approx(0.0, abs=1e-6)


def test_hand_and_object_that_are_off_together(
    record: FilmRecord, meshes: dict[str, Mesh], told: Callable[..., Trajectory]
) -> None:
    moved = np.eye(4)
    moved[2, 3] = 0.05
    together = told(record, meshes, moved=moved, hand_moved=moved[:3, 3])
    scores = score_hand(record, 0, meshes, together)
    assert scores["hand_mm"] == pytest.approx(50) and (scores["hand_object_mm"] or 0) < 1.0


def test_no_hand_is_no_number(record: FilmRecord, meshes: dict[str, Mesh], perfect: Trajectory) -> None:
    scores = score_hand(record, 0, meshes, Trajectory(perfect.camera, perfect.frame_times, perfect.objects))
    assert scores["hand_valid"] == 0.0 and scores["hand_mm"] is None
