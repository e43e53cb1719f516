"""Slow results kept in a folder: masks, hands, prompts. A file name holds a key of what the result was made from."""

from __future__ import annotations

import hashlib
import inspect
import logging
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import dexman_pose
from dexman_pose.data import HandObservations, HandTrack, MaskSequence, ObjectPrompt

_log = logging.getLogger(__name__)
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Cache:
    """A folder of npz files.

    Attributes:
        folder: where they lie; None keeps nothing.
        trust_old: take what an older version of the code made from the same inputs.
    """

    folder: Path | None
    trust_old: bool = False

    def get(
        self,
        what: str,
        inputs: tuple[object, ...],
        code: tuple[str, ...],
        compute: Callable[[], Arrays],
    ) -> Arrays:
        """The arrays of ``compute()``, or those it gave before for the same inputs and the same code.

        Args:
            what: first part of the file name.
            inputs: what the result is made from: numbers, strings, arrays, paths (their content counts).
            code: rooms or files of the package whose text the result depends on.
            compute: makes the arrays.
        """
        if self.folder is None:
            return compute()
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = f"{what}-{digest(inputs)}"
        path = self.folder / f"{stem}-{code_digest(code)}.npz"
        old = sorted(self.folder.glob(f"{stem}-*.npz"), key=lambda p: p.stat().st_mtime)
        if not path.exists() and self.trust_old and old:
            path = old[-1]
        if path.exists():
            _log.info("%s: taken from %s", what, path)
            with np.load(path, allow_pickle=False) as archive:
                return dict(archive)
        made = compute()
        partial = path.with_suffix(f".{os.getpid()}.tmp")
        with partial.open("wb") as stream:
            np.savez_compressed(stream, **made)
        partial.replace(path)
        return made


def digest(parts: tuple[object, ...]) -> str:
    """A short hash of numbers, strings, arrays and the content of files."""
    state = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            state.update(part.read_bytes())
        elif isinstance(part, np.ndarray):
            state.update(repr((part.shape, part.dtype.str)).encode())
            state.update(np.ascontiguousarray(part).tobytes())
        else:
            state.update(repr(part).encode())
        state.update(b"|")
    return state.hexdigest()[:12]


def code_digest(names: tuple[str, ...]) -> str:
    """Hash of the text of rooms or files of the package."""
    root = Path(inspect.getfile(dexman_pose)).parent
    files: list[Path] = []
    for name in names:
        path = root / name
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return digest(tuple(files))[:8]


def hands_arrays(hands: HandObservations) -> Arrays:
    """Hand observations as arrays."""
    return asdict(hands)


def hands_from(arrays: Arrays) -> HandObservations:
    """The inverse of :func:`hands_arrays`."""
    return HandObservations(**arrays)


def masks_from(arrays: Arrays) -> MaskSequence:
    """Masks out of the cache."""
    return MaskSequence.from_arrays(arrays)


def prompt_arrays(prompt: ObjectPrompt) -> Arrays:
    """A prompt by box or mask as arrays."""
    held = {"frame": np.array(prompt.frame), "box": prompt.box, "mask": prompt.mask}
    return {key: value for key, value in held.items() if value is not None}


def prompt_from(arrays: Arrays) -> ObjectPrompt:
    """The inverse of :func:`prompt_arrays`."""
    return ObjectPrompt(box=arrays.get("box"), mask=arrays.get("mask"), frame=int(arrays["frame"]))


def lifted_arrays(hands: dict[str, HandTrack]) -> Arrays:
    """Metric hands as arrays; what a hand does not have is left out."""
    named = ((side, key, value) for side, hand in hands.items() for key, value in asdict(hand).items())
    return {f"{side}/{key}": np.asarray(value) for side, key, value in named if value is not None}


def lifted_from(arrays: Arrays) -> dict[str, HandTrack]:
    """The inverse of :func:`lifted_arrays`."""
    by_side: dict[str, Arrays] = {}
    for name, value in arrays.items():
        side, _, key = name.partition("/")
        by_side.setdefault(side, {})[key] = str(value) if value.dtype.kind == "U" else value
    return {side: HandTrack(**fields) for side, fields in by_side.items()}
