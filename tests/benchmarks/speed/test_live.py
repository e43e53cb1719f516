"""Live updates are timed on a scene that they follow."""

from __future__ import annotations

from dexman_pose.benchmarks.speed.live import bench_live


def test_both_ways_are_timed_and_follow_the_object() -> None:
    lines = list(bench_live(4, 1))
    assert [line.work.split(", ")[1] for line in lines] == ["by region", "with texture"]
    assert all(0.0 < line.seconds < 5.0 for line in lines)
    for line in lines:
        assert line.error is not None
        assert line.error[0] < 8.0 and line.error[1] < 3.0
