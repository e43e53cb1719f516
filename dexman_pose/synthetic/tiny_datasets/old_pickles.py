"""Pickles as Python 2 wrote them, of objects whose classes are not installed; written operation by operation."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class OldObject:
    """An object by the name of its class and its state.

    Attributes:
        name: module and class, e.g. ``chumpy.ch.Ch``.
        state: what pickling would write of it: a dict of its attributes.
    """

    name: str
    state: Any


class OldPickler:
    """Writes containers, numbers, texts, arrays and :class:`OldObject` as Python 2 and numpy 1 did.

    Args:
        protocol: 0 (lines of text), 1 or 2.
    """

    def __init__(self, protocol: int = 2) -> None:
        self.protocol = protocol
        self._memo: dict[int, int] = {}
        self._alive: list[Any] = []

    def dumps(self, value: Any) -> bytes:
        """The pickle of a value."""
        self._memo, self._alive = {}, []
        start = b"\x80\x02" if self.protocol == 2 else b""
        return start + self._of(value) + b"."

    def _of(self, value: Any) -> bytes:
        if isinstance(value, (dict, list, set, np.ndarray, OldObject)):
            if id(value) in self._memo:
                return b"g%d\n" % self._memo[id(value)]
            self._alive.append(value)
            self._memo[id(value)] = len(self._memo)
            return self._shared(value, self._memo[id(value)])
        if value is None:
            return b"N"
        if isinstance(value, str):
            return self._text(value.encode("latin-1"))
        if isinstance(value, tuple):
            return b"(" + b"".join(map(self._of, value)) + b"t"
        if isinstance(value, (bool, np.bool_)):
            return b"I01\n" if value else b"I00\n"
        if isinstance(value, (int, np.integer)):
            return b"I%d\n" % value
        return b"F%r\n" % float(value)

    def _shared(self, value: Any, number: int) -> bytes:
        put = b"p%d\n" % number
        if isinstance(value, dict):
            pairs = b"".join(self._of(k) + self._of(v) + b"s" for k, v in value.items())
            return b"(d" + put + pairs
        if isinstance(value, list):
            return b"(l" + put + b"".join(self._of(item) + b"a" for item in value)
        if isinstance(value, set):
            return b"c__builtin__\nset\n" + self._of((sorted(value),)) + b"R" + put
        return self._array(value, put) if isinstance(value, np.ndarray) else self._object(value, put)

    def _object(self, value: OldObject, put: bytes) -> bytes:
        module, _, name = value.name.rpartition(".")
        kind = f"c{module}\n{name}\n".encode()
        if self.protocol == 2:
            made = kind + b")\x81"
        else:
            made = b"ccopy_reg\n_reconstructor\n(" + kind + b"c__builtin__\nobject\nNtR"
        return made + put + self._of(value.state) + b"b"

    def _array(self, value: NDArray[Any], put: bytes) -> bytes:
        made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\nt" + self._text(b"b") + b"tR"
        code, order = value.dtype.str[1:], value.dtype.str[0]
        dtype = b"cnumpy\ndtype\n(" + self._text(code.encode()) + b"I0\nI1\ntR"
        dtype += b"(I3\n" + self._text(order.encode()) + b"NNNI-1\nI-1\nI0\ntb"
        state = b"(I1\n" + self._of(value.shape) + dtype + b"I00\n" + self._text(value.tobytes()) + b"tb"
        return made + put + state

    def _text(self, raw: bytes) -> bytes:
        if self.protocol == 0:
            return b"S" + repr(raw)[1:].encode() + b"\n"
        if len(raw) < 1 << 8:
            return b"U" + bytes([len(raw)]) + raw
        return b"T" + struct.pack("<i", len(raw)) + raw
