"""Arrays as the page holds them: one block of bytes, and an index by which its script finds them."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_STEPS = 32767
_SMALLEST = 1e-30
_UNKNOWN = -32768
_ALIGNED = 4  # bytes; a view of numbers begins at a multiple of their size
_KINDS = {"uint8": "u1", "uint16": "u2", "int16": "i2", "uint32": "u4", "float32": "f4"}


class Pack:
    """Collects named arrays.

    Attributes:
        index: what the script needs of each: kind, number of values, where it begins, and for rounded ones the step
            and the middle of their range.
    """

    def __init__(self) -> None:
        self.index: dict[str, dict[str, Any]] = {}
        self._parts: list[bytes] = []
        self._size = 0

    def whole(self, name: str, values: NDArray[Any]) -> None:
        """Add an array as it is: bytes, 16- or 32-bit numbers, float32."""
        data = np.ascontiguousarray(values)
        raw = data.astype(data.dtype.newbyteorder("<")).tobytes()
        self.index[name] = {"kind": _KINDS[data.dtype.name], "count": int(data.size), "at": self._size}
        padding = -len(raw) % _ALIGNED
        self._parts.append(raw + bytes(padding))
        self._size += len(raw) + padding

    def rounded(self, name: str, values: ArrayLike, known: ArrayLike | None = None) -> None:
        """Add real numbers as 16-bit ones: rounded to 1/65534 of the range of those that are known.

        Args:
            name: of the array.
            values: (T, ...) real numbers.
            known: (T,) rows whose values mean something; the others are marked as not there. All when None.
        """
        array = np.asarray(values, dtype=np.float64)
        there = np.isfinite(array)
        if known is not None:
            there &= np.asarray(known, bool).reshape(-1, *(1,) * (array.ndim - 1))
        seen = array[there]
        low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
        middle, step = 0.5 * (low + high), max(0.5 * (high - low) / _STEPS, _SMALLEST)
        with np.errstate(invalid="ignore"):
            coded = np.where(there, np.rint((array - middle) / step), _UNKNOWN)
        self.whole(name, np.clip(np.nan_to_num(coded, nan=_UNKNOWN), _UNKNOWN, _STEPS).astype(np.int16))
        self.index[name] |= {"step": step, "middle": middle}

    def data(self) -> bytes:
        """All of it, compressed; the same arrays make the same bytes."""
        return gzip.compress(b"".join(self._parts), mtime=0)
