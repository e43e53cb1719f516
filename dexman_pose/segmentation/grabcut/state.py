"""What is remembered of one object while it is followed through the clip."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dexman_pose._optional import require
from dexman_pose.arrays import Mask
from dexman_pose.imaging.masks import Window, dilated, window_around
from dexman_pose.segmentation.grabcut.color import Bins, ColorModel, Float, Lab
from dexman_pose.segmentation.grabcut.motion import ObjectMotion


@dataclass
class ObjectState:
    """One object between two frames; images are at the working size, in the coordinates of the last frame.

    Attributes:
        name: the user's name.
        visible: (H, W) bool, pixels seen in the last frame.
        support: (H, W) float32 in [0, 1], belief that the object is there, seen or hidden.
        template: (H, W, 3) float32 Lab, last seen colour of each pixel of ``support``.
        first_color: colours of the object on its prompt frame.
        later_color: colours of the object since, slowly updated.
        around: colours near the object, quickly updated.
        movers: colours near the object that are neither it nor the known background.
        area: usual number of visible pixels.
        lost_for: frames since the object was last seen; 0 while it is seen.
    """

    name: str
    visible: Mask
    support: Float
    template: Float
    first_color: ColorModel = field(default_factory=ColorModel)
    later_color: ColorModel = field(default_factory=ColorModel)
    around: ColorModel = field(default_factory=ColorModel)
    movers: ColorModel = field(default_factory=ColorModel)
    area: float = 0.0
    lost_for: int = 0

    @classmethod
    def start(cls, name: str, mask: Mask, lab: Lab, bins: Bins, others: Mask) -> ObjectState:
        """The state on the prompt frame; ``others`` are pixels of other objects and hands."""
        state = cls(name, mask, mask.astype(np.float32), lab.astype(np.float32))
        state.first_color.add(bins[mask])
        state.later_color.add(bins[mask])
        window = window_around(mask, _ring_width(mask)) or (slice(None), slice(None))
        ring = ~dilated(mask[window], 2) & ~others[window]
        state.around.add(bins[window][ring])
        state.area = float(mask.sum())
        return state

    def color(self, bins: Bins) -> Float:
        """Density of pixels under the object's colours; those of the prompt always count, so that none drift away."""
        return 0.5 * self.first_color.density(bins) + 0.5 * self.later_color.density(bins)

    def copy(self) -> ObjectState:
        """An independent copy, for the other direction of time."""
        return ObjectState(
            self.name,
            self.visible.copy(),
            self.support.copy(),
            self.template.copy(),
            self.first_color.copy(),
            self.later_color.copy(),
            self.around.copy(),
            self.movers.copy(),
            self.area,
            self.lost_for,
        )


@dataclass
class Prediction:
    """Where an object should be in the current frame: its state warped by its motion, in a window.

    Attributes:
        state: the object.
        motion: its motion from the last frame.
        window: rows and columns of the current frame that may hold it.
        support: (h, w) float32 of the window.
        template: (h, w, 3) float32 of the window.
        outline: (h, w) float32 like ``support``, moved without shear.
    """

    state: ObjectState
    motion: ObjectMotion
    window: Window
    support: Float
    template: Float
    outline: Float


def _ring_width(mask: Mask) -> int:
    """How far around an object its surroundings reach: a fraction of its size."""
    return int(np.clip(0.25 * np.sqrt(mask.sum()), 12, 60))


def warped(image: Float, matrix: np.ndarray, window: Window, *, nearest: bool = False) -> Float:
    """``image`` moved by the affine ``matrix`` (2, 3), seen through ``window`` of the new frame."""
    rows, cols = window
    if np.array_equal(matrix, [[1, 0, 0], [0, 1, 0]]):
        return image[window].copy()
    cv2 = require("cv2", "video", "segmenting a video")
    local = matrix.copy()
    local[:, 2] -= [cols.start, rows.start]
    size = (cols.stop - cols.start, rows.stop - rows.start)
    flags = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    out: Float = cv2.warpAffine(image, local, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return out
