"""Masks of real pictures kept in a folder, so that a second run need not segment again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dexman_pose
from dexman_pose.data.files import write_npz

Arrays = dict[str, NDArray[Any]]

_ROOMS = ("segmentation", "hands")
"""Rooms of the package whose code decides what a mask is; a change of them makes it anew."""


def kept(folder: Path | None, name: str, inputs: Sequence[object], compute: Callable[[], Arrays]) -> Arrays:
    """The arrays of ``compute()``, or those it gave before for the same inputs and the same code.

    Args:
        folder: of npz files; None keeps nothing.
        name: first part of the file name.
        inputs: what the arrays are made from: arrays, files, or anything whose ``repr`` says all of it.
        compute: makes them.
    """
    if folder is None:
        return compute()
    path = folder / f"{name}-{_digest(inputs)}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    made = compute()
    folder.mkdir(parents=True, exist_ok=True)
    write_npz(path, made)
    return made


def _digest(inputs: Sequence[object]) -> str:
    root = Path(dexman_pose.__file__).parent
    code = sorted(path for room in _ROOMS for path in (root / room).rglob("*.py"))
    state = hashlib.sha256()
    for part in (*inputs, *code):
        if isinstance(part, Path):
            state.update(part.read_bytes())
        elif isinstance(part, np.ndarray):
            state.update(repr(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        else:
            state.update(repr(part).encode())
    return state.hexdigest()[:16]
