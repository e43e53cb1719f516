"""One step of a run: what it is called, what it computes, and what its result depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Stage(Generic[T]):
    """A step whose result is kept in one file.

    Attributes:
        name: unique in a run; names the manifest.
        artefact: the file of the result, relative to the run folder.
        compute: makes the result. It may close over results of earlier stages, all named in ``after``.
        save: writes the result to a path.
        load: reads what ``save`` wrote; raises an exception of the package when the file is not usable.
        settings: plain JSON values: every option and fingerprint of an input that the result depends on.
        after: names of the stages whose results it uses.
        rooms: sub-packages whose code makes the result.
    """

    name: str
    artefact: str
    compute: Callable[[], T]
    save: Callable[[T, Path], Any]
    load: Callable[[Path], T]
    settings: Mapping[str, Any] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()


@dataclass(frozen=True)
class StageEvent:
    """Tells a listener where a run stands.

    Attributes:
        name: the stage.
        index: its place, from 1.
        total: how many stages the run has.
        state: ``started``, ``done``, or ``reused`` when the artefact on disk was still good.
        seconds: time taken, 0 when started.
    """

    name: str
    index: int
    total: int
    state: Literal["started", "done", "reused"]
    seconds: float = 0.0


StageListener = Callable[[StageEvent], None]


def stage_line(event: StageEvent) -> str:
    """What people are told of an event: which stage of how many, and whether it runs, is done, or was kept."""
    said = {
        "started": "...",
        "done": f"done in {event.seconds:.1f} s",
        "reused": "unchanged, taken from the run folder",
    }
    return f"stage {event.index}/{event.total}  {event.name:<10}  {said[event.state]}"
