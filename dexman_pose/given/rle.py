"""Run lengths of masks as COCO writes them: lists of numbers, or the same packed into text.

A mask is run through column by column; the runs alternate between off and on, off first. In text every number but the
first three is the difference to the one two before, in groups of five bits, least first, each shifted by 48 into
letters, a sixth bit saying that more follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.errors import InputError

_ZERO = 48
_BITS = 5
_MORE = 1 << _BITS
_SIGN = 1 << (_BITS - 1)
_LOW = _MORE - 1
_MOST_GROUPS = 13
_MOST_PIXELS = 1 << 28


def decode_rle(value: Any, where: str = "mask") -> Mask:
    """The mask (H, W) of ``{"size": [H, W], "counts": [...] or text}``.

    Raises:
        InputError: another structure, or runs that do not fill the mask exactly.
    """
    if not isinstance(value, Mapping) or "counts" not in value or "size" not in value:
        raise InputError(f'{where} must be run lengths as {{"size": [H, W], "counts": ...}}')
    try:
        height, width = (int(n) for n in value["size"])
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{where}: size must be [height, width], but is {value['size']!r:.60}") from None
    if height <= 0 or width <= 0 or height * width > _MOST_PIXELS:
        raise InputError(f"{where}: no mask is {height} pixels high and {width} wide")
    counts = value["counts"]
    runs = unpack(counts, where) if isinstance(counts, (str, bytes)) else _listed(counts, where)
    if min(runs, default=0) < 0 or sum(runs) != height * width:
        raise InputError(
            f"{where}: the runs cover {sum(runs)} pixels, but the mask has {height}x{width}; is it cut off?"
        )
    flags = np.repeat(np.arange(len(runs)) % 2 == 1, np.array(runs, np.int64))
    return np.ascontiguousarray(flags.reshape(width, height).T)


def unpack(text: str | bytes, where: str = "mask") -> list[int]:
    """The numbers packed into text.

    Raises:
        InputError: other letters, or text that ends within a number.
    """
    data = text.encode("ascii", "replace") if isinstance(text, str) else text
    out: list[int] = []
    value = shift = 0
    for letter in data:
        group = letter - _ZERO
        if not 0 <= group < 2 * _MORE or shift >= _BITS * _MOST_GROUPS:
            raise InputError(f"{where}: {chr(letter)!r} does not belong into packed run lengths")
        value |= (group & _LOW) << shift
        shift += _BITS
        if not group & _MORE:
            if group & _SIGN:
                value -= 1 << shift
            out.append(value + (out[-2] if len(out) > 2 else 0))
            value = shift = 0
    if shift:
        raise InputError(f"{where}: the packed run lengths end within a number; is it cut off?")
    return out


def _listed(counts: Any, where: str) -> list[int]:
    if not isinstance(counts, (list, tuple)) or any(
        isinstance(n, bool) or not isinstance(n, int) for n in counts
    ):
        raise InputError(f"{where}: counts must be whole numbers or their packed text")
    return list(counts)
