"""The timing function runs and its numbers are times."""

from __future__ import annotations

from dexman_pose.benchmarks.speed.gradients import bench_gradient
from dexman_pose.benchmarks.speed.rasterise import bench_rasterizer, icosphere


def test_bench_measures_every_case() -> None:
    timings = bench_rasterizer(repeats=1)
    assert {(t.width, t.height) for t in timings} == {(128, 128), (640, 480)}
    assert all(t.faces == 5120 and 0.0 < t.milliseconds < 1000.0 for t in timings)
    assert len(icosphere(1, 0.1).faces) == 80


def test_bench_of_gradients_measures_every_case() -> None:
    timings = bench_gradient(repeats=1)
    assert {t.batch for t in timings} == {1, 16} and {t.outputs for t in timings} >= {("mask",)}
    assert all(0.0 < t.forward < 1000.0 and 0.0 < t.backward < 1000.0 for t in timings)
