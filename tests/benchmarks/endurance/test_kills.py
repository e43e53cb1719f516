"""The proof by kills: that it sees what differs, what is left over, and what was never killed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.benchmarks.endurance.given import NAMES, killables
from dexman_pose.benchmarks.endurance.kills import KillProof, prove_kills
from dexman_pose.benchmarks.endurance.results import differing, digests, unfinished
from dexman_pose.data.files import TEMPORARY, write_npz

GOOD = KillProof("run", 3, Counter({"hands": 2, "masks": 1}), 1, 2)


@pytest.mark.parametrize(
    "broken", [{"wanted": 4}, {"differing": ["run_000/trajectory.npz"]}, {"left": [".tmp-a"]}, {"rounds": 0}]
)
def test_every_broken_promise_fails(broken: dict[str, object]) -> None:
    assert GOOD.passed and GOOD.lines()[-1].strip() == "PASS"
    assert json.loads(json.dumps(GOOD.figures()))["kills"] == {"hands": 2, "masks": 1}
    bad = replace(GOOD, **broken)  # type: ignore[arg-type]
    assert not bad.passed and bad.lines()[-1].strip() == "FAIL"


def test_arrays_count_and_not_when_they_were_written(tmp_path: Path) -> None:
    for name, values in (("a", np.arange(3)), ("b", np.arange(3)), ("c", np.arange(3.0))):
        (tmp_path / name).mkdir()
        write_npz(tmp_path / name / "x.npz", {"values": values})
        (tmp_path / name / "run.json").write_text(name)
    found = {name: digests(tmp_path / name) for name in "abc"}
    assert list(found["a"]) == ["x.npz"] and differing(found["a"], found["b"]) == []
    assert differing(found["a"], found["c"]) == ["x.npz"] and differing(found["a"], {}) == ["x.npz"]


def test_unfinished_files_are_seen_and_are_no_results(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY}x.npz").write_bytes(b"half")
    assert unfinished(tmp_path) == [f"{TEMPORARY}x.npz"] and digests(tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_killed_commands_end_as_unbroken_ones(name: str, tmp_path: Path) -> None:
    proof = prove_kills(killables(tmp_path / "given")[name], tmp_path / "out", 2)
    assert proof.passed, proof.lines()
