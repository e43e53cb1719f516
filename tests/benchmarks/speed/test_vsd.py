"""The timing compares like with like."""

from __future__ import annotations

import pytest

from dexman_pose.benchmarks.speed.vsd import bench_vsd
from dexman_pose.cli.main import main


def test_own_and_definition_are_timed_on_the_same_frames() -> None:
    timing = bench_vsd(12, 1)
    assert timing.difference == 0.0
    assert 0.0 < timing.own < timing.definition < 5.0
    assert timing.ratio > 2.0
    assert "640x480" in timing.size and timing.frames == 12


def test_bench_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "metrics", "--repeats", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (own,) = [line for line in lines if line.startswith("VSD")]
    assert "x as long over whole images in numpy" in own and "10375 pixels" in own
