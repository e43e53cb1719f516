"""The line about which an outline is most like its own mirror image: where the axis of a body of revolution is seen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array


def mirror_line(mask: NDArray[np.bool_], steps: int = 36) -> tuple[Array, float]:
    """Direction (2,) unit, x and y, of the line through the middle, and the overlap with the mirror image.

    Args:
        mask: (h, w) cells.
        steps: directions that are tried, over half a turn.
    """
    y, x = np.nonzero(mask)
    middle = np.array([x.mean(), y.mean()])
    image, best, line = mask.astype(np.uint8), -1.0, np.array([1.0, 0.0])
    for angle in np.arange(steps) * np.pi / steps:
        cos, sin = np.cos(2 * angle), np.sin(2 * angle)
        turn = np.array([[cos, sin], [sin, -cos]])
        matrix = np.column_stack([turn, middle - turn @ middle])
        other = cv2.warpAffine(image, matrix, (mask.shape[1], mask.shape[0]), flags=cv2.INTER_NEAREST) > 0
        overlap = float((other & mask).sum() / max((other | mask).sum(), 1))
        if overlap > best:
            best, line = overlap, np.array([np.cos(angle), np.sin(angle)])
    return line, best
