"""Finding a lost object again by its colours, anywhere in the picture."""

from __future__ import annotations

import cv2
import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.imaging.masks import EIGHT_CONNECTED, Window, window_around
from dexman_pose.imaging.resize import resize_labels
from dexman_pose.segmentation.grabcut.color import to_bins, to_lab
from dexman_pose.segmentation.grabcut.options import DEFAULTS, RecoveryOptions
from dexman_pose.segmentation.grabcut.scene import FrameData, Scene
from dexman_pose.segmentation.grabcut.state import ObjectState


def redetect(
    state: ObjectState,
    picture: FrameData,
    scene: Scene,
    excluded: Mask,
    options: RecoveryOptions = DEFAULTS.recovery,
) -> tuple[Window, Mask] | None:
    """Find the part of the picture that has the object's colours and size where the background has others, or None.

    Args:
        state: an object that is lost.
        picture: the current frame.
        scene: what is not an object.
        excluded: (H, W) bool, pixels that belong to other objects.
        options: of the search.

    Returns:
        The window of that part and its pixels (h, w) there, or None where no part fits.
    """
    every = (slice(None, None, options.stride), slice(None, None, options.stride))
    lab = to_lab(np.ascontiguousarray(picture.rgb[every]))
    bins = to_bins(lab)
    trust = options.background_trust * scene.background.trust[every]
    at_rest = scene.known_density(lab, every)
    others = trust * at_rest + (1 - trust) * scene.clip_colors.density(bins)
    ratio = np.log(state.color.density(bins)) - np.log(others)
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
    found = resize_labels(best, (picture.shape[1], picture.shape[0])).astype(bool)
    window = window_around(found, 0)
    return None if window is None else (window, found[window])
