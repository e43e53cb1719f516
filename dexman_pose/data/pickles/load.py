"""Pickles of numbers, and dicts that numpy pickled, read without running anything in them."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

from dexman_pose.data.files import one_line
from dexman_pose.data.pickles.machine import MAX_BYTES, MAX_DEPTH, Machine, archive, is_magic
from dexman_pose.data.pickles.values import Forbidden, hashable
from dexman_pose.errors import InputError

_LONGEST = 160
"""Characters of another library's message that are passed on."""


def load_pickle(path: str | Path, *, max_bytes: int = MAX_BYTES) -> object:
    """The value in a pickle file: containers, scalars, numpy arrays; torch tensors become numpy arrays.

    Nothing in the file is run; arrays are read-only. Written by Python 2 or 3, numpy 1 or 2, torch with ``pickle``
    or ``torch.save``; a tensor may have been on any device. ``OrderedDict`` becomes a dict, a numpy scalar stays one.

    Args:
        path: the file.
        max_bytes: larger files are refused.

    Raises:
        InputError: no such file, cut off, damaged, too large, or it names something else than data. One line that
            names the file and the reason.
    """
    return unpickled(bytes_of(path, max_bytes), Path(path))


def unpickled(data: bytes, path: Path) -> Any:
    """The value of the bytes of a pickle, as :func:`load_pickle` reads it; ``path`` is what messages name.

    Raises:
        InputError: as :func:`load_pickle`.
    """
    try:
        if data[:4] == b"PK\x03\x04":
            return _zip_archive(data)
        stream = io.BytesIO(data)
        value = Machine(stream).run()
        return archive(stream) if is_magic(value) else value
    except Forbidden as error:
        raise InputError(f"{path} is not read: it holds {error}, which is no data of numbers") from error
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise InputError(f"{path} is cut off or damaged: {_reason(error)}") from error
    except (RecursionError, MemoryError, OverflowError) as error:
        raise InputError(f"{path} is not read: its values are nested or large beyond reason") from error


def bytes_of(path: str | Path, max_bytes: int) -> bytes:
    """The bytes of a file that is neither empty nor too large.

    Raises:
        InputError: it is, or cannot be read.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > max_bytes:
        raise InputError(f"{path} is larger than {max_bytes} bytes, which no file of numbers here should be")
    if not data:
        raise InputError(f"{path} is empty")
    return data


def _reason(error: Exception) -> str:
    return one_line(error)[:_LONGEST]


def _zip_archive(data: bytes) -> Any:
    """The value of a file of torch.save, by torch's own reader of data alone."""
    import pickle

    import torch

    try:
        value = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise Forbidden(f"a torch archive that torch refuses ({_reason(error)})") from error
    return _as_numpy(value, 0)


def _as_numpy(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise RecursionError
    if hasattr(value, "detach"):
        plain = value.detach().cpu()
        return (plain.float() if "bfloat16" in str(plain.dtype) else plain).numpy().copy()
    if isinstance(value, dict):
        return {hashable(k): _as_numpy(v, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_as_numpy(v, depth + 1) for v in value)
    return value
