"""Display colours as linear light, which glTF and USD have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array


def linear_light(shown: NDArray[np.uint8]) -> Array:
    """Linear light in 0 to 1 of display bytes, by the sRGB curve (IEC 61966-2-1)."""
    x = np.arange(256) / 255.0
    table = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    out: Array = table[shown]
    return out
