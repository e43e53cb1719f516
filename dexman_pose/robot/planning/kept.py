"""An interrupted search in a file, to go on from; another task's, or other settings', is not gone on from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.files import read_arrays, write_npz
from dexman_pose.errors import InputError
from dexman_pose.robot.planning.members import Difference
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.planner import Found, Progress
from dexman_pose.robot.planning.sweep import SweepState
from dexman_pose.robot.planning.task import Task

_T = TypeVar("_T")
_VERSION = 6
_PAUSE = 5.0  # seconds between two writings


class KeptFile:
    """A JSON header and arrays in a file that belongs to one search.

    Args:
        path: of the file.
        key: of the search; what was kept with another one is not read.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path, self._key = path, key

    def read(self, made: Callable[[dict[str, Any], dict[str, Array]], _T]) -> _T | None:
        """What is made of header and arrays; None where there is no such file, or it is damaged."""
        if not self.path.is_file():
            return None
        try:
            arrays = read_arrays(self.path)
            head = json.loads(arrays["head"].tobytes().decode())
            return made(head, arrays) if head["key"] == self._key else None
        except (InputError, KeyError, ValueError, TypeError):
            return None

    def write(self, head: dict[str, Any], arrays: dict[str, Array]) -> None:
        """Write them, at once or not at all."""
        told = json.dumps({**head, "key": self._key}).encode()
        write_npz(self.path, {"head": np.frombuffer(told, np.uint8), **arrays})


class Keeper:
    """Writes how far a search is, now and then.

    Args:
        path: of the file.
        task: that is planned.
        options: of the search.
    """

    def __init__(self, path: Path, task: Task, options: PlanOptions) -> None:
        self._file = KeptFile(path, key_of(task, options))
        self._last = monotonic()

    def begun(self) -> Progress | None:
        """Where the same search was interrupted; None where it was not, or the file is damaged."""
        return self._file.read(_progress)

    def keep(self, progress: Progress) -> None:
        """Write it, if the last time is some seconds ago."""
        if monotonic() - self._last < _PAUSE:
            return
        self._file.write(*_arrays(progress))
        self._last = monotonic()


def key_of(task: Task, options: PlanOptions, mark: str = "") -> str:
    """What tells one search from another.

    Args:
        task: that is planned.
        options: of the search.
        mark: what is searched, where it is not controls of every frame.
    """
    # these only say when to stop, or what else is tried; of passes it counts whether there may be several, for then the
    # first is wide
    begun_alike = replace(options, passes=min(options.passes, 2), enough=0.0, other=0.0, own=None)
    text = hashlib.sha256(repr((_VERSION, mark, begun_alike)).encode())
    text.update(task.world.xml.encode())
    touched = (task.touch_object, task.touch_point, task.touch_weight)
    for values in (task.start, task.controls, task.reference, *touched):
        text.update(np.ascontiguousarray(values).tobytes())
    return text.hexdigest()


def _arrays(p: Progress) -> tuple[dict[str, Any], dict[str, Array]]:
    head: dict[str, Any] = {"number": p.number, "steps": p.steps, "begun": p.begun}
    arrays: dict[str, Array] = {
        "offsets": np.array([d.offset for d in p.differences]),
        "frictions": np.array([d.friction for d in p.differences]),
        "masses": np.array([d.mass for d in p.differences]),
    }
    if p.state is not None:
        head |= {"frame": p.state.frame, "rng": p.state.rng.bit_generator.state}
        arrays |= {"residuals": p.state.residuals, "states": p.state.states}
    if p.residuals is not None:
        arrays["begun_with"] = p.residuals
    if p.best is not None:
        head["best"] = [p.best.share, p.best.tracked, p.best.passes, p.best.steps]
        arrays["best_controls"] = p.best.controls
    return head, arrays


def _progress(head: dict[str, Any], arrays: dict[str, Array]) -> Progress:
    differences = tuple(
        Difference(offset, float(friction), mass)
        for offset, friction, mass in zip(arrays["offsets"], arrays["frictions"], arrays["masses"])
    )
    state, best = None, None
    if "frame" in head:
        rng = np.random.default_rng()
        rng.bit_generator.state = head["rng"]
        state = SweepState(int(head["frame"]), arrays["residuals"], arrays["states"], rng)
    if "best" in head:
        share, tracked, passes, steps = head["best"]
        best = Found(arrays["best_controls"], share, tracked, int(passes), int(steps))
    return Progress(
        int(head["number"]),
        state,
        arrays.get("begun_with"),
        differences,
        best,
        int(head["steps"]),
        int(head["begun"]),
    )
