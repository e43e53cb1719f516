"""Types of arrays that every room uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""Floating-point numbers: coordinates, transforms, errors."""

Bools = NDArray[np.bool_]
"""Flags."""

Mask = NDArray[np.bool_]
"""(H, W) pixels that belong to something."""

FloatImage = NDArray[np.float32]
"""(H, W) or (H, W, C) values of a picture, distances or depths."""

Gray = NDArray[np.uint8]
"""(H, W) brightness of a picture."""


def runs(flags: Bools) -> list[tuple[int, int]]:
    """Spans [start, stop) of consecutive True values of flags (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
