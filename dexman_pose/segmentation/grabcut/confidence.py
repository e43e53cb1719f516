"""How far a mask can be trusted, from what can be checked without knowing the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.segmentation.grabcut.color import Bins, Float
from dexman_pose.segmentation.grabcut.state import Prediction


@dataclass(frozen=True)
class Surprise:
    """What contradicts a mask where the background is known.

    Attributes:
        missed: share of the pixels just outside the mask that hide the background and are nothing else known.
        bare: share of the mask's inner pixels that look like bare background rather than like the object.
    """

    missed: float
    bare: float


def confidence(
    p: Prediction, mask: Mask, own: Float, bins: Bins, shape: tuple[int, ...], *, surprise: Surprise
) -> float:
    """Trust in [0, 1] of the mask of one object in one frame: the product of independent checks.

    Args:
        p: what was predicted.
        mask: (h, w) what was found, in the window of ``p``.
        own: (h, w) probability of the object's label.
        bins: (h, w) colours.
        shape: of the whole frame, to find the image border.
        surprise: what contradicts the mask.
    """
    area = float(mask.sum())
    if area < 12:
        return 0.0
    sure = _ramp(float(own[mask].mean()), 0.6, 0.93)
    like = p.state.color(bins[mask])
    unlike = p.state.around.density(bins[mask])
    color = 0.3 + 0.7 * _ramp(float((like > 0.7 * unlike).mean()), 0.2, 0.75)
    flow = 0.4 + 0.6 * _ramp(p.motion.inliers, 0.2, 0.7)
    whole = 1.0 - 0.7 * _ramp(surprise.missed, 0.2, 0.7)
    tight = 1.0 - 0.7 * _ramp(surprise.bare, 0.1, 0.5)
    checks = sure * color * flow * whole * tight
    return float(np.clip(checks * _size(p, mask, area) * _inside(p, mask, shape), 0, 1))


def _size(p: Prediction, mask: Mask, area: float) -> float:
    """Falls with the part that is hidden, and with any jump against the predicted outline."""
    ratio = area / max(p.state.area, 1.0)
    usual = np.sqrt(min(ratio, 1.0)) * min(1.0, 1.6 / max(ratio, 1e-6))
    predicted = p.support > 0.5
    overlap = float((mask & predicted).sum()) / max(float((mask | predicted).sum()), 1.0)
    return float(usual * (0.4 + 0.6 * _ramp(overlap, 0.4, 0.8)))


def _inside(p: Prediction, mask: Mask, shape: tuple[int, ...]) -> float:
    """Falls when the image border cuts the object."""
    rows, cols = p.window
    edge = 0
    edge += int(mask[0].sum()) if rows.start == 0 else 0
    edge += int(mask[-1].sum()) if rows.stop == shape[0] else 0
    edge += int(mask[:, 0].sum()) if cols.start == 0 else 0
    edge += int(mask[:, -1].sum()) if cols.stop == shape[1] else 0
    return float(np.clip(1.0 - 1.2 * edge / np.sqrt(max(p.state.area, 1.0)), 0.15, 1.0))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))
