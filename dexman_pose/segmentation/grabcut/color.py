"""Colour likelihoods: smoothed histograms in CIE Lab, and narrow densities around an expected colour.

All densities are per histogram bin, so that a histogram and a Gaussian around one colour can be compared.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose._warp import wp
from dexman_pose.segmentation.grabcut.kernels import colors as kernels
from dexman_pose.segmentation.grabcut.kernels.workspace import Workspace, shared
from dexman_pose.segmentation.grabcut.model_options import ColorOptions
from dexman_pose.segmentation.grabcut.options import DEFAULTS

Lab = NDArray[np.uint8]
Float = NDArray[np.float32]
Bins = NDArray[np.int32]

_CHROMA_BITS = 5
_L_BINS, _CHROMA_BINS = 40, 1 << _CHROMA_BITS
NUM_BINS = _L_BINS * _CHROMA_BINS * _CHROMA_BINS
"""Bins of the histogram. In lightness 4 wide below 64, where dark things differ by little, and 8 above; in chroma 4
wide over [64, 192), which chroma rarely leaves."""

_LEVELS = np.arange(256)
_NEUTRAL = 128
"""8-bit a and b of grey."""
LIGHTNESS = np.where(_LEVELS < 64, _LEVELS / 4.0, 8.0 + _LEVELS / 8.0).astype(np.float32)
"""Lightness bin, not rounded, of each 8-bit L."""
_CHROMA_BIN = np.clip((_LEVELS - 64) >> 2, 0, _CHROMA_BINS - 1)
_BIN_OF = np.stack([LIGHTNESS.astype(int), _CHROMA_BIN, _CHROMA_BIN], -1)[None].astype(np.uint8)
_DARK_BINS = 16
_DARK_CENTRES = 4.0 * np.arange(_DARK_BINS) + 2
_L_CENTRES = np.concatenate([_DARK_CENTRES, 8.0 * (np.arange(_DARK_BINS, _L_BINS) - 8) + 4])
_CHROMA_CENTRES = 4.0 * np.arange(_CHROMA_BINS) + 66 - _NEUTRAL
"""8-bit L, and a or b from neutral, at the centre of each bin."""
_DARK_RATE, _LIGHT_RATE, _LIGHT_OFFSET = np.float32(0.25), np.float32(0.125), 8
"""Lightness bins per 8-bit L in the dark and in the light, and where the light ones would start at L = 0."""
_CHROMA_BIN_AREA = 16.0
_GAUSSIAN_NORM = float((2 * np.pi) ** 1.5)
_TINY = 1e-9
"""Keeps an empty histogram from dividing by zero."""


def to_lab(rgb: NDArray[np.uint8]) -> Lab:
    """8-bit Lab (H, W, 3) of an RGB image (H, W, 3) uint8: L in [0, 255], a and b centred on 128."""
    lab: Lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    return lab


def to_bins(lab: Lab) -> Bins:
    """Index of the histogram bin of every pixel, (H, W) int32."""
    coarse = cv2.LUT(lab, _BIN_OF)
    bins = coarse[..., 0].astype(np.int32) << 2 * _CHROMA_BITS
    bins |= coarse[..., 1].astype(np.int32) << _CHROMA_BITS
    bins |= coarse[..., 2]
    return bins


class Densities:
    """Holds a density per histogram bin; the table is made when it is asked for after a change."""

    def __init__(self) -> None:
        self._table = np.empty(NUM_BINS, np.float32)
        self._array: Any = None
        self._made: object = None

    def table(self) -> Float:
        """(NUM_BINS,) density of each bin, never zero; the next change writes over it."""
        version = self.version()
        if self._made != version:
            self._fill(self._table)
            self._made = version
        return self._table

    def array(self) -> Any:
        """:meth:`table` as a Warp array."""
        table = self.table()
        if self._array is None:
            self._array = shared(table)
        return self._array

    def density(self, bins: Bins) -> Float:
        """Density per bin of each pixel, never zero: a uniform floor stands for colours not yet seen."""
        return self.table()[bins]

    def version(self) -> object:
        """What is equal for as long as the densities are the same."""
        raise NotImplementedError

    def _fill(self, table: Float) -> None:
        raise NotImplementedError


class Mixture(Densities):
    """Holds densities mixed of two others.

    Args:
        first: counts with ``share``.
        second: counts with the rest.
        share: in [0, 1].
    """

    def __init__(self, first: Densities, second: Densities, share: float) -> None:
        super().__init__()
        self._parts, self._share = (first, second), np.float32(share)

    def version(self) -> object:
        """Those of both parts."""
        return tuple(part.version() for part in self._parts)

    def _fill(self, table: Float) -> None:
        first, second = (part.table() for part in self._parts)
        np.subtract(first, second, out=table)
        table *= self._share
        table += second


class ColorModel(Densities):
    """Holds a colour histogram that forgets slowly: counts in Lab, smoothed and normalised when asked.

    Args:
        options: smoothing, shadows and the density of colours never seen.
    """

    def __init__(self, options: ColorOptions = DEFAULTS.color) -> None:
        super().__init__()
        self._options = options
        self._counts = np.zeros(NUM_BINS, np.float32)
        self._version = 0

    @classmethod
    def weighted(
        cls, bins: Bins, weight: NDArray[np.floating], options: ColorOptions = DEFAULTS.color
    ) -> ColorModel:
        """Make the model of pixels (h, w) that count with a weight (h, w) each."""
        model = cls(options)
        counts = np.bincount(bins.ravel(), weight.ravel(), minlength=NUM_BINS).astype(np.float32)
        model._counts = counts / max(float(counts.sum()), _TINY)
        return model

    @property
    def empty(self) -> bool:
        """True while no pixel has been added."""
        return not self._counts.any()

    def version(self) -> object:
        """Times that pixels were added."""
        return self._version

    def add(self, bins: Bins, share: float = 1.0) -> None:
        """Mix in pixels: the model becomes ``(1 - share)`` of what it was and ``share`` of these (M,) bins."""
        if bins.size == 0:
            return
        new = np.bincount(bins.ravel(), minlength=NUM_BINS).astype(np.float32)
        self.add_counts(new, share)

    def add_counts(self, counts: Float, share: float = 1.0) -> None:
        """Mix in pixels by their number (NUM_BINS,) in each bin, as :meth:`add` does."""
        new = counts / np.float32(max(float(counts.sum()), _TINY))
        self._counts = new if self.empty else (1 - share) * self._counts + share * new
        self._version += 1

    def _fill(self, table: Float) -> None:
        if self.empty:
            table[...] = self._options.uniform_density
        else:
            _blurring.smoother(self._options).smooth(self._counts, table)

    def shaded(self) -> ColorModel:
        """Make a model of the same colours, and at a lower rate of the same in shadow.

        A shadow scales L, a - 128 and b - 128 down together.
        """
        used = np.flatnonzero(self._counts)
        other = self.copy()
        for scale, share in self._options.shades:
            other._counts += np.bincount(_shaded_bins(scale)[used], share * self._counts[used], NUM_BINS)
        other._counts /= max(float(other._counts.sum()), _TINY)
        other._version += 1
        return other

    def copy(self) -> ColorModel:
        """An independent copy."""
        other = ColorModel(self._options)
        other._counts = self._counts.copy()
        return other


@lru_cache(maxsize=16)
def _shaded_bins(scale: float) -> Bins:
    """(NUM_BINS,) the bin that each bin's colour falls into in a shadow that leaves ``scale`` of the light."""
    level, a, b = np.unravel_index(np.arange(NUM_BINS), (_L_BINS, _CHROMA_BINS, _CHROMA_BINS))
    lab = [_L_CENTRES[level] * scale, *(_NEUTRAL + scale * _CHROMA_CENTRES[v] for v in (a, b))]
    return to_bins(np.clip(np.stack(lab, -1)[None], 0, 255).astype(np.uint8))[0]


