"""What a batch remembers of every clip, so that a second one does only what is left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dexman_pose._version import __version__
from dexman_pose.batch.job import Job, Outcome
from dexman_pose.data.files import read_json_or_none, write_json

FOLDER = "batch"
"""In the folder of the batch: what is remembered, and the logs."""
RESULT = "trajectory.npz"


def outcome_file(out: Path, name: str) -> Path:
    """Where the outcome of a clip is kept."""
    return out / FOLDER / f"{name}.json"


def log_file(out: Path, name: str) -> Path:
    """Where what its command printed is kept."""
    return out / FOLDER / f"{name}.log"


def key_of(arguments: Sequence[str], files: Iterable[Path]) -> str:
    """Of all that a result depends on: arguments, this version, and files by their size and time.

    Args:
        arguments: of the command, but for the run folder.
        files: that it reads; a folder counts by its own time.
    """
    content: dict[str, Any] = {"arguments": list(arguments), "version": __version__}
    content["files"] = [[str(file), *_stamp(file)] for file in files]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def keep(out: Path, outcome: Outcome) -> None:
    """Write the outcome of a clip."""
    file = outcome_file(out, outcome.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, asdict(outcome))


def kept(out: Path, job: Job) -> Outcome | None:
    """The outcome of a job that was done before, with the same arguments and files; None where it is to be run."""
    content = read_json_or_none(outcome_file(out, job.name))
    if not isinstance(content, dict):
        return None
    try:
        outcome = Outcome(**content)
    except TypeError:
        return None
    same = outcome.key == job.key and outcome.state == "done"
    return outcome if same and (Path(job.out) / RESULT).is_file() else None
