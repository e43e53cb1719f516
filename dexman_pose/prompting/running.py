"""A run that a page has begun: its command, and what its lines say of how far it is."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable, Sequence
from pathlib import Path

_STAGE = re.compile(r"stage +(\d+)/(\d+)")


def run_command(
    child: Sequence[str], video: str, prompts: Path, out: Path, options: Sequence[str] = ()
) -> list[str]:
    """The command that reconstructs a clip.

    Args:
        child: what the interpreter is given.
        video: the clip.
        prompts: of its objects.
        out: run folder.
        options: further ones of ``run``.
    """
    return [sys.executable, *child, video, "--prompts", str(prompts), "--out", str(out), *options]


def share_done(line: str) -> float | None:
    """How much of a run is done, by a line that it printed; None where the line does not tell."""
    found = _STAGE.search(line)
    return None if found is None else int(found[1]) / int(found[2])


async def running(command: Sequence[str], said: Callable[[str], object]) -> tuple[Process, asyncio.Task[int]]:
    """Begin a command. It ends with this process, for it reads the end of a pipe that this one holds.

    Args:
        command: what is run.
        said: called with each of its lines.

    Returns:
        The process, and a task of its exit status.
    """
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=STDOUT)

    async def read() -> int:
        assert process.stdout is not None
        async for line in process.stdout:
            said(line.decode("utf-8", "replace").rstrip())
        return await process.wait()

    return process, asyncio.create_task(read())
