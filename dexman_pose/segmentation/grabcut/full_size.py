"""Labels of the working size drawn at the size of the clip."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data import OCCLUDER
from dexman_pose.imaging.masks import Float, Window, window_around
from dexman_pose.imaging.windows import shape_of
from dexman_pose.segmentation.grabcut.state import ObjectState


def full_labels(
    labels: NDArray[np.uint8], states: list[ObjectState], numbers: Mapping[str, int], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Draw labels at the size of the clip.

    Outlines of objects are drawn where their probability passes one half, between the pixels of the working size.

    Args:
        labels: (h, w) uint8, at the working size.
        states: the objects in them.
        numbers: label value of each object.
        shape: height and width of the clip.
    """
    if labels.shape == shape:
        return labels
    out = np.zeros(shape, np.uint8)
    hidden = labels == OCCLUDER
    window = window_around(hidden, 1)
    if window is not None:
        place, share = _enlarged(hidden[window].astype(np.float32), window, labels.shape, shape)
        out[place][share > 0.5] = OCCLUDER
    best = np.full(shape, 0.5, np.float32) if len(states) > 1 else None
    for state in states:
        place, share = _enlarged(state.outline.probability, state.outline.window, labels.shape, shape)
        least = np.float32(0.5) if best is None else best[place]
        won = share > least
        out[place][won] = numbers[state.name]
        if best is not None:
            np.maximum(least, share, out=best[place])
    return out


def _enlarged(
    image: Float, window: Window, small: tuple[int, ...], shape: tuple[int, int]
) -> tuple[Window, Float]:
    """The window of the full picture that a window of the small one covers, and the image of the latter there."""
    factors = [full / size for full, size in zip(shape, small)]
    rows, cols = (
        slice(int(np.floor(s.start * f)), min(full, int(np.ceil(s.stop * f))))
        for s, f, full in zip(window, factors, shape)
    )
    fy, fx = factors
    matrix = np.array(
        [
            [fx, 0, (window[1].start + 0.5) * fx - 0.5 - cols.start],
            [0, fy, (window[0].start + 0.5) * fy - 0.5 - rows.start],
        ]
    )
    height, width = shape_of((rows, cols))
    found: Float = cv2.warpAffine(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return (rows, cols), found


def settled(probability: Float, mask: Mask, margin: float) -> Float:
    """Probabilities (h, w) that agree with a mask: at least ``margin`` above one half in it, below it outside."""
    low, high = np.float32(0.5 - margin), np.float32(0.5 + margin)
    return np.asarray(np.where(mask, np.maximum(probability, high), np.minimum(probability, low)), np.float32)
