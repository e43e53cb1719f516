"""Masks without specks, without parts that were not there before, and without parts left behind."""

from __future__ import annotations

import cv2
import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.imaging.dense_flow import Flow
from dexman_pose.imaging.masks import EIGHT_CONNECTED, fill_small_holes, kept_parts
from dexman_pose.segmentation.grabcut.color import Float
from dexman_pose.segmentation.grabcut.evidence import expected_flow
from dexman_pose.segmentation.grabcut.options import PropagationOptions
from dexman_pose.segmentation.grabcut.state import ObjectPrediction


def cleaned(mask: Mask, p: ObjectPrediction, flow: Flow | None, options: PropagationOptions) -> Mask:
    """Clean the mask (h, w) of an object.

    Args:
        mask: in the window of ``p``.
        p: what was predicted.
        flow: from the last frame and back, or None.
        options: smallest parts, largest holes.
    """
    area = float(np.count_nonzero(mask))
    mask = kept_parts(mask, p.support > 0.5, max(options.least_part, options.least_part_share * area))
    if flow is not None and p.motion.speed > options.moving_step:
        mask = _without_static_parts(mask, p, flow, options.left_behind)
    return fill_small_holes(mask, options.largest_hole)


def _without_static_parts(mask: Mask, p: ObjectPrediction, flow: Flow, limit: float) -> Mask:
    """Drops the parts, other than the largest, that stand still while the object moves."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        mask.view(np.uint8), connectivity=EIGHT_CONNECTED
    )
    if count <= 2:
        return mask
    back = flow.backward_in(p.window)
    still = _squared_length(back)
    along = _squared_length(back - expected_flow(p, p.window))
    behind = np.bincount(parts.ravel(), (still < along).ravel(), minlength=count) / np.bincount(parts.ravel())
    keep = behind < limit
    keep[0] = False
    keep[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())] = True
    out: Mask = keep[parts]
    return out


def _squared_length(vectors: Float) -> Float:
    x, y = vectors[..., 0], vectors[..., 1]
    return x * x + y * y
