"""Files that are wholly there or not at all: written beside their place, flushed, renamed into it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from dexman_pose.errors import InputError


@contextmanager
def atomic_file(path: str | Path) -> Iterator[IO[bytes]]:
    """A binary stream whose content appears at ``path`` when the block ends, and not at all when it raises.

    Missing folders are made. Another process sees the old file or the new one, never a part.

    Raises:
        InputError: the place cannot be written to.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o666 & ~_umask())  # temporary files are private, results are as any file
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def write_bytes(path: str | Path, data: bytes) -> Path:
    """Write ``data`` to ``path`` atomically; returns the path."""
    with atomic_file(path) as stream:
        stream.write(data)
    return Path(path)


def write_json(path: str | Path, value: Any) -> Path:
    """Write ``value`` as indented JSON (no NaN, which is no JSON) atomically; returns the path."""
    return write_bytes(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def write_npz(path: str | Path, arrays: Mapping[str, Any]) -> Path:
    """Write ``arrays`` as a compressed npz file without pickles atomically; returns the path."""
    plain = {name: np.asarray(value) for name, value in arrays.items()}
    pickled = [name for name, value in plain.items() if value.dtype.hasobject]
    if pickled:
        raise InputError(f"arrays of Python objects cannot be written: {', '.join(pickled)}")
    with atomic_file(path) as stream:
        np.savez_compressed(stream, **plain)  # type: ignore[arg-type]
    return Path(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
