"""Colour likelihoods: smoothed histograms in CIE Lab, and narrow densities around an expected colour.

All densities are per histogram bin, so that a histogram and a Gaussian around one colour can be compared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require

_LEVELS = np.arange(256)
_CHROMA_BIN = np.clip((_LEVELS - 64) >> 2, 0, 31)
_BIN_OF = np.stack([_LEVELS >> 3, _CHROMA_BIN, _CHROMA_BIN], -1)[None].astype(np.uint8)

Lab = NDArray[np.uint8]
Float = NDArray[np.float32]
Bins = NDArray[np.int32]

BIN_SIZE = (8.0, 4.0, 4.0)
"""Width of a bin in L, a and b of 8-bit Lab. Chroma rarely leaves [64, 192), so 32 bins of 4 cover it."""
NUM_BINS = 32
_VOLUME = BIN_SIZE[0] * BIN_SIZE[1] * BIN_SIZE[2]
_SIGMA = np.array([6.0, 3.0, 3.0], np.float32)
_PEAK = float(_VOLUME / ((2 * np.pi) ** 1.5 * _SIGMA.prod()))
_FLOOR = 1.0 / 4000.0
"""Share of a bin under a uniform density over the colours that occur in pictures: an eighth of the table."""


def to_lab(rgb: NDArray[np.uint8]) -> Lab:
    """8-bit Lab (H, W, 3) of an RGB image (H, W, 3) uint8: L in [0, 255], a and b centred on 128."""
    cv2 = require("cv2", "video", "segmenting a video")
    lab: Lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    return lab


def to_bins(lab: Lab) -> Bins:
    """Index of the histogram bin of every pixel, (H, W) int32."""
    cv2 = require("cv2", "video", "segmenting a video")
    coarse = cv2.LUT(lab, _BIN_OF)
    bins = coarse[..., 0].astype(np.int32) << 10
    bins |= coarse[..., 1].astype(np.int32) << 5
    bins |= coarse[..., 2]
    return bins


class ColorModel:
    """A colour histogram that forgets slowly: counts in Lab, smoothed and normalised when asked."""

    def __init__(self) -> None:
        self._counts = np.zeros(NUM_BINS**3, np.float32)
        self._density: Float | None = None

    @classmethod
    def weighted(cls, bins: Bins, weight: NDArray[np.floating]) -> ColorModel:
        """The model of pixels that count differently."""
        model = cls()
        counts = np.bincount(bins.ravel(), weight.ravel(), minlength=NUM_BINS**3).astype(np.float32)
        model._counts = counts / max(float(counts.sum()), 1e-9)
        return model

    @property
    def empty(self) -> bool:
        """True while no pixel has been added."""
        return not self._counts.any()

    def add(self, bins: Bins, share: float = 1.0) -> None:
        """Mix in pixels: the model becomes ``(1 - share)`` of what it was and ``share`` of these (M,) bins."""
        if bins.size == 0:
            return
        new = np.bincount(bins.ravel(), minlength=NUM_BINS**3).astype(np.float32)
        new /= new.sum()
        self._counts = new if self.empty else (1 - share) * self._counts + share * new
        self._density = None

    def density(self, bins: Bins) -> Float:
        """Density per bin of each pixel, never zero: a uniform floor stands for colours not yet seen."""
        if self._density is None:
            self._density = self._smoothed()
        return self._density[bins]

    def _smoothed(self) -> Float:
        from scipy.ndimage import gaussian_filter

        if self.empty:
            return np.full(NUM_BINS**3, _FLOOR, np.float32)
        table = self._counts.reshape(NUM_BINS, NUM_BINS, NUM_BINS)
        smooth = gaussian_filter(table, (0.7, 0.8, 0.8), mode="nearest", truncate=3.0).ravel()
        return (0.95 * smooth + 0.05 * _FLOOR).astype(np.float32)

    def copy(self) -> ColorModel:
        """An independent copy."""
        other = ColorModel()
        other._counts = self._counts.copy()
        return other


def near(lab: Lab, expected: Float) -> Float:
    """Density per bin of pixels under a narrow Gaussian around the expected Lab colours (H, W, 3) float32."""
    cost = np.zeros(lab.shape[:-1], np.float32)
    for i, sigma in enumerate(_SIGMA):
        cost += np.square((lab[..., i] - expected[..., i]) / sigma)
    return np.float32(_PEAK) * np.exp(-0.5 * cost)


def near_shaded(lab: Lab, expected: Float) -> Float:
    """Like :func:`near`, but a darker (or slightly brighter) version of the same surface counts as well.

    A shadow scales L, a - 128 and b - 128 together; the best scale within [0.55, 1.15] is used, at a price.
    """
    c, p = [lab[..., i].astype(np.float32) for i in range(3)], [expected[..., i] for i in range(3)]
    c[1:], p[1:] = [v - 128 for v in c[1:]], [v - 128 for v in p[1:]]
    scale = sum(a * b for a, b in zip(c, p)) / np.maximum(sum(b * b for b in p), 1.0)
    np.clip(scale, 0.55, 1.15, out=scale)
    cost = np.square((1 - scale) * 4)
    for a, b, sigma in zip(c, p, _SIGMA):
        cost += np.square((a - scale * b) / sigma)
    return np.float32(_PEAK) * np.exp(-0.5 * cost)
