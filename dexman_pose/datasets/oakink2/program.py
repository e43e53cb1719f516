"""What happens when in an OakInk2 sequence: the primitives of its program, per hand."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dexman_pose.data.files import door, read_json
from dexman_pose.errors import InputError

Interval = tuple[int, int]

MODES = ("lh_main", "rh_main", "bh_main")
"""Which hand does the work."""


@dataclass(frozen=True)
class ProgramStep:
    """One primitive of a program.

    Attributes:
        left: first and last frame (mocap numbers) of the left hand's part, or None where it has none.
        right: the same of the right hand.
        primitive: what is done, e.g. ``"pour"``.
        mode: one of :data:`MODES`, "" where it is not stated.
        objects: ids of the objects involved.
        left_objects: those of the left hand.
        right_objects: those of the right hand.
    """

    left: Interval | None
    right: Interval | None
    primitive: str
    mode: str = ""
    objects: tuple[str, ...] = ()
    left_objects: tuple[str, ...] = ()
    right_objects: tuple[str, ...] = ()

    @property
    def frames(self) -> Interval:
        """First and last frame of both hands together."""
        known = [i for i in (self.left, self.right) if i is not None]
        return min(i[0] for i in known), max(i[1] for i in known)


def read_oakink2_program(path: str | Path) -> list[ProgramStep]:
    """The steps of ``program/program_info/<sequence>.json``, by their first frame.

    The keys are Python pairs of intervals as text. They are read as literals and never run.

    Raises:
        InputError: no such file, or a key or entry that is none of a program.
    """
    path = Path(path)
    entries = read_json(path)
    if not isinstance(entries, dict):
        raise InputError(f"{path} must map intervals to primitives, but holds a {type(entries).__name__}")
    steps = []
    for key, entry in entries.items():
        with door(f"{path}: the step {key[:80]!r}", "a step of a program"):
            steps.append(_step(key, entry))
    return sorted(steps, key=lambda step: step.frames)


def _step(key: str, entry: dict[str, Any]) -> ProgramStep:
    pair = _literal(key)
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise ValueError("a key must be a pair of intervals, left and right")
    left, right = _interval(pair[0]), _interval(pair[1])
    if left is None and right is None:
        raise ValueError("neither hand has an interval")
    mode = str(entry.get("interaction_mode") or "")
    if mode and mode not in MODES:
        raise ValueError(f"interaction_mode must be one of {', '.join(MODES)}, but is {mode!r}")
    lists = (entry.get(name) or () for name in ("obj_list", "obj_list_lh", "obj_list_rh"))
    return ProgramStep(
        left, right, str(entry["primitive"]), mode, *(tuple(map(str, names)) for names in lists)
    )


def _literal(text: str) -> Any:
    if len(text) > 1000:
        raise ValueError("a key this long is no pair of intervals")
    return ast.literal_eval(text)


def _interval(value: Any) -> Interval | None:
    """An interval, None, or either of them once more as text."""
    value = _literal(value) if isinstance(value, str) else value
    if value is None:
        return None
    if not isinstance(value, (tuple, list)) or len(value) != 2 or not all(type(v) is int for v in value):
        raise ValueError(f"an interval must be two whole numbers or None, but is {value!r}")
    if value[1] < value[0]:
        raise ValueError(f"the interval {value!r} ends before it begins")
    return value[0], value[1]
