"""The strongest edge of a picture across points of an outline or a crease, to a fraction of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage

_LEAST_BEND = 1e-6
"""Change of the slope at a peak, grey levels per pixel squared, below which it is flat."""


def changes_across(image: FloatImage, pixels: Array, normal: Array, reach: int) -> tuple[FloatImage, Array]:
    """How much a picture changes over two pixels across each point.

    Args:
        image: (h, w, C) float32.
        pixels: (N, 2) x, y.
        normal: (N, 2) unit directions.
        reach: pixels to either side.

    Returns:
        (N, S, C) absolute changes at steps along the normals, and those steps (S,).
    """
    steps = np.arange(-reach - 1, reach + 2, dtype=np.float64)
    at = pixels[:, None] + steps[None, :, None] * normal[:, None]
    profile = cv2.remap(
        image,
        at[..., 0].astype(np.float32),
        at[..., 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    changes: FloatImage = np.abs(profile[:, 2:] - profile[:, :-2])
    return changes, steps[1:-1]


def strongest_change(
    change: Array, offsets: Array, reach: int, weakest: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Where a picture changes most across each point, the nearer the better.

    Args:
        change: (N, S) at steps across each point.
        offsets: (N, S) or (1, S) pixels of these steps from the point.
        reach: twice the standard deviation of the preference for near changes.
        weakest: change below which there is no edge.

    Returns:
        (N,) offsets of the peaks, by the parabola through three steps, and whether each is one.
    """
    score = change * np.exp(-0.5 * (offsets / (0.5 * reach)) ** 2)
    best = score[:, 1:-1].argmax(1) + 1
    rows = np.arange(len(best))
    left, middle, right = change[rows, best - 1], change[rows, best], change[rows, best + 1]
    bend = np.minimum(left - 2 * middle + right, -_LEAST_BEND)
    at = np.broadcast_to(offsets, change.shape)[rows, best]
    offset = at + np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    return offset, (middle > weakest) & (middle >= left) & (middle >= right)
