"""The proof of a batch, small; and that it sees a broken promise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dexman_pose.benchmarks.endurance.batch import BatchProof, lines, prove_batch
from dexman_pose.benchmarks.endurance.clips import write_clips
from dexman_pose.data import Clip
from dexman_pose.errors import DexmanError

GOOD = BatchProof(5, ("a",), ("a",), ("b", "c", "d", "e"), (), (), 2, 2, 9.0, 300.0, 200.0)


@pytest.mark.parametrize(
    "broken",
    [{"refused": ()}, {"done": ("b", "c", "d")}, {"twice": ("b",)}, {"different": ("c",)}],
)
def test_every_broken_promise_fails(broken: dict[str, tuple[str, ...]]) -> None:
    assert GOOD.passed and lines(GOOD)[-1] == "PASS"
    bad = replace(GOOD, **broken)  # type: ignore[arg-type]
    assert not bad.passed and lines(bad)[-1] == "FAIL"


def test_clips_are_clips_and_poisoned_ones_are_none(tmp_path: Path) -> None:
    bad = write_clips(tmp_path, 4, 2, frames=3)
    assert len(bad) == 2
    for name in (f"clip_{i:03}" for i in range(4)):
        if name in bad:
            with pytest.raises(DexmanError):
                Clip.open(tmp_path / f"{name}.mp4").frame(0)
        else:
            assert Clip.open(tmp_path / f"{name}.mp4").num_frames == 3


@pytest.mark.slow
def test_a_batch_whose_driver_is_killed_does_the_rest_once(tmp_path: Path) -> None:
    assert prove_batch(tmp_path, clips=6, poisoned=2, compared=2).passed
