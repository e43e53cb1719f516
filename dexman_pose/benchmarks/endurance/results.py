"""What a folder of results holds, apart from when and how fast it was made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dexman_pose.data.files import TEMPORARY

_RESULTS = (".npz", ".npy", ".mp4", ".avi", ".obj", ".png", ".txt")
"""Files whose content depends on the input alone; JSON and tables also tell times."""


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the arrays of every file of arrays, and of the bytes of other results, by relative path."""
    files = (f for f in sorted(folder.rglob("*")) if f.is_file() and f.suffix in _RESULTS)
    return {f.relative_to(folder).as_posix(): _digest(f) for f in files if not f.name.startswith(TEMPORARY)}


def differing(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Names of results that are missing, too many, or others."""
    return sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))


def unfinished(folder: Path) -> list[str]:
    """Files that were never finished."""
    return sorted(f.relative_to(folder).as_posix() for f in folder.rglob(TEMPORARY + "*"))


def _digest(file: Path) -> str:
    if file.suffix != ".npz":
        return hashlib.sha256(file.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    with np.load(file, allow_pickle=False) as arrays:
        for name in sorted(arrays.files):
            array = arrays[name]
            digest.update(f"{name}:{array.dtype.str}{array.shape};".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
