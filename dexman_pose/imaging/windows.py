"""Windows of a picture: rectangles of pixels that images of one object cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.imaging.masks import Window


def shape_of(window: Window) -> tuple[int, int]:
    """Height and width in pixels."""
    rows, cols = window
    return rows.stop - rows.start, cols.stop - cols.start


def overlap(a: Window, b: Window) -> bool:
    """Whether two windows share a pixel."""
    return all(s.start < t.stop and t.start < s.stop for s, t in zip(a, b))


def around_both(a: Window, b: Window) -> Window:
    """The smallest window that holds two others."""
    rows, cols = (slice(min(s.start, t.start), max(s.stop, t.stop)) for s, t in zip(a, b))
    return rows, cols


def widened(window: Window, margin: int, shape: tuple[int, ...]) -> Window:
    """A window with ``margin`` more pixels on every side, inside a picture of a shape (H, W)."""
    rows, cols = (
        slice(max(0, s.start - margin), min(size, s.stop + margin)) for s, size in zip(window, shape)
    )
    return rows, cols


def inside(window: Window, outer: Window) -> Window:
    """The same pixels, counted from the first pixel of ``outer``."""
    rows, cols = (slice(s.start - o.start, s.stop - o.start) for s, o in zip(window, outer))
    return rows, cols


def seen_through(image: NDArray[np.generic], its: Window, window: Window) -> NDArray[np.generic]:
    """The image (h, w, ...) of one window in another; zero where it does not reach."""
    out = np.zeros(shape_of(window) + image.shape[2:], image.dtype)
    if overlap(its, window):
        rows, cols = (slice(max(s.start, t.start), min(s.stop, t.stop)) for s, t in zip(its, window))
        out[inside((rows, cols), window)] = image[inside((rows, cols), its)]
    return out
