"""The proof by a long clip: that it sees memory that grows, frames that are missing, tracks that are lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dexman_pose.benchmarks.endurance.long import LongProof, lines, prove_long
from dexman_pose.benchmarks.endurance.watched import Watched, run_watched
from dexman_pose.errors import EstimationError, InputError

SHORT, LONG = (
    Watched(9.0, 8.0, {"masks": 300.0, "end": 310.0}),
    Watched(90.0, 80.0, {"masks": 330.0, "end": 320.0}),
)
GOOD = LongProof(100, 1000, SHORT, LONG, 1000, (0.99, 1.0), 12.0)


@pytest.mark.parametrize(
    "broken",
    [{"frames": 999}, {"valid": (0.99, 0.5)}, {"needed_long": replace(LONG, peaks={"masks": 3000.0})}],
)
def test_every_broken_promise_fails(broken: dict[str, object]) -> None:
    assert GOOD.passed and lines(GOOD)[-1] == "PASS"
    bad = replace(GOOD, **broken)  # type: ignore[arg-type]
    assert not bad.passed and lines(bad)[-1] == "FAIL"


def test_the_short_clip_is_shorter(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="shorter than 50 frames, but got 50"):
        prove_long(tmp_path, 50, 50)


def test_memory_of_a_command_is_read_and_failure_is_told() -> None:
    assert run_watched(["--version"], interval=0.001).peak_mib > 1.0
    with pytest.raises(EstimationError, match="ended with 2"):
        run_watched(["run", "no-such-file.mp4"])
