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
