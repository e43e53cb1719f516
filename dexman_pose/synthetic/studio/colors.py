"""Linear light and display colours: a gamma of 2.2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.float32]

_GAMMA = 2.2


def linear(color: NDArray[np.floating]) -> FloatImage:
    """Linear light of display colours in 0..1."""
    out: FloatImage = np.clip(color, 0, 1).astype(np.float32) ** np.float32(_GAMMA)
    return out


def encoded(color: NDArray[np.floating]) -> FloatImage:
    """Display colours in 0..1 of linear light."""
    out: FloatImage = np.clip(color, 0, 1).astype(np.float32) ** np.float32(1 / _GAMMA)
    return out
