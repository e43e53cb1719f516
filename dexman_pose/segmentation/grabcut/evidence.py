"""What speaks for each label at each pixel: colour, expected appearance, expected place, motion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.imaging.flow import Flow
from dexman_pose.imaging.masks import Window, signed_distance_field
from dexman_pose.segmentation.grabcut import color
from dexman_pose.segmentation.grabcut.background import BackgroundModel
from dexman_pose.segmentation.grabcut.color import Bins, ColorModel, Float, Lab
from dexman_pose.segmentation.grabcut.hands import HandModel
from dexman_pose.segmentation.grabcut.motion import IDENTITY
from dexman_pose.segmentation.grabcut.options import DEFAULTS, EvidenceOptions, GrabCutOptions
from dexman_pose.segmentation.grabcut.state import ObjectPrediction


@dataclass
class FrameData:
    """The current frame at the working size.

    Attributes:
        index: of the frame in the clip.
        lab: (H, W, 3) uint8.
        bins: (H, W) int32, histogram bin of each pixel.
        flow: from the last frame and back.
        occupied: (H, W) bool, pixels already known to belong to something else, or None.
        previous_lab: (H, W, 3) uint8, Lab of the last frame, or None.
        previous_background: (H, W) bool, background in the last frame; comes with ``previous_lab``.
    """

    index: int
    lab: Lab
    bins: Bins
    flow: Flow
    occupied: Mask | None = None
    previous_lab: Lab | None = None
    previous_background: Mask | None = None


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

    def known_density(self, lab: Lab, window: Window) -> Float:
        """Compute the density of each pixel of a window under the known, perhaps shaded, background colour."""
        return self._shaded(lab, self.background.lab[window])

    def _shaded(self, lab: Lab, expected: Float) -> Float:
        darkest = self.options.evidence.darkest_background
        return color.shaded_density(lab, expected, darkest, self.options.color)

    def newly_covered(self, picture: FrameData, window: Window) -> Mask:
        """Find pixels of a window that showed background in the last frame and another surface now."""
        if picture.previous_lab is None or picture.previous_background is None:
            return np.zeros(picture.bins[window].shape, bool)
        o = self.options.evidence
        same = self._shaded(picture.lab[window], picture.previous_lab[window].astype(np.float32))
        return picture.previous_background[window] & (same < o.new_surface_ratio * o.background_density)

    def other_density(self, own: ObjectPrediction, bins: Bins, at_rest: Float, hands_seen: bool) -> Float:
        """Compute the density of pixels of a window that show anything but objects (and hands, where seen).

        Where the background is known, a pixel that does not look like it shows something that moves in front of
        it: then only colours of such things count, and not those of the surroundings at rest.

        Args:
            own: the object whose window it is.
            bins: (h, w) int32, histogram bin of each pixel.
            at_rest: (h, w) density under the known background colour.
            hands_seen: hands have a label of their own.
        """
        o = self.options.evidence
        trust, near = self.background.trust[own.window], o.nearby_share
        anything = self.colors.density(bins) if hands_seen else self.clip_density(bins)
        moving = near * own.state.distractor_color.density(bins) + (1 - near) * anything
        known = (o.known_with_hands if hands_seen else o.known_without_hands) * trust
        resting = near * own.state.surround_color.density(bins) + (1 - near) * anything
        return known * at_rest + (1 - known) * (trust * moving + (1 - trust) * resting)

    def clip_density(self, bins: Bins) -> Float:
        """Compute the density of pixels under the colours of the whole clip without the objects, and of skin."""
        colors = self.colors.density(bins)
        if self.hands is None or self.hands.skin.empty:
            return colors
        share = self.options.evidence.skin_share
        return (1 - share) * colors + share * self.hands.skin.density(bins)

    def hands_in(self, frame: int) -> HandModel | None:
        """The hand model, if a hand is present in the frame."""
        return self.hands if self.hands is not None and self.hands.present(frame) else None

    def copy(self) -> Scene:
        """Copy the scene; the background of the copy can be updated apart."""
        b = self.background
        background = BackgroundModel(b.lab.copy(), b.trust.copy(), b.options)
        return Scene(background, self.colors, self.hands, self.options)


def log_evidence(
    picture: FrameData,
    scene: Scene,
    own: ObjectPrediction,
    competitors: list[ObjectPrediction],
    at_rest: Float,
) -> Float:
    """Compute log likelihood plus log prior, (2 + R [+ 1], h, w) in the window of ``own``.

    Background, the object, its competitors, and a hand last if one is present.

    Args:
        picture: the frame.
        scene: what is not an object.
        own: the object whose window this is.
        competitors: other objects that may be in the window, seen through it.
        at_rest: (h, w) density under the known background colour, from :meth:`Scene.known_density`.
    """
    o, weight = scene.options.evidence, scene.options.color.weight
    window = own.window
    lab, bins = picture.lab[window], picture.bins[window]
    back = picture.flow.backward_in(window)
    hands = scene.hands_in(picture.index)
    out = np.empty((2 + len(competitors) + (hands is not None), *bins.shape), np.float32)
    trust = scene.background.trust[window]
    nothing = scene.other_density(own, bins, at_rest, hands is not None)
    nothing[scene.newly_covered(picture, window) & (trust < o.known_trust)] *= o.new_surface_factor
    out[0] = weight * np.log(nothing)
    out[0] += o.motion_weight * _motion_cue(back, None, window, o)
    unproven = trust * (at_rest > o.background_density)
    skin = np.zeros_like(at_rest)
    if hands is not None:
        place = hands.log_prior(picture.index, window)
        skin = hands.skin.density(bins)
        out[-1] = weight * np.log(skin) + place + o.motion_weight * np.log(o.hand_flow)
        skin[place < 0] = 0
    unlike = (trust > o.known_trust) & (at_rest < o.unlike_ratio * o.background_density)
    lowest = np.where(unlike, o.far_unlike_log_odds, o.far_log_odds).astype(np.float32)
    for k, p in enumerate([own, *competitors]):
        density = _object_density(p, lab, bins, unproven, skin, scene.options)
        out[k + 1] = weight * np.log(density)
        out[k + 1] += _shape_prior(p, back, lowest, o) + o.motion_weight * _motion_cue(back, p, window, o)
        if picture.occupied is not None:
            out[k + 1][picture.occupied[window]] = o.excluded_log_odds
    return out


def _object_density(
    p: ObjectPrediction, lab: Lab, bins: Bins, unproven: Float, skin: Float, options: GrabCutOptions
) -> Float:
    """Density of pixels under an object: its colours, and what was seen last at each place.

    Where a hand may be and a pixel looks more like skin than like the object on its prompt frame, only the colours
    of that frame count: what was learned since may be a piece of the hand, and would confirm itself.
    """
    first = p.state.initial_color.density(bins)
    o = options.evidence
    hand_like = skin > first
    share = np.where(hand_like, 0, o.appearance_share * p.support * (1 - unproven))
    seen = color.shaded_density(lab, p.template, o.darkest_object, options.color)
    return share * seen + (1 - share) * np.where(hand_like, first, p.state.color(bins))


def _motion_cue(back: Float, p: ObjectPrediction | None, window: Window, options: EvidenceOptions) -> Float:
    """Log density (up to a constant) of the backward flow when a pixel moves with object ``p``, or stands still."""
    still = p is None or np.array_equal(p.motion.matrix, IDENTITY)
    miss = squared_length(back if p is None or still else back - expected_flow(p, window))
    speed = 0.0 if p is None else p.motion.speed
    sigma = options.motion_sigma + options.motion_sigma_per_step * speed
    floor = options.background_outliers if p is None else options.object_outliers
    out: Float = np.log((1 - floor) * np.exp(miss * np.float32(-0.5 / sigma**2)) + np.float32(floor))
    return out


def squared_length(vectors: Float) -> Float:
    """Compute the squared length (h, w) of vectors (h, w, 2)."""
    x, y = vectors[..., 0], vectors[..., 1]
    return x * x + y * y


def expected_flow(p: ObjectPrediction, window: Window) -> Float:
    """Compute the backward flow (h, w, 2) of the pixels of a window if they all moved with the object."""
    rows, cols = window
    back = np.linalg.inv(p.motion.matrix[:, :2])
    x = np.arange(cols.start, cols.stop)[None, :]
    y = np.arange(rows.start, rows.stop)[:, None]
    dx, dy = x - p.motion.matrix[0, 2], y - p.motion.matrix[1, 2]
    out = np.empty((len(y), x.shape[1], 2), np.float32)
    out[..., 0] = back[0, 0] * dx - x + back[0, 1] * dy
    out[..., 1] = back[1, 0] * dx + (back[1, 1] * dy - y)
    return out


def _shape_prior(p: ObjectPrediction, back: Float, lowest: Float, options: EvidenceOptions) -> Float:
    """Log odds of the object from where it was: warped rigidly, and warped by dense flow.

    Args:
        p: the object.
        back: (h, w, 2) backward flow of its window.
        lowest: (h, w) log odds far away; less low where something must stand before the background.
        options: softness and weights.
    """
    o = options
    softness = o.softness + min(o.softness_per_step * p.motion.speed, o.most_added_softness)
    away = signed_distance_field(p.support > 0.5, 3)
    if p.outline is not p.support:
        similarity = o.similarity_share
        away = (1 - similarity) * away + similarity * signed_distance_field(p.outline > 0.5, 3)
    rigid: Float = np.clip(away / softness, lowest, o.inside_log_odds).astype(np.float32)
    h, w = back.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    x, y = x + p.window[1].start + back[..., 0], y + p.window[0].start + back[..., 1]
    if not p.state.visible.any():
        return rigid
    moved = cv2.remap(p.state.visible.astype(np.float32), x, y, cv2.INTER_LINEAR)
    dense = np.clip(signed_distance_field(moved > 0.5, 3) / softness, lowest, o.inside_log_odds)
    out: Float = (o.rigid_weight * rigid + o.dense_weight * dense).astype(np.float32)
    return out
