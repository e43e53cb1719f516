"""Lines of text as coverage images, drawn once and kept."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Bools


@lru_cache(maxsize=8)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


@lru_cache(maxsize=1024)
def text_coverage(text: str, size: int) -> NDArray[np.float32]:
    """(h, w) in 0..1, how much of each pixel a line of text covers; ``h`` depends on ``size`` only.

    Words are drawn one by one and kept: of a line that changes most words stay.
    """
    words, starts, along = text.split(" "), [], 0.0
    for word in words:
        starts.append(round(along))
        along += _length(word, size) + _length(" ", size)
    drawn = [_word(word, size) for word in words]
    width = max(start + cover.shape[1] for start, cover in zip(starts, drawn))
    out = np.zeros((drawn[0].shape[0], width), np.float32)
    for start, cover in zip(starts, drawn):
        place = out[:, start : start + cover.shape[1]]
        np.maximum(place, cover, out=place)
    return out


@lru_cache(maxsize=1024)
def _length(word: str, size: int) -> float:
    return float(_font(size).getlength(word))


@lru_cache(maxsize=1024)
def _word(word: str, size: int) -> NDArray[np.float32]:
    from PIL import Image, ImageDraw

    width = max(1, int(np.ceil(_length(word, size))) + 1)
    image = Image.new("L", (width, round(size * 1.35)), 0)
    ImageDraw.Draw(image).text((0, round(size * 0.1)), word, font=_font(size), fill=255)
    return np.asarray(image, dtype=np.float32) / 255.0


def percent(share: float) -> str:
    """A share as a percentage that says 100 only for all and 0 only for none."""
    if 0.0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1.0:
        return ">99 %"
    return f"{100 * share:.0f} %"


def frame_ranges(flags: Bools, *, limit: int = 24) -> str:
    """Frames that are True as text, e.g. ``"3, 10-24"``; after ``limit`` ranges the rest is counted."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    runs = [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2])]
    text = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs[:limit])
    return text + (f" and {len(runs) - limit} more ranges" if len(runs) > limit else "")
