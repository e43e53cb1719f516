"""Correlation of pictures that tolerates changes of light: local contrast, local agreement."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Gray, Mask
from dexman_pose.imaging.options import CONTRAST
from dexman_pose.imaging.resize import Way, resize_picture

_NO_CONTRAST = 1e-9
"""Size of a picture's deviations from its mean, squared grey levels, that rounding makes."""


def cover_of(mask: Mask, window: int = CONTRAST.window) -> NDArray[np.float32]:
    """Share of the neighbourhood of each pixel that a mask covers, at half the size, for :func:`local_contrast`."""
    return np.maximum(_smooth(mask.astype(np.float32), window), np.float32(CONTRAST.least_cover))


def local_contrast(
    gray: NDArray[np.float32],
    mask: Mask | None = None,
    window: int = CONTRAST.window,
    cover: NDArray[np.float32] | None = None,
) -> Gray:
    """A grey picture with brightness and contrast evened out locally, so that shading does not matter.

    With a ``mask`` only its pixels count, and pixels outside become mid-grey: an edge of the mask is no feature.
    ``window`` pixels is about how far light is taken to be even. ``cover`` is :func:`cover_of` the mask, where it is
    at hand.
    """
    weight = np.ones_like(gray) if mask is None else mask.astype(np.float32)
    norm = cover
    if norm is None:
        norm = np.maximum(_smooth(weight, window), np.float32(CONTRAST.least_cover))
    mean = np.asarray(_smooth(gray * weight, window) / norm, np.float32)
    centred = np.asarray((gray - _whole(mean, gray.shape)) * weight, np.float32)
    # Running sums leave rounding errors below zero.
    spread = np.sqrt(np.maximum(_smooth(centred * centred, window), np.float32(0.0)) / norm)
    scale = np.float32(CONTRAST.spread) / (_whole(spread, gray.shape) + np.float32(CONTRAST.floor))
    return np.asarray(np.clip(np.float32(CONTRAST.middle) + scale * centred, 0, 255), np.uint8)


def _smooth(image: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Nearly a Gaussian of 0.4 windows, at half the size: what is smooth needs no more."""
    half = _half(image)
    size = (window // 2 | 1, window // 2 | 1)
    # Two boxes cost the same at any size.
    return np.asarray(cv2.blur(cv2.blur(half, size), size), np.float32)


def _half(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """An image at half its size."""
    height, width = image.shape
    half = resize_picture(image, ((width + 1) // 2, (height + 1) // 2), Way.LINEAR)
    return np.asarray(half, np.float32)


def _whole(half: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """An image of half the size brought back to (height, width)."""
    return np.asarray(resize_picture(half, (size[1], size[0]), Way.LINEAR), np.float32)


def correlation(rendered: NDArray[np.float32] | Gray, image: NDArray[np.float32] | Gray, mask: Mask) -> float:
    """Normalised correlation in [-1, 1] of two pictures (h, w[, 3]) over a mask, each channel centred on its own."""
    count = int(np.count_nonzero(mask))
    if count < CONTRAST.least_pixels:
        return 0.0
    a = rendered[mask].astype(np.float64).reshape(count, -1)
    b = image[mask].astype(np.float64).reshape(a.shape)
    a, b = a - a.mean(0), b - b.mean(0)
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > _NO_CONTRAST else 0.0


def local_agreement(model: Gray, seen: Gray, mask: Mask) -> Mask:
    """(h, w) where rendering and picture look alike in their neighbourhood: what hides the object does not."""
    weight = mask.astype(np.float32)
    a, b = ((p.astype(np.float32) - CONTRAST.middle) * weight for p in (model, seen))
    size = (CONTRAST.agreement_window, CONTRAST.agreement_window)
    product, first, second = (cv2.boxFilter(_half(x), -1, size) for x in (a * b, a * a, b * b))
    excess = product - np.float32(CONTRAST.agreement) * np.sqrt(first * second)
    alike: Mask = _whole(excess, mask.shape) > 0
    return alike & mask
