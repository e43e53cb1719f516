"""The 21 joints of the hand in one square region: crop, network, and back to the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.hands.mediapipe.network import Network
from dexman_pose.hands.mediapipe.roi import Roi, rotation_2d

INPUT_SIZE = 224
NUM_JOINTS = 21


@dataclass(frozen=True, eq=False)
class Sighting:
    """One hand seen in one frame.

    Attributes:
        joints: (21, 2) pixels.
        local: (21, 3) metres, the network's own guess, about the hand's centre, axes of the camera.
        presence: in [0, 1], that the region holds a hand at all.
        right: in [0, 1], that it is the person's right hand.
        roi: the region it was seen in.
    """

    joints: Array
    local: Array
    presence: float
    right: float
    roi: Roi


def crop(image: NDArray[np.uint8], roi: Roi, side: int = INPUT_SIZE) -> NDArray[np.uint8]:
    """The region upright, (side, side, 3), the border repeated outside the image."""
    import cv2

    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warp = roi.image_from_crop(side)
    out: NDArray[np.uint8] = cv2.warpAffine(
        image, warp, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return out


class LandmarkDetector:
    """The landmark network behind a plain function: image and regions in, a :class:`Sighting` of each out.

    Args:
        one: the network for one region.
        two: the network for two regions at once; each is seen as if it were alone.
    """

    def __init__(self, one: Network, two: Network) -> None:
        self._networks = {1: one, 2: two}

    def __call__(self, image: NDArray[np.uint8], rois: Sequence[Roi]) -> list[Sighting]:
        """Joints in the regions of an RGB image (H, W, 3); the caller judges by ``presence``."""
        out: list[Sighting] = []
        for first in range(0, len(rois), 2):
            some = rois[first : first + 2]
            patches = np.stack([crop(image, roi) for roi in some]).astype(np.float32) / np.float32(255.0)
            outputs = self._networks[len(some)](patches)
            out += [_sighting([part[k] for part in outputs], roi) for k, roi in enumerate(some)]
        return out


def _sighting(outputs: list[NDArray[np.float32]], roi: Roi) -> Sighting:
    """What the network's outputs for one region mean."""
    flat, presence, handedness, world = outputs
    # The network counts in pixel centres: a mirrored crop gives 223 minus the coordinate, not 224 minus it.
    joints = roi.to_image(flat.reshape(NUM_JOINTS, 3)[:, :2] + 0.5, INPUT_SIZE)
    local = world.reshape(NUM_JOINTS, 3).astype(np.float64)
    local[:, :2] = local[:, :2] @ rotation_2d(roi.angle).T
    return Sighting(joints, local, float(presence.ravel()[0]), float(handedness.ravel()[0]), roi)
