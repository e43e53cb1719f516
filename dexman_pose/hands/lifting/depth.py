"""Reading a hand's distance off depth images, past what lies in front of it and beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.depth import DepthSequence

MIN_FRAMES = 3
MIN_JOINTS = 5
# Half the thickness of a hand: the surface the depth camera sees lies this much before the joints inside, metres.
SKIN = 0.010
# Joints whose measured offset is this close to the hand's common one agree with it, relative to its distance.
AGREEMENT = 0.05


def depth_ratios(joints: Array, pixels: Array, frames: NDArray[np.intp], depth: DepthSequence) -> Array:
    """(n,) measured over fitted distance of each hand; NaN where the depth image has no measurement.

    Args:
        joints: (n, 21, 3) fitted, metres, camera frame.
        pixels: (n, 21, 2) where the joints are seen.
        frames: (n,) index of each hand's frame.
        depth: metric depth images, of the clip's size.
    """
    out = np.full(len(joints), np.nan)
    for i, frame in enumerate(frames):
        if frame < len(depth):
            measured = _at(depth.frame(int(frame)), pixels[i])
            out[i] = _ratio(joints[i, :, 2], measured)
    return out


def _at(image: NDArray[np.float32], pixels: Array) -> Array:
    """(21,) median depth in 5x5 pixels around each joint; NaN where there is none."""
    height, width = image.shape
    out = np.full(len(pixels), np.nan)
    for i, (x, y) in enumerate(np.round(pixels).astype(int)):
        if 0 <= x < width and 0 <= y < height:
            patch = image[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            known = patch[patch > 0]
            out[i] = np.median(known) if known.size else np.nan
    return out


def _ratio(fitted: Array, measured: Array) -> float:
    """The ratio most joints agree on: those hidden by an object or seen beside the hand disagree with each other."""
    known = np.isfinite(measured)
    if known.sum() < MIN_JOINTS:
        return float("nan")
    ratios = (measured[known] + SKIN) / fitted[known]
    agree = np.abs(ratios[:, None] - ratios[None]) < AGREEMENT
    best = int(np.argmax(agree.sum(1)))
    if agree[best].sum() < max(MIN_JOINTS, known.sum() // 3):
        return float("nan")
    return float(np.median(ratios[agree[best]]))
