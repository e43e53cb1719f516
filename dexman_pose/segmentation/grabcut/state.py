"""What is remembered of one object while it is followed through the clip."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.imaging.masks import Window, dilated, window_around
from dexman_pose.segmentation.grabcut.color import Bins, ColorModel, Float, Lab
from dexman_pose.segmentation.grabcut.motion import IDENTITY, ObjectMotion
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions, LearningOptions


@dataclass
class ObjectState:
    """One object between two frames; images are at the working size, in the coordinates of the last frame.

    Attributes:
        name: the user's name.
        visible: (H, W) bool, pixels seen in the last frame.
        support: (H, W) float32 in [0, 1], belief that the object is there, seen or hidden.
        template: (H, W, 3) float32 Lab, last seen colour of each pixel of ``support``.
        initial_color: colours of the object on its prompt frame.
        adapted_color: colours of the object since, slowly updated.
        surround_color: colours near the object, quickly updated.
        distractor_color: colours near the object that are neither it nor the known background.
        area: usual number of visible pixels.
        frames_lost: frames since the object was last seen; 0 while it is seen.
        options: how its colours are mixed.
    """

    name: str
    visible: Mask
    support: Float
    template: Float
    initial_color: ColorModel = field(default_factory=ColorModel)
    adapted_color: ColorModel = field(default_factory=ColorModel)
    surround_color: ColorModel = field(default_factory=ColorModel)
    distractor_color: ColorModel = field(default_factory=ColorModel)
    area: float = 0.0
    frames_lost: int = 0
    options: LearningOptions = DEFAULTS.learning

    @classmethod
    def start(
        cls, name: str, mask: Mask, lab: Lab, bins: Bins, others: Mask, options: GrabCutOptions = DEFAULTS
    ) -> ObjectState:
        """Make the state on the prompt frame.

        Args:
            name: the user's name.
            mask: (H, W) bool, the object.
            lab: (H, W, 3) uint8 picture.
            bins: (H, W) int32, histogram bin of each pixel.
            others: (H, W) bool, pixels of other objects and hands.
            options: of the colours and of what is learned.
        """
        o = options.learning
        initial, adapted, surround, distractor = (ColorModel(options.color) for _ in range(4))
        state = cls(
            name,
            mask,
            mask.astype(np.float32),
            lab.astype(np.float32),
            initial_color=initial,
            adapted_color=adapted,
            surround_color=surround,
            distractor_color=distractor,
            options=o,
        )
        state.initial_color.add(bins[mask])
        state.adapted_color.add(bins[mask])
        window = window_around(mask, _ring_width(mask, o)) or (slice(None), slice(None))
        ring = ~dilated(mask[window], o.edge) & ~others[window]
        state.surround_color.add(bins[window][ring])
        state.area = float(mask.sum())
        return state

    def color(self, bins: Bins) -> Float:
        """Compute the density of pixels under the object's colours; those of the prompt always count."""
        share = self.options.initial_share
        return share * self.initial_color.density(bins) + (1 - share) * self.adapted_color.density(bins)

    def copy(self) -> ObjectState:
        """An independent copy, for the other direction of time."""
        return ObjectState(
            self.name,
            self.visible.copy(),
            self.support.copy(),
            self.template.copy(),
            self.initial_color.copy(),
            self.adapted_color.copy(),
            self.surround_color.copy(),
            self.distractor_color.copy(),
            self.area,
            self.frames_lost,
            self.options,
        )


@dataclass
class ObjectPrediction:
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


def _ring_width(mask: Mask, options: LearningOptions) -> int:
    """How far around an object its surroundings reach: a fraction of its size."""
    return int(np.clip(options.surround * np.sqrt(mask.sum()), *options.surround_limits))


def warped(image: Float, matrix: np.ndarray, window: Window, *, nearest: bool = False) -> Float:
    """``image`` moved by the affine ``matrix`` (2, 3), seen through ``window`` of the new frame."""
    rows, cols = window
    if np.array_equal(matrix, IDENTITY):
        return image[window].copy()
    local = matrix.copy()
    local[:, 2] -= [cols.start, rows.start]
    size = (cols.stop - cols.start, rows.stop - rows.start)
    flags = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    out: Float = cv2.warpAffine(image, local, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return out
