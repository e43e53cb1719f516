"""Which pixels may hide the object: declared, told by depth, or beyond the image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data import BACKGROUND, OCCLUDER
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.observation.options import OCCLUSION

Labels = NDArray[np.uint8]


def label_image(
    mask: Mask, occluders: Mask | None = None, depth: NDArray[np.float32] | None = None
) -> Labels:
    """A label image of one object: 1 its mask, 255 what may hide more of it, 0 the rest.

    Args:
        mask: (H, W) visible pixels of the object.
        occluders: (H, W) pixels of things that may hide it, or None.
        depth: (H, W) metres, 0 where not measured; what lies nearer than the object next to it may hide it too.
    """
    labels = np.where(mask, np.uint8(1), np.uint8(BACKGROUND))
    if occluders is not None:
        labels[occluders & ~mask] = OCCLUDER
    if depth is not None:
        labels[nearer_than_object(mask, depth) & ~mask] = OCCLUDER
    return labels


def nearer_than_object(mask: Mask, depth: NDArray[np.float32]) -> Mask:
    """(H, W) pixels outside the mask, about as far from it as it is large, that are measured nearer than its rim."""
    out = np.zeros(mask.shape, np.bool_)
    box = mask_box(mask)
    if box is None or not (depth[mask] > 0).any():
        return out
    pad = int((box[2:] - box[:2]).max()) + 4
    x0, y0 = np.maximum(box[:2].astype(int) - pad, 0)
    x1, y1 = box[2:].astype(int) + pad + 1
    own, z = mask[y0:y1, x0:x1], depth[y0:y1, x0:x1]
    # The rim's own depth flickers between object and background: look at what lies a little inside.
    core = cv2.erode(own.astype(np.uint8), np.ones((OCCLUSION.core, OCCLUSION.core), np.uint8)) > 0
    known = (core if (core & (z > 0)).any() else own) & (z > 0)
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros(int(nearest.max()) + 1, np.float32)
    values[nearest[known]] = z[known]
    out[y0:y1, x0:x1] = (z > 0) & (z < values[nearest] - OCCLUSION.nearer) & ~own
    return out


def is_cut(labels: Labels, label: int, share: float = OCCLUSION.cut_share) -> bool:
    """Whether a noticeable share of a mask's edge lies against something that may hide more, or the image border."""
    own = labels == label
    if not own.any():
        return False
    padded = np.pad(own, 1)
    unknown = np.pad((labels != label) & (labels != BACKGROUND), 1, constant_values=True)
    grown = cv2.dilate(unknown.astype(np.uint8), np.ones((OCCLUSION.reach, OCCLUSION.reach), np.uint8)) > 0
    core = cv2.erode(padded.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    rim = padded & ~core
    return bool((rim & grown).sum() > share * max(int(rim.sum()), 1))