class _Smoother:
    """Turns counts into densities; holds what that needs."""

    def __init__(self, options: ColorOptions) -> None:
        self._work, rule = Workspace(), kernels.BlurRule()
        o, pairs = options, (options.narrow_sigma, options.broad_sigma)
        cuts = (o.narrow_truncate, o.broad_truncate)
        reach = [[int(cut * sigma + 0.5) for sigma in pair] for pair, cut in zip(pairs, cuts)]
        rule.level_sigma, rule.chroma_sigma = (
            wp.vec2f(*(p[0] for p in pairs)),
            wp.vec2f(*(p[1] for p in pairs)),
        )
        rule.level_reach, rule.chroma_reach = (
            wp.vec2i(*(r[0] for r in reach)),
            wp.vec2i(*(r[1] for r in reach)),
        )
        rule.share, rule.floor = wp.vec2f(o.narrow_share, o.broad_share), o.uniform_share * o.uniform_density
        self._rule = rule
        self._counts = self._work.image("counts", np.float32, (NUM_BINS,))
        self._work.image("room", np.float32, (2 * NUM_BINS,))
        self._out = self._work.image("densities", np.float32, (NUM_BINS,))

    def smooth(self, counts: Float, out: Float) -> None:
        """Write the densities (NUM_BINS,) of counts (NUM_BINS,) that sum to 1."""
        self._counts[...] = counts
        self._work.launch(kernels.smooth, "counts", _L_BINS, _CHROMA_BINS, self._rule, "room", "densities")
        out[...] = self._out


