"""Background colours that depend on the place: what lies just outside a box differs from side to side."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.imaging.masks import fill_small_holes, signed_distance_field, window_around
from dexman_pose.segmentation.grabcut.background import BackgroundModel
from dexman_pose.segmentation.grabcut.color import Bins, ColorModel, Float, Lab, shaded_density, to_bins
from dexman_pose.segmentation.grabcut.labeling import posterior
from dexman_pose.segmentation.grabcut.model_options import LocalColorOptions
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions

_TINY = 1e-6
"""Keeps pixels far from every node of the grid from dividing by zero."""


def refine_prompt_mask(
    lab: Lab,
    mask: Mask,
    allowed: Mask,
    background: BackgroundModel,
    hand: Float | None = None,
    *,
    tight: bool = True,
    enclosed: Float | None = None,
    options: GrabCutOptions = DEFAULTS,
) -> Mask:
    """Label a first mask of an object again, with background colours that depend on the place.

    One colour model for all surroundings takes parts of a colourful object for background as soon as anything
    around has the same colour somewhere; with local models only what lies next to a part counts.

    Args:
        lab: (H, W, 3) crop around the object with some surroundings.
        mask: (H, W) bool, the first guess.
        allowed: (H, W) bool, pixels that may be the object; all others are background for certain.
        background: what is seen at other times where the object may be: tells shadow from object.
        hand: (H, W) weighted log evidence of a hand, or None.
        tight: the allowed pixels are a box that the object touches on every side. Where the first mask fails to,
            colours met on the way are taken for the object's; elsewhere the first mask's colours stay in charge.
        enclosed: (H, W) log odds of what the box encloses, or None.
        options: of the relabelling, the colours and the labels.

    Returns:
        (H, W) bool.
    """
    o, weight = options.local_color, options.color.weight
    bins = to_bins(lab)
    at_rest = shaded_density(lab, background.lab, options=options.color)
    doubtful = _unreached_sides(mask, allowed, o) if tight else np.zeros(mask.shape, np.float32)
    inside = np.clip(signed_distance_field(allowed, 3) / o.box_softness, *o.box_log_odds) + doubtful
    inside = inside if enclosed is None else inside + enclosed
    known = np.where(allowed, np.where(doubtful > 0, 0.0, o.known_inside), 1.0)
    first = ColorModel(options.color)
    first.add(bins[mask])
    for _ in range(o.rounds):
        if mask.sum() < o.least_pixels or (~mask).sum() < o.least_pixels:
            return mask
        own = first.copy()
        own.add(bins[mask], 1.0 if tight and not _reaches_all_sides(mask, allowed, o) else o.color_rate)
        evidence = np.empty((2 if hand is None else 3, *mask.shape), np.float32)
        around = _local_density(bins, known * ~mask, options)
        trust = o.background_trust * background.trust
        evidence[0] = weight * np.log(trust * at_rest + (1 - trust) * around)
        evidence[1] = weight * np.log(own.density(bins)) + inside
        from_mask = np.clip(
            signed_distance_field(mask, 3) / o.mask_softness, -o.mask_log_odds, o.mask_log_odds
        )
        evidence[1] += o.mask_weight * from_mask
        evidence[1][~allowed] = o.excluded_log_odds
        if hand is not None:
            evidence[2] = hand
        mask = posterior(evidence, lab, o.labeling).argmax(0) == 1
    return fill_small_holes(mask, options.prompt.largest_hole)


def _reaches_all_sides(mask: Mask, allowed: Mask, options: LocalColorOptions) -> bool:
    """True when the mask reaches close to every side of the allowed box."""
    return not _unreached_sides(mask, allowed, options).any()


def _unreached_sides(mask: Mask, allowed: Mask, options: LocalColorOptions) -> Float:
    """Log odds, to be added, for pixels between the mask and those sides of the allowed box that it does not reach."""
    added = np.zeros(mask.shape, np.float32)
    inner, outer = window_around(mask, 0), window_around(allowed, 0)
    if inner is None or outer is None:
        return added
    for axis, (i, o) in enumerate(zip(inner, outer)):
        loose = options.loose * (o.stop - o.start)
        for part in (slice(o.start, i.start), slice(i.stop, o.stop)):
            if part.stop - part.start > loose:
                added[(slice(None),) * axis + (part,)] = options.loose_log_odds
    return added


def _local_density(bins: Bins, known: NDArray[np.floating], options: GrabCutOptions) -> Float:
    """Density of each pixel (H, W) under the background colours near it; ``known`` says how far it is background.

    The colours are collected around the nodes of a coarse grid and blended between the nodes.
    """
    h, w = bins.shape
    o = options.local_color
    reach, blend = o.reach * max(h, w), max(h, w) / o.cells / o.cell_overlap
    out = np.zeros((h, w), np.float32)
    total = np.full((h, w), _TINY, np.float32)
    weight, near = np.asarray(known, np.float32), -2 * blend**2 * np.log(o.least_blend)
    y, x = np.arange(h, dtype=np.float32), np.arange(w, dtype=np.float32)
    for cy, cx in itertools.product(np.linspace(0, h - 1, o.cells), np.linspace(0, w - 1, o.cells)):
        away = (y - cy) ** 2, (x - cx) ** 2
        fall = [np.exp(d / np.float32(-2 * reach**2)) for d in away]
        model = ColorModel.weighted(bins, weight * fall[0][:, None] * fall[1], options.color).shaded()
        rows, cols = (slice(*np.flatnonzero(d < near)[[0, -1]] + [0, 1]) for d in away)
        share = np.multiply.outer(
            *(np.exp(d[s] / np.float32(-2 * blend**2)) for d, s in zip(away, (rows, cols)))
        )
        share[share <= o.least_blend] = 0
        out[rows, cols] += share * model.density(bins[rows, cols])
        total[rows, cols] += share
    return out / total
