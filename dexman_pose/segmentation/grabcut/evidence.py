"""What speaks for each label at each pixel: colour, expected appearance, expected place, motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose._optional import require
from dexman_pose.arrays import Mask
from dexman_pose.imaging.flow import Flow
from dexman_pose.imaging.masks import Window, coarse_signed_distance
from dexman_pose.segmentation.grabcut import color
from dexman_pose.segmentation.grabcut.background import Plate
from dexman_pose.segmentation.grabcut.color import COLOR_WEIGHT, Bins, ColorModel, Float, Lab
from dexman_pose.segmentation.grabcut.hands import HandModel
from dexman_pose.segmentation.grabcut.motion import IDENTITY
from dexman_pose.segmentation.grabcut.state import Prediction

_MOTION_WEIGHT = 0.7
_NEVER = -50.0
_ARRIVAL = 0.2
"""How likely a pixel that was background, and changed, is still not an object."""
BARE = 0.01
"""Density from which a pixel looks like bare background; there the object's last appearance proves nothing, as a
piece of background once taken for the object would look just as expected."""
_KNOWN_WITH_HANDS, _KNOWN = 0.8, 0.6
"""Share of the time that the background near an object is not hidden by anything but objects and seen hands."""
_DARKEST, _DARKEST_BACKGROUND = 0.5, 0.4
"""Shadows on an object, and on the background near it, go down to this share of the light."""


@dataclass
class Picture:
    """The current frame at the working size.

    Attributes:
        index: of the frame in the clip.
        lab: (H, W, 3) uint8.
        bins: (H, W) int32, histogram bin of each pixel.
        flow: from the last frame and back.
        taken: (H, W) bool, pixels already known to belong to something else, or None.
        before: (H, W, 3) uint8, Lab of the last frame, or None.
        free: (H, W) bool, background in the last frame; comes with ``before``.
    """

    index: int
    lab: Lab
    bins: Bins
    flow: Flow
    taken: Mask | None = None
    before: Lab | None = None
    free: Mask | None = None

    def arrived(self, window: Window) -> Mask:
        """Pixels of a window that showed background in the last frame and another surface now."""
        if self.before is None or self.free is None:
            return np.zeros(self.bins[window].shape, bool)
        same = color.near_shaded(
            self.lab[window], self.before[window].astype(np.float32), _DARKEST_BACKGROUND
        )
        return self.free[window] & (same < 0.1 * BARE)


@dataclass
class Scene:
    """What is not an object: the background, its colours, and hands."""

    plate: Plate
    colors: ColorModel
    hands: HandModel | None

    def plain(self, lab: Lab, window: Window) -> Float:
        """Density of each pixel of a window under the known, perhaps shaded, background colour."""
        return color.near_shaded(lab, self.plate.lab[window], _DARKEST_BACKGROUND)

    def not_object(self, own: Prediction, bins: Bins, plain: Float, hands_seen: bool) -> Float:
        """Density of pixels of a window that show anything but objects (and hands, where those are seen).

        Where the background is known, a pixel that does not look like it shows something that moves in front of
        it: then only colours of such things count, and not those of the surroundings at rest.
        """
        trust = self.plate.trust[own.window]
        anything = self.colors.density(bins) if hands_seen else self.anything(bins)
        near = own.state.around.density(bins)
        moving = 0.6 * own.state.movers.density(bins) + 0.4 * anything
        known = (_KNOWN_WITH_HANDS if hands_seen else _KNOWN) * trust
        resting = 0.6 * near + 0.4 * anything
        return known * plain + (1 - known) * (trust * moving + (1 - trust) * resting)

    def anything(self, bins: Bins) -> Float:
        """Density of pixels under the colours of the whole clip without the objects, and of skin."""
        colors = self.colors.density(bins)
        if self.hands is None or self.hands.skin.empty:
            return colors
        return 0.5 * colors + 0.5 * self.hands.skin.density(bins)

    def hands_in(self, frame: int) -> HandModel | None:
        """The hand model, if a hand is present in the frame."""
        return self.hands if self.hands is not None and self.hands.present(frame) else None

    def copy(self) -> Scene:
        """A scene whose plate can be updated apart."""
        return Scene(Plate(self.plate.lab.copy(), self.plate.trust.copy()), self.colors, self.hands)


def log_evidence(
    picture: Picture, scene: Scene, own: Prediction, rivals: list[Prediction], plain: Float
) -> Float:
    """Log likelihood plus log prior, (2 + R [+ 1], h, w) in the window of ``own``.

    Background, the object, its rivals, and a hand last if one is present.

    Args:
        picture: the frame.
        scene: what is not an object.
        own: the object whose window this is.
        rivals: other objects that may be in the window, seen through it.
        plain: (h, w) density under the known background colour, from :meth:`Scene.plain`.
    """
    window = own.window
    lab, bins = picture.lab[window], picture.bins[window]
    back = picture.flow.backward_in(window)
    hands = scene.hands_in(picture.index)
    out = np.empty((2 + len(rivals) + (hands is not None), *bins.shape), np.float32)
    nothing = scene.not_object(own, bins, plain, hands is not None)
    nothing[picture.arrived(window) & (scene.plate.trust[window] < 0.5)] *= _ARRIVAL
    out[0] = COLOR_WEIGHT * np.log(nothing)
    out[0] += _MOTION_WEIGHT * _motion_cue(back, None, window, 0.3)
    stale = scene.plate.trust[window] * (plain > BARE)
    skin = np.zeros_like(plain)
    if hands is not None:
        place = hands.log_prior(picture.index, window)
        skin = hands.skin.density(bins)
        out[-1] = COLOR_WEIGHT * np.log(skin) + place + _MOTION_WEIGHT * np.log(0.6)
        skin[place < 0] = 0
    reach = np.where((scene.plate.trust[window] > 0.5) & (plain < 0.3 * BARE), -4.0, -8.0).astype(np.float32)
    for k, p in enumerate([own, *rivals]):
        out[k + 1] = COLOR_WEIGHT * np.log(_object_density(p, lab, bins, stale, skin))
        out[k + 1] += _shape_prior(p, back, reach) + _MOTION_WEIGHT * _motion_cue(back, p, window, 0.08)
        if picture.taken is not None:
            out[k + 1][picture.taken[window]] = _NEVER
    return out


def _object_density(p: Prediction, lab: Lab, bins: Bins, stale: Float, skin: Float) -> Float:
    """Density of pixels under an object: its colours, and what was seen last at each place.

    Where a hand may be and a pixel looks more like skin than like the object on its prompt frame, only the colours
    of that frame count: what was learned since may be a piece of the hand, and would confirm itself.
    """
    first = p.state.first_color.density(bins)
    hand_like = skin > first
    share = np.where(hand_like, 0, 0.5 * p.support * (1 - stale))
    seen = color.near_shaded(lab, p.template, _DARKEST)
    return share * seen + (1 - share) * np.where(hand_like, first, p.state.color(bins))


def _motion_cue(back: Float, p: Prediction | None, window: Window, floor: float) -> Float:
    """Log density (up to a constant) of the backward flow when a pixel moves with object ``p``, or stands still."""
    still = p is None or np.array_equal(p.motion.matrix, IDENTITY)
    miss = squared_length(back if p is None or still else back - expected_flow(p, window))
    speed = 0.0 if p is None else p.motion.speed
    sigma = 0.7 + 0.12 * speed
    out: Float = np.log((1 - floor) * np.exp(miss * np.float32(-0.5 / sigma**2)) + np.float32(floor))
    return out


def squared_length(vectors: Float) -> Float:
    """(h, w) of (h, w, 2)."""
    x, y = vectors[..., 0], vectors[..., 1]
    return x * x + y * y


def expected_flow(p: Prediction, window: Window) -> Float:
    """Backward flow (h, w, 2) of the pixels of a window if they all moved with the object."""
    rows, cols = window
    back = np.linalg.inv(p.motion.matrix[:, :2])
    x = np.arange(cols.start, cols.stop)[None, :]
    y = np.arange(rows.start, rows.stop)[:, None]
    dx, dy = x - p.motion.matrix[0, 2], y - p.motion.matrix[1, 2]
    out = np.empty((len(y), x.shape[1], 2), np.float32)
    out[..., 0] = back[0, 0] * dx - x + back[0, 1] * dy
    out[..., 1] = back[1, 0] * dx + (back[1, 1] * dy - y)
    return out


def _shape_prior(p: Prediction, back: Float, lowest: Float) -> Float:
    """Log odds of the object from where it was: warped rigidly, and warped by dense flow.

    Args:
        p: the object.
        back: (h, w, 2) backward flow of its window.
        lowest: (h, w) log odds far away; less low where something must stand before the background.
    """
    cv2 = require("cv2", "video", "segmenting a video")
    softness = 1.3 + min(0.12 * p.motion.speed, 5.0)
    away = coarse_signed_distance(p.support > 0.5)
    if p.outline is not p.support:
        away = 0.5 * away + 0.5 * coarse_signed_distance(p.outline > 0.5)
    rigid: Float = np.clip(away / softness, lowest, 4).astype(np.float32)
    h, w = back.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    x, y = x + p.window[1].start + back[..., 0], y + p.window[0].start + back[..., 1]
    if not p.state.visible.any():
        return rigid
    moved = cv2.remap(p.state.visible.astype(np.float32), x, y, cv2.INTER_LINEAR)
    dense = np.clip(coarse_signed_distance(moved > 0.5) / softness, lowest, 4)
    out: Float = (0.65 * rigid + 0.4 * dense).astype(np.float32)
    return out