class _Smoothers(threading.local):
    """Each thread's own, by options."""

    def __init__(self) -> None:
        self._made: dict[ColorOptions, _Smoother] = {}

    def smoother(self, options: ColorOptions) -> _Smoother:
        if options not in self._made:
            self._made[options] = _Smoother(options)
        return self._made[options]


_blurring = _Smoothers()


def gaussian_density(lab: Lab, expected: Float, options: ColorOptions = DEFAULTS.color) -> Float:
    """Compute the density per bin of pixels under a narrow Gaussian around expected colours.

    Args:
        lab: (H, W, 3) uint8.
        expected: (H, W, 3) float32 Lab.
        options: the Gaussian's spread.
    """
    cost = np.square((LIGHTNESS[lab[..., 0]] - _lightness(expected[..., 0])) / options.sigma_lightness)
    for i in (1, 2):
        cost += np.square((lab[..., i] - expected[..., i]) / options.sigma_chroma)
    return np.float32(peak_density(options)) * np.exp(-0.5 * cost)


def peak_density(options: ColorOptions) -> float:
    """Compute the density per bin at the centre of the Gaussian around an expected colour."""
    sigmas = (options.sigma_lightness, options.sigma_chroma, options.sigma_chroma)
    return float(_CHROMA_BIN_AREA / (_GAUSSIAN_NORM * np.prod(sigmas)))


def _lightness(level: Float) -> Float:
    """Lightness in bins."""
    return np.minimum(level * _DARK_RATE, _LIGHT_OFFSET + level * _LIGHT_RATE)


def shaded_density(
    lab: Lab, expected: Float | Lab, darkest: float | None = None, options: ColorOptions = DEFAULTS.color
) -> Float:
    """Compute the density of :func:`gaussian_density` where darker versions of the same surface count as well.

    A shadow scales L, a - 128 and b - 128 together; the best scale within [darkest, brightest] is used, at a price.

    Args:
        lab: (..., 3) uint8.
        expected: (..., 3) Lab, whole numbers or float32.
        darkest: share of the light left in the darkest shadow; None takes that of the options.
        options: the Gaussian's spread and the price of a shadow.
    """
    darkest = options.darkest if darkest is None else darkest
    c, p = ([image[..., i].astype(np.float32) for i in range(3)] for image in (lab, expected))
    c[1:], p[1:] = [v - _NEUTRAL for v in c[1:]], [v - _NEUTRAL for v in p[1:]]
    scale = c[0] * p[0] + c[1] * p[1] + c[2] * p[2]
    scale /= np.maximum(p[0] * p[0] + p[1] * p[1] + p[2] * p[2], 1.0)
    np.clip(scale, darkest, options.brightest, out=scale)
    cost = np.minimum(np.square((1 - scale) * options.shade_price), options.shade_price_limit)
    cost += np.square((LIGHTNESS[lab[..., 0]] - _lightness(scale * p[0])) / options.sigma_lightness)
    for i in (1, 2):
        cost += np.square((c[i] - scale * p[i]) / options.sigma_chroma)
    return np.float32(peak_density(options)) * np.exp(-0.5 * cost)
