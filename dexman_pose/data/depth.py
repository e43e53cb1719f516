"""Depth images of a clip (first version: its owner is replacing it)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class DepthSequence:
    """``frame(i)`` gives (H, W) float32 metres, 0 where there is no measurement."""

    def __init__(self, images: list[NDArray[np.float32]]) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def frame(self, index: int) -> NDArray[np.float32]:
        return self._images[index]
