"""The current frame, and what is not an object: background, colours of the clip, hands."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.imaging.masks import Window
from dexman_pose.segmentation.grabcut import color
from dexman_pose.segmentation.grabcut.background import BackgroundModel
from dexman_pose.segmentation.grabcut.color import ColorModel, Densities, Float, Lab, Mixture
from dexman_pose.segmentation.grabcut.hands import HandField, HandModel
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions


@dataclass
class FrameData:
    """The current frame at the working size.

    Attributes:
        index: of the frame in the clip.
        rgb: (H, W, 3) uint8.
        occupied: (H, W) bool, pixels already known to belong to something else, or None.
        previous: the last frame, or None.
        labels: (H, W) uint8, those of the last frame; come with ``previous``.
        hands: where hands may be; empty without.
    """

    index: int
    rgb: NDArray[np.uint8]
    occupied: Mask | None = None
    previous: NDArray[np.uint8] | None = None
    labels: NDArray[np.uint8] | None = None
    hands: tuple[HandField, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.rgb.shape[0], self.rgb.shape[1]


def lab_of(rgb: NDArray[np.uint8], out: Lab) -> Lab:
    """8-bit Lab of a window of a picture, written into ``out``."""
    found: Lab = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB, dst=out)
    return found


@dataclass
class Scene:
    """Holds what is not an object.

    Attributes:
        background: colour of each pixel where no object is.
        colors: colours of the whole clip without the objects.
        hands: place and colours of hands, or None.
        options: of the backend.
    """

    background: BackgroundModel
    colors: ColorModel
    hands: HandModel | None
    options: GrabCutOptions = DEFAULTS

    def __post_init__(self) -> None:
        self.clip_colors: Densities = self.colors
        """Colours of the whole clip without the objects, and skin."""
        if self.hands is not None and not self.hands.skin.empty:
            self.clip_colors = Mixture(self.hands.skin, self.colors, self.options.evidence.skin_share)

    def known_density(self, lab: Lab, window: Window) -> Float:
        """Compute the density of each pixel of a window under the known, perhaps shaded, background colour."""
        darkest = self.options.evidence.darkest_background
        return color.shaded_density(lab, self.background.lab[window], darkest, self.options.color)

    def hands_in(self, frame: int) -> HandModel | None:
        """The hand model, if a hand is present in the frame."""
        return self.hands if self.hands is not None and self.hands.present(frame) else None

    def copy(self) -> Scene:
        """Copy the scene; the background of the copy can be updated apart."""
        return replace(self, background=self.background.copy())
