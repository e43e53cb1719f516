"""Finding a lost object again by its colours, anywhere in the picture."""

from __future__ import annotations

import numpy as np

from dexman_pose._optional import require
from dexman_pose.arrays import Mask
from dexman_pose.segmentation.grabcut.evidence import Picture, Scene
from dexman_pose.segmentation.grabcut.state import ObjectState

_STRIDE = 2
_LEAST_RATIO = 1.0
_SMALLEST, _LARGEST = 0.2, 2.0


def find_again(state: ObjectState, picture: Picture, scene: Scene, excluded: Mask) -> Mask | None:
    """The part of the picture that has the object's colours and size where the background has others, or None.

    Args:
        state: an object that is lost.
        picture: the current frame.
        scene: what is not an object.
        excluded: (H, W) bool, pixels that belong to other objects.
    """
    cv2 = require("cv2", "video", "segmenting a video")
    every = (slice(None, None, _STRIDE), slice(None, None, _STRIDE))
    bins = picture.bins[every]
    trust = 0.9 * scene.plate.trust[every]
    plain = scene.plain(picture.lab[every], every)
    others = trust * plain + (1 - trust) * scene.anything(bins)
    ratio = np.log(state.color(bins)) - np.log(others)
    ratio[excluded[every]] = -5
    ratio = cv2.GaussianBlur(ratio, (0, 0), 1.5)
    likely = (ratio > _LEAST_RATIO).astype(np.uint8)
    likely = cv2.morphologyEx(likely, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, parts, stats, _ = cv2.connectedComponentsWithStats(likely, connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA] * float(_STRIDE**2)
    fits = (area > _SMALLEST * state.area) & (area < _LARGEST * state.area)
    fits[0] = False
    if not fits.any():
        return None
    weight = np.bincount(parts.ravel(), ratio.ravel(), minlength=len(area)) * fits
    best = (parts == int(weight.argmax())).astype(np.uint8)
    size = (picture.lab.shape[1], picture.lab.shape[0])
    return np.asarray(cv2.resize(best, size, interpolation=cv2.INTER_NEAREST)).astype(bool)
