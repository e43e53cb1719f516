"""Masks as segmentation gives them when it fails: filled boxes, leaks to one side, halves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, shift

from dexman_pose.arrays import Bools

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class LeakOptions:
    """How masks leak.

    Attributes:
        margin: pixels by which a filled box exceeds the object; a box drawn by hand is 3 to 8 loose.
        reach: shares of the mask's size by which a leak stretches to one side, drawn between the two; leaks of the
            default segmentation onto the ground reached 20 to 60 %.
    """

    margin: tuple[int, int] = (3, 8)
    reach: tuple[float, float] = (0.2, 0.6)


def boxed(mask: Bools, rng: np.random.Generator, options: LeakOptions | None = None) -> Bools:
    """The filled box around a mask, loosened at random on each side: a segmentation that only saw the box."""
    options = options or LeakOptions()
    out = np.zeros_like(mask)
    if not mask.any():
        return out
    v, u = np.nonzero(mask)
    left, top, right, bottom = rng.integers(options.margin[0], options.margin[1] + 1, 4)
    rows = slice(max(int(v.min()) - int(top), 0), int(v.max()) + int(bottom) + 1)
    out[rows, max(int(u.min()) - int(left), 0) : int(u.max()) + int(right) + 1] = True
    return out


def leaked(mask: Bools, rng: np.random.Generator, angle: float, options: LeakOptions | None = None) -> Bools:
    """A mask that runs over to one side: it and its copies pushed along an angle (radians, picture), edges rounded."""
    options = options or LeakOptions()
    if not mask.any():
        return mask.copy()
    v, u = np.nonzero(mask)
    size = np.sqrt(float(np.ptp(v) + 1) * float(np.ptp(u) + 1))
    way = rng.uniform(*options.reach) * size * np.array([np.sin(angle), np.cos(angle)])
    out = mask.copy()
    for share in (0.5, 1.0):
        out |= shift(mask.astype(np.uint8), share * way, order=0) > 0
    return binary_dilation(out, iterations=2) | mask


def halved(mask: Bools, angle: float) -> Bools:
    """Half of a mask: what lies on one side of a line through its middle, normal to an angle (radians, picture)."""
    if not mask.any():
        return mask.copy()
    v, u = np.nonzero(mask)
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    along = np.cos(angle) * x + np.sin(angle) * y
    return mask & (along > np.median(np.cos(angle) * u + np.sin(angle) * v))


def relabelled(labels: Labels, mask: Bools) -> Labels:
    """Labels whose object (1) is another mask; occluders stay."""
    out = labels.copy()
    out[labels == 1] = 0
    out[mask & (out == 0)] = 1
    return out
