"""What speaks for each label at each pixel: colour, expected appearance, expected place, motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose._optional import require
from dexman_pose.segmentation import color
from dexman_pose.segmentation.background import Plate
from dexman_pose.segmentation.color import Bins, ColorModel, Float, Lab
from dexman_pose.segmentation.images import Mask, Window, signed_distance
from dexman_pose.segmentation.motion import Flow
from dexman_pose.segmentation.occluders import HandModel
from dexman_pose.segmentation.state import Prediction

_COLOR_WEIGHT = 0.7
_MOTION_WEIGHT = 0.7
_NEVER = -50.0


@dataclass
class Picture:
    """The current frame at the working size.

    Attributes:
        index: of the frame in the clip.
        lab: (H, W, 3) uint8.
        bins: (H, W) int32, histogram bin of each pixel.
        flow: from the last frame and back.
        taken: (H, W) bool, pixels already known to belong to something else, or None.
    """

    index: int
    lab: Lab
    bins: Bins
    flow: Flow
    taken: Mask | None = None


@dataclass
class Scene:
    """What is not an object: the background, its colours, and hands."""

    plate: Plate
    colors: ColorModel
    hands: HandModel | None

    def plain(self, lab: Lab, window: Window) -> Float:
        """Density of each pixel of a window under the known, perhaps shaded, background colour."""
        return color.near_shaded(lab, self.plate.lab[window])

    def copy(self) -> Scene:
        """A scene whose plate can be updated apart."""
        return Scene(Plate(self.plate.lab.copy(), self.plate.trust.copy()), self.colors, self.hands)


def log_evidence(
    picture: Picture, scene: Scene, own: Prediction, rivals: list[Prediction], plain: Float
) -> Float:
    """Log likelihood plus log prior, (3 + R, h, w): background, hand, the object, its rivals; in its window."""
    window = own.window
    lab, bins = picture.lab[window], picture.bins[window]
    back = picture.flow.backward_in(window)
    out = np.empty((3 + len(rivals), *bins.shape), np.float32)
    trust = 0.6 * scene.plate.trust[window]
    around = 0.75 * own.state.around.density(bins) + 0.25 * scene.colors.density(bins)
    out[0] = _COLOR_WEIGHT * np.log(trust * plain + (1 - trust) * around)
    out[0] += _MOTION_WEIGHT * _motion_cue(back, None, window, 0.35)
    out[1] = _NEVER
    hands = scene.hands
    if hands is not None and hands.present(picture.index):
        out[1] = _COLOR_WEIGHT * np.log(hands.skin.density(bins)) + hands.log_prior(picture.index, window)
        out[1] += _MOTION_WEIGHT * np.log(0.6)
    for k, p in enumerate([own, *rivals]):
        share = 0.5 * p.support
        density = share * color.near(lab, p.template) + (1 - share) * p.state.color.density(bins)
        out[k + 2] = _COLOR_WEIGHT * np.log(density) + _shape_prior(p, back)
        out[k + 2] += _MOTION_WEIGHT * _motion_cue(back, p, window, 0.15)
    if picture.taken is not None:
        out[2:, picture.taken[window]] = _NEVER
    return out


def _motion_cue(back: Float, p: Prediction | None, window: Window, floor: float) -> Float:
    """Log density (up to a constant) of the backward flow when a pixel moves with object ``p``, or stands still."""
    expected = np.zeros(2, np.float32) if p is None else _expected_flow(p, window)
    miss = np.square(back - expected).sum(-1)
    speed = 0.0 if p is None else p.motion.speed
    sigma = 0.7 + 0.12 * speed
    out: Float = np.log((1 - floor) * np.exp(miss * np.float32(-0.5 / sigma**2)) + np.float32(floor))
    return out


def _expected_flow(p: Prediction, window: Window) -> Float:
    rows, cols = window
    linear = np.linalg.inv(p.motion.matrix[:, :2])
    x = np.arange(cols.start, cols.stop)[None, :, None]
    y = np.arange(rows.start, rows.stop)[:, None, None]
    there = (x - p.motion.matrix[0, 2]) * linear[:, 0] + (y - p.motion.matrix[1, 2]) * linear[:, 1]
    here = np.concatenate(np.broadcast_arrays(x, y), -1)
    return (there - here).astype(np.float32)


def _shape_prior(p: Prediction, back: Float) -> Float:
    """Log odds of the object from where it was: warped rigidly, and warped by dense flow."""
    cv2 = require("cv2", "video", "segmenting a video")
    softness = 1.3 + min(0.12 * p.motion.speed, 5.0)
    rigid = np.clip(signed_distance(p.support > 0.5) / softness, -6, 4)
    h, w = back.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    x, y = x + p.window[1].start + back[..., 0], y + p.window[0].start + back[..., 1]
    moved = cv2.remap(p.state.visible.astype(np.float32), x, y, cv2.INTER_LINEAR)
    dense = np.clip(signed_distance(moved > 0.5) / softness, -6, 4)
    out: Float = (0.6 * rigid + 0.4 * dense).astype(np.float32)
    return out
