"""Background colours that depend on the place: what lies just outside a box differs from side to side."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.imaging.masks import coarse_signed_distance, fill_small_holes, window_around
from dexman_pose.segmentation.grabcut.background import Plate
from dexman_pose.segmentation.grabcut.color import (
    COLOR_WEIGHT,
    Bins,
    ColorModel,
    Float,
    Lab,
    near_shaded,
    to_bins,
)
from dexman_pose.segmentation.grabcut.labeling import posterior

_CELLS = 6
_ROUNDS = 4
_LOOSE = 0.09
"""A gap between object and box wider than this share of the box is not what a user draws."""
_BONUS = 0.8


def refine_on_prompt(
    lab: Lab, mask: Mask, allowed: Mask, plate: Plate, hand: Float | None = None, *, tight: bool = True
) -> Mask:
    """A first mask of an object, labelled again with background colours that depend on the place.

    One colour model for all surroundings takes parts of a colourful object for background as soon as anything
    around has the same colour somewhere; with local models only what lies next to a part counts.

    Args:
        lab: (H, W, 3) crop around the object with some surroundings.
        mask: (H, W) bool, the first guess.
        allowed: (H, W) bool, pixels that may be the object; all others are background for certain.
        plate: what is seen at other times where the object may be: tells shadow from object.
        hand: (H, W) weighted log evidence of a hand, or None.
        tight: the allowed pixels are a box that the object touches on every side. Where the first mask fails to,
            colours met on the way are taken for the object's; elsewhere the first mask's colours stay in charge.
    """
    bins = to_bins(lab)
    plain = near_shaded(lab, plate.lab)
    doubtful = _missing(mask, allowed) if tight else np.zeros(mask.shape, np.float32)
    inside = np.clip(coarse_signed_distance(allowed) / 3.0, -1, 0.2) + doubtful
    known = np.where(allowed, np.where(doubtful > 0, 0.0, 0.25), 1.0)
    first = ColorModel()
    first.add(bins[mask])
    for _ in range(_ROUNDS):
        if mask.sum() < 12 or (~mask).sum() < 12:
            return mask
        own = first.copy()
        own.add(bins[mask], 1.0 if tight and not _fills(mask, allowed) else 0.4)
        evidence = np.empty((2 if hand is None else 3, *mask.shape), np.float32)
        around = _local_density(bins, known * ~mask)
        trust = 0.6 * plate.trust
        evidence[0] = COLOR_WEIGHT * np.log(trust * plain + (1 - trust) * around)
        evidence[1] = COLOR_WEIGHT * np.log(own.density(bins)) + inside
        evidence[1] += 0.35 * np.clip(coarse_signed_distance(mask) / 3.0, -2, 2)
        evidence[1][~allowed] = -50
        if hand is not None:
            evidence[2] = hand
        mask = posterior(evidence, lab, smoothness=2.0, iterations=12).argmax(0) == 1
    return fill_small_holes(mask, 12)


def _fills(mask: Mask, allowed: Mask) -> bool:
    """True when the mask reaches close to every side of the allowed box."""
    return not _missing(mask, allowed).any()


def _missing(mask: Mask, allowed: Mask) -> Float:
    """A bonus for pixels between the mask and those sides of the allowed box that it does not reach."""
    bonus = np.zeros(mask.shape, np.float32)
    inner, outer = window_around(mask, 0), window_around(allowed, 0)
    if inner is None or outer is None:
        return bonus
    for axis, (i, o) in enumerate(zip(inner, outer)):
        loose = _LOOSE * (o.stop - o.start)
        for part in (slice(o.start, i.start), slice(i.stop, o.stop)):
            if part.stop - part.start > loose:
                bonus[(slice(None),) * axis + (part,)] = _BONUS
    return bonus


def _local_density(bins: Bins, known: NDArray[np.float64]) -> Float:
    """Density of each pixel (H, W) under the background colours near it; ``known`` says how far it is background.

    The colours are collected around the nodes of a coarse grid and blended between the nodes.
    """
    h, w = bins.shape
    reach, blend = 0.15 * max(h, w), max(h, w) / _CELLS / 1.5
    out = np.zeros((h, w), np.float32)
    total = np.full((h, w), 1e-6, np.float32)
    y, x = np.mgrid[0:h, 0:w]
    for cy, cx in itertools.product(np.linspace(0, h - 1, _CELLS), np.linspace(0, w - 1, _CELLS)):
        away = (y - cy) ** 2 + (x - cx) ** 2
        model = ColorModel.weighted(bins, known * np.exp(-away / (2 * reach**2))).shaded()
        near = np.exp(-away / (2 * blend**2)).astype(np.float32)
        use = near > 0.05
        out[use] += near[use] * model.density(bins[use])
        total[use] += near[use]
    return out / total
