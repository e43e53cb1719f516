"""What is remembered of one object while it is followed through the clip."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.imaging.masks import Window, dilated, window_around
from dexman_pose.imaging.windows import seen_through
from dexman_pose.segmentation.grabcut.color import Bins, ColorModel, Float, Lab, Mixture
from dexman_pose.segmentation.grabcut.motion import IDENTITY, ObjectMotion
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions, LearningOptions


@dataclass(frozen=True)
class Outline:
    """Where the outline of an object runs, between pixels too.

    Attributes:
        window: rows and columns of the frame at the working size.
        probability: (h, w) float32 that a pixel of the window shows the object; above one half in its mask.
    """

    window: Window
    probability: Float


@dataclass
class ObjectState:
    """One object between two frames; images show a window of the last frame at the working size.

    Attributes:
        name: the user's name.
        window: rows and columns of the frame that the images cover; outside them there is nothing.
        visible: (h, w) bool, pixels seen in the last frame.
        support: (h, w) float32 in [0, 1], belief that the object is there, seen or hidden.
        template: (h, w, 3) uint8 Lab, last seen colour of each pixel of ``support``.
        outline: what is drawn of it; of a lost object the few pixels that may be it, in a window of their own.
        initial_color: colours of the object on its prompt frame.
        adapted_color: colours of the object since, slowly updated.
        surround_color: colours near the object, quickly updated.
        distractor_color: colours near the object that are neither it nor the known background.
        area: usual number of visible pixels.
        frames_lost: frames since the object was last seen; 0 while it is seen.
        trust: confidence of the mask of the last frame.
        looked: small grey picture of the frame in which the mask was made, or None.
        options: how its colours are mixed.
        color: its colours; those of the prompt always count.
    """

    name: str
    window: Window
    visible: Mask
    support: Float
    template: Lab
    outline: Outline
    initial_color: ColorModel = field(default_factory=ColorModel)
    adapted_color: ColorModel = field(default_factory=ColorModel)
    surround_color: ColorModel = field(default_factory=ColorModel)
    distractor_color: ColorModel = field(default_factory=ColorModel)
    area: float = 0.0
    frames_lost: int = 0
    trust: float = 1.0
    looked: NDArray[np.uint8] | None = None
    options: LearningOptions = DEFAULTS.learning
    color: Mixture = field(init=False)

    def __post_init__(self) -> None:
        self.color = Mixture(self.initial_color, self.adapted_color, self.options.initial_share)

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
        window = window_around(mask, _ring_width(mask, o)) or (slice(0, len(mask)), slice(0, mask.shape[1]))
        own = mask[window].copy()
        certain = own.astype(np.float32)
        state = cls(
            name,
            window,
            own,
            certain,
            lab[window].copy(),
            Outline(window, certain),
            initial_color=initial,
            adapted_color=adapted,
            surround_color=surround,
            distractor_color=distractor,
            options=o,
        )
        state.initial_color.add(bins[window][own])
        state.adapted_color.add(bins[window][own])
        state.surround_color.add(bins[window][~dilated(own, o.edge) & ~others[window]])
        state.area = float(own.sum())
        return state

    def visible_through(self, window: Window) -> Mask:
        """``visible`` in another window."""
        return np.asarray(seen_through(self.visible, self.window, window))

    def copy(self) -> ObjectState:
        """An independent copy, for the other direction of time."""
        models = (self.initial_color, self.adapted_color, self.surround_color, self.distractor_color)
        initial, adapted, surround, distractor = (model.copy() for model in models)
        return replace(
            self,
            visible=self.visible.copy(),
            support=self.support.copy(),
            template=self.template.copy(),
            initial_color=initial,
            adapted_color=adapted,
            surround_color=surround,
            distractor_color=distractor,
        )


@dataclass
class ObjectPrediction:
    """Where an object should be in the current frame: its state warped by its motion, in a window.

    Attributes:
        state: the object.
        motion: its motion from the last frame.
        window: rows and columns of the current frame that may hold it.
        support: (h, w) float32 of the window.
        template: (h, w, 3) uint8 of the window.
        outline: (h, w) float32 like ``support``, moved without shear.
    """

    state: ObjectState
    motion: ObjectMotion
    window: Window
    support: Float
    template: Lab
    outline: Float


def predicted(state: ObjectState, motion: ObjectMotion, window: Window) -> ObjectPrediction:
    """The state moved by a motion, seen through a window of the new frame."""

    def moved(image: NDArray[np.generic], matrix: NDArray[np.float64]) -> NDArray[np.generic]:
        return warped(image, state.window, matrix, window)

    support, template = moved(state.support, motion.matrix), moved(state.template, motion.matrix)
    outline = support
    if motion.similarity is not motion.matrix:
        outline = moved(state.support, motion.similarity)
    return ObjectPrediction(
        state,
        motion,
        window,
        np.asarray(support, np.float32),
        np.asarray(template, np.uint8),
        np.asarray(outline, np.float32),
    )


def _ring_width(mask: Mask, options: LearningOptions) -> int:
    """How far around an object its surroundings reach: a fraction of its size."""
    return int(np.clip(options.surround * np.sqrt(mask.sum()), *options.surround_limits))


def warped(
    image: NDArray[np.generic], its: Window, matrix: NDArray[np.float64], window: Window
) -> NDArray[np.generic]:
    """An image of the window ``its``, moved by the affine ``matrix`` (2, 3), through ``window`` of the new frame."""
    if np.array_equal(matrix, IDENTITY):
        return seen_through(image, its, window)
    rows, cols = window
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ [its[1].start, its[0].start] - [cols.start, rows.start]
    size = (cols.stop - cols.start, rows.stop - rows.start)
    out: NDArray[np.generic] = cv2.warpAffine(
        image, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    return out
