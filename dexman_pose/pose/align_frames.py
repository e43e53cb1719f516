"""Which frames of a clip to look for an object in: large, little hidden, with depth where there is depth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import BACKGROUND, DepthSequence, MaskSequence

Array = NDArray[np.float64]

LEAST_PIXELS = 30
"""Masks smaller than this say nothing about a pose."""

_MEASURED = 0.1  # share of a mask with depth from which a frame tells a size


def best_frames(
    masks: MaskSequence, name: str, depth: DepthSequence | None = None, count: int = 3
) -> list[int]:
    """Up to ``count`` frames, best first, that lie apart; empty when the object has no usable mask at all.

    With depth only frames are taken that have depth on the mask, as long as there are any.
    """
    worth = np.array([_visibility(masks.labels(i), masks.label_of(name)) for i in range(masks.num_frames)])
    if masks.confidence.any():
        worth = worth * (masks.confidence[:, masks.names.index(name)] > 0)
    if depth is not None:
        measured = np.array([_measured(masks, name, depth, i) if w > 0 else 0.0 for i, w in enumerate(worth)])
        worth = worth * measured if measured.any() else worth
    apart = max(masks.num_frames // (2 * count), 1)
    chosen: list[int] = []
    while len(chosen) < count and worth.max(initial=0.0) > 0:
        best = int(worth.argmax())
        chosen.append(best)
        worth[max(best - apart, 0) : best + apart + 1] = 0.0
    return chosen


def _visibility(labels: NDArray[np.uint8], label: int) -> float:
    """Area of the mask times the share of its edge that no occluder and no image border touches."""
    mask = (labels == label).astype(np.uint8)
    area = int(mask.sum())
    if area < LEAST_PIXELS:
        return 0.0
    around = cv2.dilate(np.pad(mask, 1), np.ones((3, 3), np.uint8)) - np.pad(mask, 1)
    other = np.pad((labels != label) & (labels != BACKGROUND), 1, constant_values=True)
    ring = around > 0
    return area * float(np.mean(~other[ring]))


def _measured(masks: MaskSequence, name: str, depth: DepthSequence, frame: int) -> float:
    """Share of the mask with depth; 0 when it is too little to tell a size."""
    share = float(np.mean(depth.frame(frame)[masks.mask(frame, name)] > 0))
    return share if share >= _MEASURED else 0.0
