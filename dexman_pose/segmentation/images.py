"""Small image helpers: resizing, boxes, distances, connected parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require

Mask = NDArray[np.bool_]
Float = NDArray[np.float32]
Window = tuple[slice, slice]


def resized(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """``image`` at ``size`` (width, height), area-averaged; the image itself when it has that size."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    cv2 = require("cv2", "video", "segmenting a video")
    out: NDArray[np.uint8] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return out


def mask_at(mask: Mask, size: tuple[int, int]) -> Mask:
    """A mask at another ``size`` (width, height): pixels at least half covered."""
    if (mask.shape[1], mask.shape[0]) == size:
        return mask
    cv2 = require("cv2", "video", "segmenting a video")
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0.5)


def window_around(mask: Mask, margin: int) -> Window | None:
    """Rows and columns of the box around ``mask``, ``margin`` pixels loose, or None for an empty mask."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows) == 0:
        return None
    h, w = mask.shape
    return (
        slice(max(0, int(rows[0]) - margin), min(h, int(rows[-1]) + 1 + margin)),
        slice(max(0, int(cols[0]) - margin), min(w, int(cols[-1]) + 1 + margin)),
    )


def signed_distance(mask: Mask) -> Float:
    """Pixels to the outline, positive inside, for every pixel (H, W) float32."""
    cv2 = require("cv2", "video", "segmenting a video")
    inside = mask.astype(np.uint8)
    if not inside.any():
        return np.full(mask.shape, -1e3, np.float32)
    if inside.all():
        return np.full(mask.shape, 1e3, np.float32)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    outside = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    out: Float = np.where(mask, within - 0.5, 0.5 - outside).astype(np.float32)
    return out


def dilated(mask: Mask, radius: int) -> Mask:
    """``mask`` grown by ``radius`` pixels."""
    return _morph(mask, radius, "dilate")


def eroded(mask: Mask, radius: int) -> Mask:
    """``mask`` shrunk by ``radius`` pixels; the image border does not shrink it."""
    return _morph(mask, radius, "erode")


def _morph(mask: Mask, radius: int, what: str) -> Mask:
    if radius <= 0:
        return mask
    cv2 = require("cv2", "video", "segmenting a video")
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(getattr(cv2, what)(mask.astype(np.uint8), kernel)).astype(bool)


def fill_small_holes(mask: Mask, largest: int) -> Mask:
    """``mask`` with holes of at most ``largest`` pixels filled."""
    cv2 = require("cv2", "video", "segmenting a video")
    count, parts, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= largest
    small[0] = False
    return mask | small[parts] if count > 1 else mask


def kept_parts(mask: Mask, anchor: Mask, smallest: float) -> Mask:
    """The connected parts of ``mask`` that meet ``anchor`` and have ``smallest`` pixels or more."""
    cv2 = require("cv2", "video", "segmenting a video")
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    meets = np.bincount(parts[anchor & mask], minlength=count) > 0
    keep = meets & (stats[:, cv2.CC_STAT_AREA] >= smallest)
    keep[0] = False
    out: Mask = keep[parts]
    return out
