"""A run that a page begins."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from dexman_pose.prompting.running import run_command, running, share_done


@pytest.mark.parametrize(
    ("line", "share"), [("stage 3/12  masks  done in 2.0 s", 0.25), ("stage 12/12", 1.0), ("12/12", None)]
)
def test_lines_tell_how_far_it_is(line: str, share: float | None) -> None:
    assert share_done(line) == share


def test_the_command_is_that_of_the_command_line() -> None:
    command = run_command(("-m", "x"), "a.mp4", Path("p.json"), Path("out"), ("--no-overlay",))
    assert command == [
        sys.executable,
        "-m",
        "x",
        "a.mp4",
        "--prompts",
        "p.json",
        "--out",
        "out",
        "--no-overlay",
    ]


def test_lines_come_and_the_status_is_told() -> None:
    said: list[str] = []

    async def run() -> int:
        code = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"
        _, status = await running([sys.executable, "-u", "-c", code], said.append)
        return await status

    assert asyncio.run(run()) == 3 and said == ["one", "two"]
