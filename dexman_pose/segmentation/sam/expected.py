"""Where an object is expected in the next frame, and how that is shown to a network. Pure functions of masks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.imaging.masks import mask_box
from dexman_pose.segmentation.sam.options import SamOptions


def step_between(before: Mask | None, now: Mask, options: SamOptions) -> tuple[int, int]:
    """Whole pixels x, y that an object moved from one frame to the next, by the middles of its masks.

    No step where either mask is empty, or where it is longer than the object can move.
    """
    if before is None or not before.any() or not now.any():
        return 0, 0
    step = _middle(now) - _middle(before)
    box = mask_box(now)
    side = 0.0 if box is None else float(max(box[2] - box[0], box[3] - box[1]))
    if float(np.hypot(*step)) > options.farthest * side:
        return 0, 0
    return round(float(step[0])), round(float(step[1]))


def moved(mask: Mask, step: tuple[int, int]) -> Mask:
    """A mask moved by whole pixels x, y; what leaves the picture is gone."""
    out = np.zeros_like(mask)
    (dx, dy), (height, width) = step, mask.shape
    if abs(dx) >= width or abs(dy) >= height:
        return out
    rows, columns = slice(max(0, dy), min(height, height + dy)), slice(max(0, dx), min(width, width + dx))
    from_rows = slice(max(0, -dy), min(height, height - dy))
    from_columns = slice(max(0, -dx), min(width, width - dx))
    out[rows, columns] = mask[from_rows, from_columns]
    return out


def box_around(mask: Mask, options: SamOptions) -> Array:
    """A loose box (4,) x0, y0, x1, y1 around a mask that is not empty, within the picture."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    low, high = np.array([columns[0], rows[0]], float), np.array([columns[-1], rows[-1]], float)
    margin = options.margin * float((high - low).max())
    edge = np.array([mask.shape[1] - 1.0, mask.shape[0] - 1.0])
    return np.concatenate([np.clip(low - margin, 0, edge), np.clip(high + margin, 0, edge)])


def clicks_inside(mask: Mask, options: SamOptions) -> NDArray[np.float64]:
    """Pixels (N, 3) x, y, 1 deep inside a mask, far from each other: on an elongated thing they spread over it."""
    away = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    deep = away >= options.clearance * away.max()
    ys, xs = np.nonzero(deep & mask)
    places = np.stack([xs, ys], 1).astype(float)
    chosen = [int(np.argmax(away[ys, xs]))]
    nearest = np.linalg.norm(places - places[chosen[0]], axis=1)
    for _ in range(options.clicks - 1):
        farthest = int(np.argmax(nearest))
        if nearest[farthest] <= 1:
            break
        chosen.append(farthest)
        nearest = np.minimum(nearest, np.linalg.norm(places - places[farthest], axis=1))
    return np.concatenate([places[chosen], np.ones((len(chosen), 1))], 1)


def overlap(one: Mask, other: Mask) -> float:
    """Intersection over union; 0 where both are empty."""
    union = int((one | other).sum())
    return float((one & other).sum()) / union if union else 0.0


def _middle(mask: Mask) -> Array:
    ys, xs = np.nonzero(mask)
    return np.array([xs.mean(), ys.mean()])
