"""Background colours that depend on the place: what lies just outside a box differs from side to side."""

from __future__ import annotations

import numpy as np

from dexman_pose.segmentation.color import Bins, ColorModel, Float, Lab, to_bins
from dexman_pose.segmentation.images import Mask, fill_small_holes, signed_distance
from dexman_pose.segmentation.labeling import posterior

_CELLS = 6
_COLOR_WEIGHT = 0.8
_ROUNDS = 4


def refine_on_prompt(lab: Lab, mask: Mask, allowed: Mask) -> Mask:
    """A first mask of an object, labelled again with background colours that depend on the place.

    One colour model for all surroundings takes parts of a colourful object for background as soon as anything
    around has the same colour somewhere; with local models only what lies next to a part counts.

    Args:
        lab: (H, W, 3) crop around the object with some surroundings.
        mask: (H, W) bool, the first guess.
        allowed: (H, W) bool, pixels that may be the object; all others are background for certain.
    """
    bins = to_bins(lab)
    inside = np.clip(signed_distance(allowed) / 3.0, -1, 0.4)
    for _ in range(_ROUNDS):
        if mask.sum() < 12 or (~mask).sum() < 12:
            return mask
        own = ColorModel()
        own.add(bins[mask])
        evidence = np.empty((2, *mask.shape), np.float32)
        evidence[0] = _COLOR_WEIGHT * np.log(_local_density(bins, ~mask, allowed))
        evidence[1] = _COLOR_WEIGHT * np.log(own.density(bins)) + inside
        evidence[1] += 0.35 * np.clip(signed_distance(mask) / 3.0, -2, 2)
        evidence[1][~allowed] = -50
        mask = posterior(evidence, lab, smoothness=2.0, iterations=12)[1] > 0.5
    return fill_small_holes(mask, 12)


def _local_density(bins: Bins, background: Mask, allowed: Mask) -> Float:
    """Density of each pixel under the background colours near it, blended between the cells of a coarse grid."""
    h, w = bins.shape
    rows, cols = np.linspace(0, h - 1, _CELLS), np.linspace(0, w - 1, _CELLS)
    reach = 0.3 * max(h, w) / 2
    certain = np.where(allowed, 0.25, 1.0) * background
    out, total = np.zeros((h, w), np.float32), np.full((h, w), 1e-6, np.float32)
    y, x = np.mgrid[0:h, 0:w]
    for cy in rows:
        for cx in cols:
            away = (y - cy) ** 2 + (x - cx) ** 2
            weight = certain * np.exp(-away / (2 * reach**2))
            model = ColorModel.weighted(bins, weight)
            near = np.exp(-away / (2 * (max(h, w) / _CELLS / 1.5) ** 2)).astype(np.float32)
            near[near < 0.05] = 0
            use = near > 0
            out[use] += near[use] * model.density(bins[use])
            total += near
    blended: Float = out / total
    return blended
