"""Scores of the world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.benchmarks.scene.scores.world import score_world
from dexman_pose.data import Camera, Trajectory
from dexman_pose.geometry.se3 import inverse, se3, so3_exp
from dexman_pose.synthetic.grasps.record import FilmRecord


def test_a_world_that_is_the_camera_has_no_gravity(record: FilmRecord, perfect: Trajectory) -> None:
    scores = score_world(record, perfect)
    assert scores["gravity_deg"] is None and scores["table_mm"] is None
    assert scores["focal_percent"] == pytest.approx(0.0)


def test_a_world_on_the_table(record: FilmRecord, perfect: Trajectory) -> None:
    true = inverse(record.truth.camera_from_world)
    told = replace(perfect, world_from_camera=true, provenance={"world": "table"})
    scores = score_world(record, told)
    assert scores["gravity_deg"] == pytest.approx(0.0, abs=1e-4)
    assert scores["table_mm"] == pytest.approx(0.0, abs=1e-6)
    off = se3(so3_exp([np.radians(5), 0.0, 0.0]), [0.0, 0.0, 0.01]) @ true
    scores = score_world(record, replace(told, world_from_camera=off))
    assert scores["gravity_deg"] == pytest.approx(5.0, abs=1e-6) and 5 < (scores["table_mm"] or 0) < 25
    scores = score_world(record, replace(told, world_from_camera=off, provenance={"world": "gravity"}))
    assert scores["gravity_deg"] == pytest.approx(5.0, abs=1e-6) and scores["table_mm"] is None


def test_focal_length(record: FilmRecord, perfect: Trajectory) -> None:
    wrong = Camera.from_focal(1.1 * record.truth.camera.fx, 160, 120)
    assert score_world(record, replace(perfect, camera=wrong))["focal_percent"] == pytest.approx(10.0)
