"""Colour likelihoods: smoothed histograms in CIE Lab, and narrow densities around an expected colour.

All densities are per histogram bin, so that a histogram and a Gaussian around one colour can be compared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require

Lab = NDArray[np.uint8]
Float = NDArray[np.float32]
Bins = NDArray[np.int32]

_L_BINS, _CHROMA_BINS = 40, 32
NUM_BINS = _L_BINS * _CHROMA_BINS * _CHROMA_BINS
"""Bins of the histogram. In lightness 4 wide below 64, where dark things differ by little, and 8 above; in chroma 4
wide over [64, 192), which chroma rarely leaves."""

_LEVELS = np.arange(256)
LIGHTNESS = np.where(_LEVELS < 64, _LEVELS / 4.0, 8.0 + _LEVELS / 8.0).astype(np.float32)
"""Lightness bin, not rounded, of each 8-bit L."""
_CHROMA_BIN = np.clip((_LEVELS - 64) >> 2, 0, 31)
_BIN_OF = np.stack([LIGHTNESS.astype(int), _CHROMA_BIN, _CHROMA_BIN], -1)[None].astype(np.uint8)
_SIGMA = (0.75, 3.0, 3.0)
"""Spread of a surface's colour from frame to frame: in lightness bins, a, b."""
_PEAK = float(16.0 / ((2 * np.pi) ** 1.5 * np.prod(_SIGMA)))
COLOR_WEIGHT = 0.7
"""Weight of log colour densities against priors: neighbouring pixels are not independent witnesses."""
_DEEPEST = 3.5
"""Price, in squared deviations, of the deepest shadow: where things touch, light fades to almost nothing."""
_SHADES = ((0.85, 0.15), (0.7, 0.1), (0.55, 0.07))
"""Darkening by a shadow, and how often it is met beside the lit surface."""
FLOOR = 1.0 / 5000.0
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
        self._counts = np.zeros(NUM_BINS, np.float32)
        self._density: Float | None = None

    @classmethod
    def weighted(cls, bins: Bins, weight: NDArray[np.floating]) -> ColorModel:
        """The model of pixels that count differently."""
        model = cls()
        counts = np.bincount(bins.ravel(), weight.ravel(), minlength=NUM_BINS).astype(np.float32)
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
        new = np.bincount(bins.ravel(), minlength=NUM_BINS).astype(np.float32)
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
            return np.full(NUM_BINS, FLOOR, np.float32)
        table = self._counts.reshape(_L_BINS, _CHROMA_BINS, _CHROMA_BINS)
        smooth = gaussian_filter(table, (0.7, 0.8, 0.8), mode="nearest", truncate=3.0).ravel()
        broad = gaussian_filter(table, (2.0, 2.5, 2.5), mode="nearest", truncate=2.0).ravel()
        return (0.85 * smooth + 0.1 * broad + 0.05 * FLOOR).astype(np.float32)

    def shaded(self) -> ColorModel:
        """The same colours, and at a lower rate the same in shadow: L, a - 128 and b - 128 scaled down together."""
        used = np.flatnonzero(self._counts)
        level, a, b = used >> 10, (used >> 5) & 31, used & 31
        lightness = np.where(level < 16, 4.0 * level + 2, 8.0 * (level - 8) + 4)
        other = self.copy()
        for scale, share in _SHADES:
            lab = [lightness * scale, *(128 + scale * (4.0 * v + 66 - 128) for v in (a, b))]
            image = np.clip(np.stack(lab, -1)[None], 0, 255).astype(np.uint8)
            np.add.at(other._counts, to_bins(image)[0], share * self._counts[used])
        other._counts /= max(float(other._counts.sum()), 1e-9)
        return other

    def copy(self) -> ColorModel:
        """An independent copy."""
        other = ColorModel()
        other._counts = self._counts.copy()
        return other


def near(lab: Lab, expected: Float) -> Float:
    """Density per bin of pixels under a narrow Gaussian around the expected Lab colours (H, W, 3) float32."""
    cost = np.square((LIGHTNESS[lab[..., 0]] - _lightness(expected[..., 0])) / _SIGMA[0])
    for i in (1, 2):
        cost += np.square((lab[..., i] - expected[..., i]) / _SIGMA[i])
    return np.float32(_PEAK) * np.exp(-0.5 * cost)


def _lightness(level: Float) -> Float:
    """Lightness in bins."""
    return np.minimum(level * np.float32(0.25), 8 + level * np.float32(0.125))


def near_shaded(lab: Lab, expected: Float, darkest: float = 0.1) -> Float:
    """Like :func:`near`, but a darker (or slightly brighter) version of the same surface counts as well.

    A shadow scales L, a - 128 and b - 128 together; the best scale within [darkest, 1.15] is used, at a price.
    """
    c, p = [lab[..., i].astype(np.float32) for i in range(3)], [expected[..., i] for i in range(3)]
    c[1:], p[1:] = [v - 128 for v in c[1:]], [v - 128 for v in p[1:]]
    scale = c[0] * p[0] + c[1] * p[1] + c[2] * p[2]
    scale /= np.maximum(p[0] * p[0] + p[1] * p[1] + p[2] * p[2], 1.0)
    np.clip(scale, darkest, 1.15, out=scale)
    cost = np.minimum(np.square((1 - scale) * 4), _DEEPEST)
    cost += np.square((LIGHTNESS[lab[..., 0]] - _lightness(scale * p[0])) / _SIGMA[0])
    for i in (1, 2):
        cost += np.square((c[i] - scale * p[i]) / _SIGMA[i])
    return np.float32(_PEAK) * np.exp(-0.5 * cost)
