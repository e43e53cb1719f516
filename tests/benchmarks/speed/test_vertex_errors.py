"""The timing of the vertex errors: what is compared is the same work with the same result."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.benchmarks.speed import vertex_errors as bench
from dexman_pose.benchmarks.speed.vertex_errors import (
    MetricTiming,
    bench_metrics,
    bench_poses,
    bottle,
    kd_tree_loop,
)
from dexman_pose.cli import bench as command
from dexman_pose.metrics.points import add_s
from dexman_pose.metrics.poses import diameter, rotation_error, translation_error


def test_the_poses_are_as_far_apart_as_said() -> None:
    est, true = bench_poses(200)
    shift, turn = translation_error(est, true), rotation_error(est, true)
    assert 0.08 < shift.max() <= 0.1 and shift.min() < 0.02
    assert 0.8 < turn.max() <= 1.0 and turn.min() < 0.2


def test_the_bottle_is_as_large_as_said() -> None:
    v = bottle(3000)
    assert v.shape == (3000, 3)
    assert diameter(v) == pytest.approx(np.hypot(0.08, 0.15), rel=0.01)
    assert np.hypot(v[:, 0], v[:, 1]).max() <= 0.04 + 1e-12


def test_the_loop_computes_add_s() -> None:
    v = bottle(300)
    est, true = bench_poses(20, seed=3)
    np.testing.assert_allclose(add_s(est, true, v), kd_tree_loop(est, true, v), rtol=1e-10)


def test_every_line_is_a_time_and_add_s_is_that_of_the_loop() -> None:
    lines = list(bench_metrics(poses=60, vertices=1500, repeats=1))
    assert all(0.0 < line.seconds < 20.0 for line in lines)
    assert lines[0].ratio is not None and lines[0].ratio > 0.0
    assert lines[0].difference is not None and lines[0].difference < 1e-9


def test_the_command_prints_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        MetricTiming("ADD-S", "5,000 vertices", 2e-4, 60.0, 0.0),
        MetricTiming("diameter", "100,000 vertices", 0.1, whole=True),
    ]
    monkeypatch.setattr(bench, "bench_metrics", lambda repeats: iter(rows))
    first, second = command.vertex_rows(6)
    assert first.value == pytest.approx(0.2)
    assert first.unit == "ms per pose; 60 x as long by a loop over KD-trees, aim 20"
    assert (second.value, second.unit) == (pytest.approx(100.0), "ms")


def test_single_poses_are_timed_beside_the_definitions() -> None:
    lines = [line for line in bench_metrics(poses=20, vertices=800, repeats=1) if "one pose" in line.size]
    assert [line.work for line in lines] == 2 * ["ADD", "ADD-S", "MSSD", "MSPD"]
    assert [line.size for line in lines[::4]] == [f"{v} vertices, one pose a call" for v in (800, 500)]
    for line in lines:
        assert line.beside == "its definition in numpy" and line.aim == 2.0
        assert line.ratio is not None and line.ratio > 0.0
        assert line.difference is not None and line.difference < 1e-9
