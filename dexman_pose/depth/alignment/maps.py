"""Maps from the depth of one chunk to that of another, fitted robustly; the evidence chooses how rich a map is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.depth.alignment.options import DEFAULTS, AlignmentOptions

KINDS = ("scale", "affine", "bent", "bent and tilted")
"""Maps from the plainest to the richest: d -> a d; a d + b; plus c d^2; plus terms d u and d v over the picture."""
_GAUSSIAN = 1.4826
"""Of a median absolute deviation, the standard deviation of a Gaussian."""
_TERMS = {"scale": 1, "affine": 2, "bent": 3, "bent and tilted": 5}


@dataclass(frozen=True)
class Samples:
    """Pixels that two depths are known of.

    Attributes:
        source: (N,) depth to be mapped, metres.
        target: (N,) depth it should become.
        places: (N, 2) u, v from -1 to 1 over the picture.
        weights: (N,) how much each counts.
    """

    source: Array
    target: Array
    places: Array
    weights: Array

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def joined(cls, parts: list[Samples]) -> Samples:
        """All samples of several."""
        fields = zip(*((p.source, p.target, p.places, p.weights) for p in parts))
        return cls(*(np.concatenate(field) for field in fields))


@dataclass(frozen=True)
class DepthMap:
    """A map of depth.

    Attributes:
        kind: of :data:`KINDS`.
        coefficients: of d, 1, d^2 / usual, d u, d v, as many as the kind has.
        usual: metres, a depth that the square is taken relative to.
        residual: metres, robust deviation of the samples it was fitted to; NaN where there were none.
    """

    kind: str
    coefficients: Array
    usual: float = 1.0
    residual: float = float("nan")

    def __call__(self, depth: NDArray[np.floating], places: Array) -> Array:
        """Depth (N,) at places (N, 2), mapped."""
        return _terms(self.kind, np.asarray(depth, float), places, self.usual) @ self.coefficients

    def image(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """A depth image (H, W), mapped; 0, not measured, stays 0, and so does what would come out behind the camera."""
        height, width = depth.shape
        grid = picture_places(height, width).reshape(-1, 2)
        mapped = self(depth.ravel(), grid).reshape(height, width)
        return np.where((depth > 0) & (mapped > 0), mapped, 0.0).astype(np.float32)


IDENTITY = DepthMap("scale", np.ones(1))


def picture_places(height: int, width: int) -> Array:
    """(H, W, 2) u, v of every pixel: -1 and 1 at the middles of the outermost ones."""
    u, v = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
    return np.stack(np.broadcast_arrays(u[None, :], v[:, None]), -1)


def fit_map(samples: Samples, options: AlignmentOptions = DEFAULTS) -> DepthMap:
    """The map that the samples speak for.

    Each kind is fitted with outliers weighted down (Tukey's weights on a scale from the median); the plainest one wins
    unless a richer one explains so much more that its parameters are paid for (Bayesian information criterion, with
    neighbouring samples counted as one).

    Args:
        samples: pixels of both depths.
        options: thresholds.
    """
    if len(samples) == 0:
        return IDENTITY
    kinds = KINDS if len(samples) >= options.least else KINDS[:1]
    fits = [_fit(kind, samples, options) for kind in kinds]
    noise = options.least_noise * float(np.median(samples.target))
    count = len(samples) / options.independent
    worth = [
        2 * count * np.log(max(fit.residual, noise)) + _TERMS[fit.kind] * np.log(max(count, 2))
        for fit in fits
    ]
    return fits[int(np.argmin(worth))]


def _fit(kind: str, samples: Samples, options: AlignmentOptions) -> DepthMap:
    usual = float(np.median(samples.source))
    matrix = _terms(kind, samples.source, samples.places, usual)
    target, given = samples.target, samples.weights
    # A scale by the median of ratios is right with half of the samples wrong: a safe place to begin at.
    ratio = _weighted_median(target / samples.source, given)
    found: Array = np.zeros(matrix.shape[1])
    found[0] = ratio
    scale = 0.0
    for _ in range(options.iterations):
        off = target - matrix @ found
        scale = max(_GAUSSIAN * _weighted_median(np.abs(off), given), options.least_noise * usual)
        relative = off / (3 * options.outlier * scale)
        weights = given * np.clip(1 - relative**2, 0, None) ** 2
        root = np.sqrt(weights)
        solved = np.linalg.lstsq(matrix * root[:, None], target * root, rcond=None)[0]
        new = np.asarray(solved, np.float64)
        change = float(np.abs(new - found).max())
        found = new
        if change < options.settled * max(1.0, float(np.abs(found).max())):
            break
    off = target - matrix @ found
    return DepthMap(kind, found, usual, _GAUSSIAN * _weighted_median(np.abs(off), given))


def _terms(kind: str, depth: Array, places: Array, usual: float) -> Array:
    columns = [depth, np.ones_like(depth), depth**2 / usual, depth * places[:, 0], depth * places[:, 1]]
    return np.stack(columns[: _TERMS[kind]], 1)


def _weighted_median(values: Array, weights: Array) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
