"""Rows that are not valid, filled from those that are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array


def held(rows: Array, valid: NDArray[np.bool_]) -> Array:
    """Rows (T, ...), those that are not valid replaced by the valid one before, at the beginning by the first."""
    if not valid.any():
        return rows
    last = np.maximum.accumulate(np.where(valid, np.arange(len(rows)), -1))
    last[last < 0] = int(np.argmax(valid))
    out: Array = rows[last]
    return out
