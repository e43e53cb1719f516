"""Files that appear whole or not at all: written beside their place, then renamed onto it."""

from __future__ import annotations

import errno
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.errors import InputError

TEMPORARY = ".tmp-"
"""Prefix of a file that is being written; one found later was left behind by a killed run."""

_UNWRITABLE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
    errno.EEXIST,
}


@contextmanager
def unwritable_is_bad_input(path: Path) -> Iterator[None]:
    """Turn a full disk, a read-only folder or a file in a folder's place into an :class:`InputError`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"cannot write to {path}: {reason}; choose a folder you may write to, on a disk with free space"
        ) from error


def make_folder(path: Path) -> None:
    """Create a folder and its parents where they are missing, and see that files can be written into it.

    Raises:
        InputError: it cannot be created, is a file, or takes no files.
    """
    with unwritable_is_bad_input(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / (TEMPORARY + "probe")
            probe.touch()
            probe.unlink()
        except FileNotFoundError as error:  # what a file system says that holds no files of users, as /proc
            raise OSError(errno.EACCES, error.strerror) from error


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` produce a temporary file beside ``path``, then rename it there.

    The temporary name keeps the suffix, because writers choose their format by it.
    """
    temporary = path.with_name(TEMPORARY + path.name)
    try:
        write(temporary)
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """The values of a JSON file, or None when it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file; nothing is ever unpickled.

    Raises:
        InputError: the file is missing, damaged, or holds pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not a readable npz file: {error}") from error
