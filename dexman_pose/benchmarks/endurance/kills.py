"""Runs, batches and renderings that are killed again and again, and begun again: the end must be the same."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np

from dexman_pose.benchmarks.endurance.results import differing, digests, unfinished
from dexman_pose.benchmarks.endurance.watched import COMMAND
from dexman_pose.errors import EstimationError

_LONGEST = 3600.0
_WAIT = 0.02
_SHORTEST = 0.05
"""Seconds that a step lasts in which a kill may come: lines that are printed at once are one step."""
_ROUND = 5
"""Most kills before a command is let finish."""


@dataclass(frozen=True)
class Killable:
    """A command whose result must not depend on how often it was killed.

    Attributes:
        name: of the table.
        arguments: of the command line, but for the output folder.
    """

    name: str
    arguments: tuple[str, ...]

    def into(self, out: Path) -> list[str]:
        """The command."""
        return [*COMMAND, *self.arguments, "--out", str(out)]


@dataclass
class KillProof:
    """What came of it.

    Attributes:
        name: of the command.
        wanted: kills that were asked for.
        kills: how often it was killed, by what it had printed last.
        finished: how often it came to its end before the kill.
        rounds: how often it was let finish, and compared.
        differing: results of a round that are not those of the unbroken run.
        left: unfinished files of a round that stayed.
    """

    name: str
    wanted: int
    kills: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    rounds: int = 0
    differing: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether all rounds ended as the unbroken run."""
        return self.kills.total() >= self.wanted and self.rounds > 0 and not self.differing and not self.left

    def figures(self) -> dict[str, Any]:
        """The proof as JSON values."""
        return {**vars(self), "kills": dict(self.kills), "passed": self.passed}

    def lines(self) -> list[str]:
        """The proof as text."""
        where = ", ".join(f"{said} {count}" for said, count in self.kills.most_common())
        return [
            f"{self.name}: killed {self.kills.total()} times in {self.rounds} rounds, {self.finished} ended before",
            f"  the last words were of: {where}",
            f"  not as unbroken: {', '.join(self.differing) or 'nothing'}; "
            f"left over: {', '.join(self.left) or 'nothing'}",
            f"  {'PASS' if self.passed else 'FAIL'}",
        ]


def prove_kills(
    command: Killable,
    folder: Path,
    kills: int,
    seed: int = 0,
    said: Callable[[str], object] = lambda line: None,
) -> KillProof:
    """Run a command unbroken, then kill it so many times, one to five times before each end.

    A kill comes at a random moment of a random step: a step ends where the command prints a line.

    Args:
        command: it.
        folder: for results; those of rounds that went well are removed.
        kills: in all.
        seed: of the moments.
        said: called with a line after every round.

    Raises:
        EstimationError: the command fails when it is let finish.
    """
    import shutil

    rng = np.random.default_rng(seed)
    whole = folder / f"{command.name}_unbroken"
    shutil.rmtree(whole, ignore_errors=True)
    taken = np.diff(_finish(command, whole), prepend=0.0)
    steps = np.flatnonzero(taken >= min(_SHORTEST, taken.max()))
    wanted = digests(whole)
    proof = KillProof(command.name, kills)
    while proof.kills.total() < kills:
        out = folder / f"{command.name}_{proof.rounds:03d}"
        shutil.rmtree(out, ignore_errors=True)
        for _ in range(min(int(rng.integers(1, _ROUND + 1)), kills - proof.kills.total())):
            step = int(rng.choice(steps))
            last = _killed(command, out, step, float(rng.uniform(0.0, taken[step])))
            if last is None:
                proof.finished += 1
            else:
                proof.kills[last] += 1
        _finish(command, out)
        proof.rounds += 1
        wrong, left = differing(wanted, digests(out)), unfinished(out)
        proof.differing += [f"{out.name}/{name}" for name in wrong]
        proof.left += [f"{out.name}/{name}" for name in left]
        said(f"{command.name}: {proof.kills.total()} of {kills} kills, {len(proof.differing)} results differ")
        if not wrong and not left:
            shutil.rmtree(out)
    return proof


def _finish(command: Killable, out: Path) -> list[float]:
    """Let the command finish; seconds after which it printed each line, and ended."""
    began = monotonic()
    times = []
    process = subprocess.Popen(
        command.into(out), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed = line
        times.append(monotonic() - began)
    if process.wait() != 0:
        raise EstimationError(
            f"'{' '.join(command.arguments)}' ended with {process.returncode}: {printed.strip()}"
        )
    return [*times, monotonic() - began]


def _killed(command: Killable, out: Path, lines: int, seconds: float) -> str | None:
    """Kill the command so many seconds after its so many-th line; what it printed last, or None where it had ended."""
    with tempfile.TemporaryFile("w+") as log:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command.into(out), stdout=log, stderr=subprocess.STDOUT, env=environment)
        began = monotonic()
        while process.poll() is None and len(_lines(log)) < lines:
            if monotonic() - began > _LONGEST:
                process.kill()
                raise EstimationError(f"'{' '.join(command.arguments)}' printed fewer than {lines} lines")
            sleep(_WAIT)
        deadline = monotonic() + seconds
        while process.poll() is None and monotonic() < deadline:
            sleep(min(_WAIT, max(deadline - monotonic(), 0.0)))
        process.kill()
        ended = process.wait()
        if ended != -signal.SIGKILL:
            return None
        printed = _lines(log)
    return _step(printed[-1]) if printed else "nothing yet"


def _lines(log: object) -> list[str]:
    with open(f"/proc/self/fd/{log.fileno()}", encoding="utf-8", errors="replace") as again:  # type: ignore[attr-defined]
        return again.read().splitlines()


def _step(line: str) -> str:
    """The step that a line tells of."""
    words = line.split()
    if words[:1] == ["stage"] and len(words) > 2:
        return words[2]
    if line.startswith("["):
        return "a clip of the batch"
    return Path(words[0]).name if words else "a line"
