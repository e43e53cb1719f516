"""What a worker is given, and what it gives back: plain values, which travel between machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["done", "refused", "failed", "stopped"]


@dataclass(frozen=True)
class Job:
    """One clip to be reconstructed.

    Attributes:
        name: of the clip.
        video: its path.
        out: its run folder.
        log: file for what the command prints.
        command: that reconstructs it, with all arguments.
        folder: in which it is run.
        cores: that it may use.
        seconds: after which it is stopped; None for no limit.
        attempts: at most; bad input is not tried again.
        key: of what the result depends on.
    """

    name: str
    video: str
    out: str
    log: str
    command: tuple[str, ...]
    folder: str = "."
    cores: int = 1
    seconds: float | None = None
    attempts: int = 2
    key: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a clip.

    Attributes:
        name: of the clip.
        video: its path.
        state: ``done``; ``refused``, for bad input; ``failed``, by an error, a crash or by taking too long;
            ``stopped``, with the batch.
        status: exit status of the last attempt, negative for a signal.
        seconds: all attempts together.
        attempts: so many.
        peak_mib: most memory of the last attempt, MiB; 0 where the system does not tell.
        message: one line, why it is not done.
        key: of the job.
    """

    name: str
    video: str
    state: State
    status: int
    seconds: float
    attempts: int
    peak_mib: float
    message: str = ""
    key: str = ""
