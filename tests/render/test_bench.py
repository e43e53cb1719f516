"""The timing function runs and its numbers are times."""

from __future__ import annotations

from dexman_pose.render.bench import bench_rasterizer, icosphere


def test_bench_measures_every_case() -> None:
    timings = bench_rasterizer(repeats=1)
    assert {(t.width, t.height) for t in timings} == {(128, 128), (640, 480)}
    assert all(t.faces == 5120 and 0.0 < t.milliseconds < 1000.0 for t in timings)
    assert len(icosphere(1, 0.1).faces) == 80
