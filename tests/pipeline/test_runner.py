"""Two stages side by side: told one after the other, both stored, and the failure of either is the run's."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.pipeline.run_folder import RunFolder
from dexman_pose.pipeline.runner import Runner
from dexman_pose.pipeline.stage import Stage, StageEvent


def _stage(name: str, compute: Any) -> Stage[str]:
    return Stage(
        name,
        f"{name}.txt",
        compute=compute,
        save=lambda text, path: path.write_text(text),
        load=lambda path: path.read_text(),
    )


def test_both_are_made_at_once_told_in_order_and_reused(tmp_path: Path) -> None:
    meet = threading.Barrier(2)

    def made(name: str) -> str:
        meet.wait(30)  # breaks unless both are being made at the same time
        return name

    for expected in ("done", "reused"):
        told: list[tuple[str, int, str]] = []

        def listen(event: StageEvent, told: list[tuple[str, int, str]] = told) -> None:
            told.append((event.name, event.index, event.state))

        with RunFolder.open(tmp_path) as folder:
            stages = [_stage(name, lambda name=name: made(name)) for name in ("first", "second")]
            Runner(folder, 2, listen).run_beside(*stages)
        assert told == [
            ("first", 1, "started"),
            ("first", 1, expected),
            ("second", 2, "started"),
            ("second", 2, expected),
        ]
        assert (tmp_path / "second.txt").read_text() == "second"


@pytest.mark.parametrize("failing", ["first", "second"])
def test_the_failure_of_either_is_raised(failing: str) -> None:
    def made(name: str) -> str:
        if name == failing:
            raise InputError(f"{name} failed")
        return name

    stages = [_stage(name, lambda name=name: made(name)) for name in ("first", "second")]
    with pytest.raises(InputError, match=f"{failing} failed"):
        Runner(None, 2).run_beside(*stages)


def test_random_numbers_are_the_same_and_the_state_is_given_back() -> None:
    np.random.seed(5)
    before = np.random.get_state()[1].copy()  # type: ignore[index,union-attr,unused-ignore]
    drawn = [Runner(None, 1).run(_stage("draw", lambda: str(np.random.rand()))) for _ in range(2)]
    assert drawn[0] == drawn[1]
    Runner(None, 2).run_beside(_stage("one", lambda: "1"), _stage("two", lambda: "2"))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]
