"""Files that ``np.save`` and ``np.savez`` wrote, of Python values too, read without running anything in them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.data.files import door
from dexman_pose.data.pickles.load import bytes_of, unpickled
from dexman_pose.data.pickles.machine import MAX_BYTES
from dexman_pose.errors import InputError


def load_numpy_file(path: str | Path, *, max_bytes: int = MAX_BYTES) -> Any:
    """The content of a ``.npy`` or ``.npz`` file: an array, or what a saved Python value held; of .npz a dict of these.

    ``np.save`` of a dict pickles it; such a pickle is read as :func:`~dexman_pose.data.pickles.load.load_pickle` does.

    Args:
        path: the file.
        max_bytes: larger files are refused, and archives that unpack to more.

    Raises:
        InputError: no such file, cut off, damaged, too large, or it holds something else than data.
    """
    path = Path(path)
    data = bytes_of(path, max_bytes)
    with door(path, "a file of numpy"):
        if data[:4] != b"PK\x03\x04":
            return _value(data, path)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > max_bytes:
                raise InputError(f"{path} unpacks to more than {max_bytes} bytes")
            return {m.filename.removesuffix(".npy"): _value(archive.read(m), path) for m in members}


def _value(data: bytes, path: Path) -> Any:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if not dtype.hasobject:
        return np.load(io.BytesIO(data), allow_pickle=False)
    if shape != ():
        raise InputError(f"{path} is not read: it holds an array of Python objects")
    return unpickled(data[stream.tell() :], path)
