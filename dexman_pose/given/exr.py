"""One channel of an OpenEXR picture, as Blender and others write depth: rows without loss, in plain or packed blocks.

OpenCV is built without OpenEXR in its wheels (5.0) or with it switched off (4.x). The part of the format that depth is
written in is small: a header of attributes, a table of places, blocks of one or sixteen rows, packed by zlib or not.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.errors import InputError

_MAGIC = 20000630
_TYPES: dict[int, np.dtype[Any]] = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}
_ROWS = {0: 1, 1: 1, 2: 1, 3: 16}
"""Rows of a block by compression: none, run lengths, zlib of a row, zlib of 16 rows."""
_PACKINGS = ("none", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB")
_TILED, _DEEP, _PARTS = 0x200, 0x800, 0x1000
_DEPTH_NAMES = ("z", "depth", "v", "y", "r")
_MOST_PIXELS = 1 << 28
_HALF_SHIFT = 128


@dataclass(frozen=True)
class _Header:
    channels: list[tuple[str, np.dtype[Any]]]
    packing: int
    box: tuple[int, int, int, int]
    end: int


def read_exr(path: Path) -> NDArray[np.float32]:
    """(H, W) float32 of the channel named Z, depth, V, Y or R, whichever comes first in this list.

    Raises:
        InputError: no such file, damaged, or packed in a way that is not read; the message says what to do.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        return _decoded(data, path)
    except (
        struct.error,
        ValueError,
        IndexError,
        KeyError,
        zlib.error,
        UnicodeDecodeError,
        OverflowError,
    ) as error:
        raise InputError(f"{path} is cut off or damaged: {error}") from error


def _decoded(data: bytes, path: Path) -> NDArray[np.float32]:
    header = _header(data, path)
    if header.packing not in _ROWS:
        name = _PACKINGS[header.packing] if header.packing < len(_PACKINGS) else str(header.packing)
        raise InputError(
            f"{path} is packed by {name}, which is not read: write it with ZIP compression, or as .npy"
        )
    x0, y0, x1, y1 = header.box
    width, height = x1 - x0 + 1, y1 - y0 + 1
    if width <= 0 or height <= 0 or width * height > _MOST_PIXELS:
        raise InputError(f"{path}: no picture is {width}x{height}")
    chosen = _channel([name for name, _ in header.channels], path)
    row_bytes = sum(kind.itemsize for _, kind in header.channels) * width
    before = sum(kind.itemsize for _, kind in header.channels[:chosen]) * width
    kind = header.channels[chosen][1]
    rows = _ROWS[header.packing]
    blocks = -(-height // rows)
    out = np.zeros((height, width), np.float32)
    for place in struct.unpack_from(f"<{blocks}Q", data, header.end):
        y, size = struct.unpack_from("<iI", data, place)
        first = y - y0
        count = min(rows, height - first)
        if not 0 <= first < height:
            raise ValueError(f"a block begins in row {y}")
        block = _unpacked(data[place + 8 : place + 8 + size], row_bytes * count, header.packing)
        table = np.frombuffer(block, np.uint8).reshape(count, row_bytes)
        part = np.ascontiguousarray(table[:, before : before + width * kind.itemsize]).view(kind)
        out[first : first + count] = part.astype(np.float32)
    return out


def _channel(names: list[str], path: Path) -> int:
    """The channel of depth: ``Z``, ``ViewLayer.Depth.Z``, or the first of a picture whose channels are grey."""
    ends = [name.rsplit(".", 1)[-1].casefold() for name in names]
    for wanted in _DEPTH_NAMES:
        if wanted in ends:
            return ends.index(wanted)
    if len(names) == 1:
        return 0
    raise InputError(f"{path} holds the channels {', '.join(names)}, none of which is named Z or depth")


def _header(data: bytes, path: Path) -> _Header:
    magic, version = struct.unpack_from("<II", data)
    if magic != _MAGIC:
        raise InputError(f"{path} is no OpenEXR picture")
    if version & (_TILED | _DEEP | _PARTS):
        raise InputError(
            f"{path} is tiled, deep or of several parts, which is not read: write it by rows, or as .npy"
        )
    at, values = 8, {}
    while data[at] != 0:
        end = data.index(0, at)
        name = data[at:end].decode("latin-1")
        after = data.index(0, end + 1)
        (size,) = struct.unpack_from("<I", data, after + 1)
        values[name] = data[after + 5 : after + 5 + size]
        at = after + 5 + size
    box = struct.unpack("<4i", values["dataWindow"])
    return _Header(_channels(values["channels"]), values["compression"][0], box, at + 1)


def _channels(raw: bytes) -> list[tuple[str, np.dtype[Any]]]:
    at, out = 0, []
    while raw[at] != 0:
        end = raw.index(0, at)
        kind, _, sx, sy = struct.unpack_from("<iIii", raw, end + 1)
        if (sx, sy) != (1, 1):
            raise ValueError("channels of different resolution")
        out.append((raw[at:end].decode("latin-1"), _TYPES[kind]))
        at = end + 17
    return out


def _unpacked(block: bytes, size: int, packing: int) -> bytes:
    """The bytes of a block; one that packing would not make smaller is stored as it is."""
    if packing == 0 or len(block) == size:
        return block
    raw = _runs(block, size) if packing == 1 else zlib.decompressobj().decompress(block, size + 1)
    if len(raw) != size:
        raise ValueError(f"a block of {size} bytes holds {len(raw)}")
    # Bytes are differences to the one before, even ones first and odd ones after.
    steps = np.frombuffer(raw, np.uint8).astype(np.int64)
    steps[1:] -= _HALF_SHIFT
    plain = (np.cumsum(steps) & 255).astype(np.uint8)
    half = (size + 1) // 2
    out = np.empty(size, np.uint8)
    out[0::2], out[1::2] = plain[:half], plain[half:]
    return out.tobytes()


def _runs(block: bytes, size: int) -> bytes:
    out, at = bytearray(), 0
    while at < len(block) and len(out) <= size:
        (count,) = struct.unpack_from("<b", block, at)
        if count < 0:
            out += block[at + 1 : at + 1 - count]
            at += 1 - count
        else:
            out += block[at + 1 : at + 2] * (count + 1)
            at += 2
    return bytes(out)
