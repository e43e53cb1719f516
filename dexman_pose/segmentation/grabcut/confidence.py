"""How far a mask can be trusted, from what can be checked without knowing the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.segmentation.grabcut.color import Bins, Float
from dexman_pose.segmentation.grabcut.options import DEFAULTS, ConfidenceOptions
from dexman_pose.segmentation.grabcut.state import ObjectPrediction

_TINY = 1e-6
"""Keeps the ratio of areas of an empty mask from dividing by zero."""


@dataclass(frozen=True)
class BackgroundConflict:
    """Holds what contradicts a mask where the background is known.

    Attributes:
        unexplained: share of the pixels just outside the mask that hide the background and are nothing else known.
        background_like: share of the mask's inner pixels that look like bare background rather than like the object.
    """

    unexplained: float
    background_like: float


def confidence(
    p: ObjectPrediction,
    mask: Mask,
    own: Float,
    bins: Bins,
    shape: tuple[int, ...],
    *,
    conflict: BackgroundConflict,
    options: ConfidenceOptions = DEFAULTS.confidence,
) -> float:
    """Compute the trust in [0, 1] of the mask of one object in one frame: the product of independent checks.

    Args:
        p: what was predicted.
        mask: (h, w) what was found, in the window of ``p``.
        own: (h, w) probability of the object's label.
        bins: (h, w) colours.
        shape: of the whole frame, to find the image border.
        conflict: what contradicts the mask.
        options: limits and weights of the checks.
    """
    o = options
    area = float(np.count_nonzero(mask))
    if area < o.least_pixels:
        return 0.0
    sure = _ramp(float(own[mask].mean()), o.probability)
    colors = bins[mask]
    like, unlike = p.state.color.density(colors), p.state.surround_color.density(colors)
    color = _raised(float((like > o.color_ratio * unlike).mean()), o.color, o.color_floor)
    flow = _raised(p.motion.inliers, o.inliers, o.inliers_floor)
    whole = 1.0 - o.unexplained_cost * _ramp(conflict.unexplained, o.unexplained)
    tight = 1.0 - o.background_like_cost * _ramp(conflict.background_like, o.background_like)
    checks = sure * color * flow * whole * tight
    return float(np.clip(checks * _size(p, mask, area, o) * _inside(p, mask, shape, o), 0, 1))


def _size(p: ObjectPrediction, mask: Mask, area: float, options: ConfidenceOptions) -> float:
    """Falls with the part that is hidden, and with any jump against the predicted outline."""
    ratio = area / max(p.state.area, 1.0)
    usual = np.sqrt(min(ratio, 1.0)) * min(1.0, options.largest_ratio / max(ratio, _TINY))
    predicted = p.support > 0.5
    overlap = float(np.count_nonzero(mask & predicted)) / max(float(np.count_nonzero(mask | predicted)), 1.0)
    return float(usual * _raised(overlap, options.overlap, options.overlap_floor))


def _inside(p: ObjectPrediction, mask: Mask, shape: tuple[int, ...], options: ConfidenceOptions) -> float:
    """Falls when the image border cuts the object."""
    rows, cols = p.window
    edge = 0
    edge += int(mask[0].sum()) if rows.start == 0 else 0
    edge += int(mask[-1].sum()) if rows.stop == shape[0] else 0
    edge += int(mask[:, 0].sum()) if cols.start == 0 else 0
    edge += int(mask[:, -1].sum()) if cols.stop == shape[1] else 0
    fall = options.border_cost * edge / np.sqrt(max(p.state.area, 1.0))
    return float(np.clip(1.0 - fall, options.border_floor, 1.0))


def _raised(value: float, ramp: tuple[float, float], floor: float) -> float:
    """The ramp from ``floor`` to 1."""
    return floor + (1 - floor) * _ramp(value, ramp)


def _ramp(value: float, ramp: tuple[float, float]) -> float:
    """0 at or below the first value of ``ramp``, 1 at or above the second, linear in between."""
    low, high = ramp
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))
