"""The same on Ray, where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dexman_pose.batch import BatchOptions, run_batch


@pytest.mark.slow
def test_a_batch_on_ray_is_that_of_this_machine(
    tmp_path: Path, clips: dict[str, Path], command: tuple[str, ...], example: Path
) -> None:
    pytest.importorskip("ray")
    some = {name: clips[name] for name in ("a", "b", "bad", "dies")}
    rows = run_batch(
        some,
        tmp_path / "out",
        command,
        arguments=[str(example)],
        options=BatchOptions(workers=2, address="local"),
    )
    assert {row.name: row.state for row in rows} == {
        "a": "done",
        "b": "done",
        "bad": "refused",
        "dies": "failed",
    }
