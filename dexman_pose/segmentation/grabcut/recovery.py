"""Finding a lost object again by its colours, anywhere in the picture."""

from __future__ import annotations

import cv2
import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.imaging.masks import EIGHT_CONNECTED
from dexman_pose.imaging.resize import resize_labels
from dexman_pose.segmentation.grabcut.evidence import FrameData, Scene
from dexman_pose.segmentation.grabcut.options import DEFAULTS, RecoveryOptions
from dexman_pose.segmentation.grabcut.state import ObjectState


def redetect(
    state: ObjectState,
    picture: FrameData,
    scene: Scene,
    excluded: Mask,
    options: RecoveryOptions = DEFAULTS.recovery,
) -> Mask | None:
    """Find the part of the picture that has the object's colours and size where the background has others, or None.

    Args:
        state: an object that is lost.
        picture: the current frame.
        scene: what is not an object.
        excluded: (H, W) bool, pixels that belong to other objects.
        options: of the search.

    Returns:
        (H, W) bool, or None where no part fits.
    """
    every = (slice(None, None, options.stride), slice(None, None, options.stride))
    bins = picture.bins[every]
    trust = options.background_trust * scene.background.trust[every]
    at_rest = scene.known_density(picture.lab[every], every)
    others = trust * at_rest + (1 - trust) * scene.clip_density(bins)
    ratio = np.log(state.color(bins)) - np.log(others)
    ratio[excluded[every]] = options.excluded_log_ratio
    ratio = cv2.GaussianBlur(ratio, (0, 0), options.blur)
    likely = (ratio > options.least_log_ratio).astype(np.uint8)
    likely = cv2.morphologyEx(likely, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, parts, stats, _ = cv2.connectedComponentsWithStats(likely, connectivity=EIGHT_CONNECTED)
    area = stats[:, cv2.CC_STAT_AREA] * float(options.stride**2)
    smallest, largest = options.area_limits
    fits = (area > smallest * state.area) & (area < largest * state.area)
    fits[0] = False
    if not fits.any():
        return None
    weight = np.bincount(parts.ravel(), ratio.ravel(), minlength=len(area)) * fits
    best = (parts == int(weight.argmax())).astype(np.uint8)
    size = (picture.lab.shape[1], picture.lab.shape[0])
    return resize_labels(best, size).astype(bool)
