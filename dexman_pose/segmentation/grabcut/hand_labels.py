"""The occluder label where hands are, away from objects too."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data import OCCLUDER
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.imaging.windows import shape_of
from dexman_pose.segmentation.grabcut import color
from dexman_pose.segmentation.grabcut.color import to_bins, to_lab
from dexman_pose.segmentation.grabcut.hands import HandField
from dexman_pose.segmentation.grabcut.scene import Scene


def label_hands(
    rgb: NDArray[np.uint8], hands: tuple[HandField, ...], scene: Scene, labels: NDArray[np.uint8]
) -> None:
    """Write the occluder label where hands are, judged by place and skin colour against the background alone.

    Args:
        rgb: (H, W, 3) the picture. It is looked at at half its size: near objects the labels are made again in full.
        hands: where they may be.
        scene: background, and colours of skin.
        labels: (H, W) uint8, written into.
    """
    if scene.hands is None:
        return
    for hand in hands:
        height, width = shape_of(hand.window)
        half = (width // 2, height // 2)
        lab = to_lab(resize_picture(rgb[hand.window], half, Way.AREA))
        expected = resize_picture(np.ascontiguousarray(scene.background.lab[hand.window]), half, Way.AREA)
        at_rest = color.shaded_density(
            lab, expected, scene.options.evidence.darkest_background, scene.options.color
        )
        bins, trust = to_bins(lab), scene.background.trust[hand.window][::2, ::2]
        sure = np.float32(scene.hands.options.background_trust) * trust
        background = sure * at_rest + (1 - sure) * scene.colors.density(bins)
        score = np.log(scene.hands.skin.density(bins) / background) + hand.half
        full = resize_picture(score, (width, height), Way.LINEAR)
        labels[hand.window][_opened(full > 0)] = OCCLUDER


def _opened(mask: Mask) -> Mask:
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, kernel)).astype(bool)
