"""What speaks for each label at each pixel: colour, expected appearance, expected place, motion."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.imaging.dense_flow import Flow
from dexman_pose.imaging.masks import Window, signed_distance_field
from dexman_pose.imaging.windows import inside, shape_of
from dexman_pose.segmentation.grabcut.color import Float, peak_density
from dexman_pose.segmentation.grabcut.kernels import background as behind
from dexman_pose.segmentation.grabcut.kernels import objects
from dexman_pose.segmentation.grabcut.kernels.pieces import ColorRule
from dexman_pose.segmentation.grabcut.kernels.workspace import Workspace
from dexman_pose.segmentation.grabcut.labeling import EVIDENCE, LAB
from dexman_pose.segmentation.grabcut.options import EvidenceOptions, GrabCutOptions
from dexman_pose.segmentation.grabcut.scene import FrameData, Scene, lab_of
from dexman_pose.segmentation.grabcut.state import ObjectPrediction

BINS, AT_REST, BACK = "bins", "at_rest", "back"
"""Names of the images (h, w): histogram bin, density under the known background, and (h, w, 2) backward flow."""
_HALF_SEEN = 127
"""Of 255, interpolated visibility above which a pixel is seen."""


class Evidence:
    """Weighs the labels of the pixels of a window.

    Args:
        work: gets the images ``LAB``, ``EVIDENCE`` and those named above.
        options: every weight.
    """

    def __init__(self, work: Workspace, options: GrabCutOptions) -> None:
        self._work, self._options = work, options
        self._color_rule = _color_rule(options)
        self._object_rule = _object_rule(options)
        self._background_rules = {seen: _background_rule(options, seen) for seen in (False, True)}

    def look(self, picture: FrameData, scene: Scene, window: Window) -> Float:
        """Write colours, bins and density (h, w) under the known background of a window, and return the last."""
        shape = shape_of(window)
        lab_of(picture.rgb[window], self._work.image(LAB, np.uint8, (*shape, 3)))
        self._work.image(BINS, np.int32, shape)
        at_rest = self._work.image(AT_REST, np.float32, shape)
        top, left, width = window[0].start, window[1].start, picture.shape[1]
        self._look(scene.background.arrays[0], (top, left, *shape, width), BINS, AT_REST)
        return at_rest

    def _look(self, expected: Any, place: tuple[int, ...], bins: str, density: str) -> None:
        darkest = self._options.evidence.darkest_background
        self._work.launch(behind.look, LAB, expected, self._color_rule, darkest, *place, bins, density)

    def weigh(
        self,
        picture: FrameData,
        scene: Scene,
        own: ObjectPrediction,
        competitors: list[ObjectPrediction],
        flow: Flow | None,
    ) -> int:
        """Write log likelihood plus log prior of each label of the window of ``own``, after :meth:`look`.

        Background, the object, its competitors, and a hand last if one is present.

        Args:
            picture: the frame.
            scene: what is not an object.
            own: the object whose window this is.
            competitors: other objects that may be in the window, seen through it.
            flow: from the last frame and back; None where nothing is known of it.

        Returns:
            Number of labels.
        """
        window, work, shape = own.window, self._work, shape_of(own.window)
        labels = 2 + len(competitors) + bool(picture.hands)
        out = work.image(EVIDENCE, np.float32, (labels, *shape))
        place = (window[0].start, window[1].start, *shape, picture.shape[1])
        back = work.image(BACK, np.float32, (*shape, 2))
        if flow is None:
            back[...] = 0
        else:
            flow.backward_in(window, back)
        self._weigh_background(picture, scene, own, place)
        self._weigh_hands(picture, scene, window, out[-1])
        taken = work.image("taken", np.uint8, shape)
        taken[...] = 0 if picture.occupied is None else picture.occupied[window]
        for k, one in enumerate([own, *competitors]):
            self._weigh_object(one, scene, place, k + 1)
        return labels

    def _weigh_background(
        self, picture: FrameData, scene: Scene, own: ObjectPrediction, place: tuple[int, ...]
    ) -> None:
        fresh = self._work.image("fresh", np.uint8, place[2:4])
        fresh[...] = 0
        self._find_covered(picture, scene, own.window, fresh)
        seen = bool(picture.hands)
        colors = scene.colors if seen else scene.clip_colors
        self._work.launch(
            behind.background, BINS, AT_REST, scene.background.arrays[1], BACK, "fresh", colors.array(),
            own.state.surround_color.array(), own.state.distractor_color.array(), self._background_rules[seen],
            *place, EVIDENCE,
        )  # fmt: skip

    def _find_covered(self, picture: FrameData, scene: Scene, window: Window, out: Mask) -> None:
        """Mark pixels of little known background that showed it in the last frame, and another surface now."""
        if picture.previous is None or picture.labels is None:
            return
        o = self._options.evidence
        doubtful = (picture.labels[window] == 0) & (scene.background.trust[window] < o.known_trust)
        if not doubtful.any():
            return
        shape = shape_of(window)
        lab_of(picture.previous[window], self._work.image("previous", np.uint8, (*shape, 3)))
        self._work.image("previous_bins", np.int32, shape)
        same = self._work.image("same", np.float32, shape)
        self._look(self._work.array("previous"), (0, 0, *shape, shape[1]), "previous_bins", "same")
        out[doubtful & (same < o.new_surface_ratio * o.background_density)] = 1

    def _weigh_hands(self, picture: FrameData, scene: Scene, window: Window, out: Float) -> None:
        """Write the evidence of hands, and densities of skin where hands may be."""
        shape = shape_of(window)
        skin = self._work.image("skin", np.float32, shape)
        skin[...] = 0
        if not picture.hands or scene.hands is None:
            return
        o, weight = self._options.evidence, np.float32(self._options.color.weight)
        prior = np.maximum.reduce([hand.through(window) for hand in picture.hands])
        bins = self._work.image(BINS, np.int32, shape)
        np.take(scene.hands.skin.table(), bins, out=skin)
        np.log(skin, out=out)
        out *= weight
        out += prior
        out += np.float32(o.motion_weight * np.log(o.hand_flow))
        skin[prior < 0] = 0

    def _weigh_object(self, p: ObjectPrediction, scene: Scene, place: tuple[int, ...], label: int) -> None:
        work, o, shape = self._work, self._options.evidence, place[2:4]
        work.image("appearance", np.uint8, (*shape, 3))[...] = p.template
        work.image("support", np.float32, shape)[...] = p.support
        away = work.image("away", np.float32, shape)
        away[...] = signed_distance_field(p.support > 0.5, 3)
        outline = work.image("outline_away", np.float32, shape)
        outline[...] = away if p.outline is p.support else signed_distance_field(p.outline > 0.5, 3)
        moved, seen_before = work.image("moved_away", np.float32, shape), bool(p.state.visible.any())
        if seen_before:
            moved[...] = signed_distance_field(self._moved_by_flow(p, shape), 3)
        speed = p.motion.speed
        softness = o.softness + min(o.softness_per_step * speed, o.most_added_softness)
        sigma = o.motion_sigma + o.motion_sigma_per_step * speed
        work.launch(
            objects.object_evidence, LAB, BINS, AT_REST, scene.background.arrays[1], BACK, "skin", "taken",
            p.state.initial_color.array(), p.state.color.array(), "appearance", "support", "away", "outline_away",
            "moved_away", int(seen_before), self._color_rule, self._object_rule, 1.0 / softness, -0.5 / sigma**2,
            *_flow_of(p), *place, label, EVIDENCE,
        )  # fmt: skip

    def _moved_by_flow(self, p: ObjectPrediction, shape: tuple[int, ...]) -> Mask:
        """What was visible of an object, each pixel moved by its own flow."""
        (rows, cols), its = inside(p.window, p.state.window), p.state.visible.view(np.uint8)
        there = self._work.image(BACK, np.float32, (*shape, 2)).copy()
        there[..., 0] += np.arange(cols.start, cols.stop, dtype=np.float32)
        there[..., 1] += np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        return np.asarray(cv2.remap(its * np.uint8(255), there, None, cv2.INTER_LINEAR) > _HALF_SEEN)


def expected_flow(p: ObjectPrediction, window: Window) -> Float:
    """Compute the backward flow (h, w, 2) of the pixels of a window if they all moved with the object."""
    height, width = shape_of(window)
    e = np.array(_flow_of(p)).reshape(2, 3)
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    return np.stack([e[i, 0] * x + e[i, 1] * y + e[i, 2] for i in (0, 1)], -1).astype(np.float32)


def _flow_of(p: ObjectPrediction) -> tuple[float, ...]:
    """Coefficients (2, 3), row by row, of the object's backward flow over column and row of its window."""
    back = np.linalg.inv(p.motion.matrix[:, :2])
    start = np.array([p.window[1].start, p.window[0].start])
    shift = back @ (start - p.motion.matrix[:, 2]) - start
    return tuple(np.concatenate([back - np.eye(2), shift[:, None]], 1).ravel().tolist())


def _color_rule(options: GrabCutOptions) -> Any:
    rule, o = ColorRule(), options.color
    rule.peak = peak_density(o)
    rule.per_lightness, rule.per_chroma = 1.0 / o.sigma_lightness, 1.0 / o.sigma_chroma
    rule.shade_price, rule.shade_price_limit, rule.brightest = o.shade_price, o.shade_price_limit, o.brightest
    return rule


def _background_rule(options: GrabCutOptions, hands_seen: bool) -> Any:
    rule, o = behind.BackgroundRule(), options.evidence
    rule.color_weight, rule.motion_weight = options.color.weight, o.motion_weight
    rule.still_falloff, rule.outliers = -0.5 / o.motion_sigma**2, o.background_outliers
    rule.near, rule.known = o.nearby_share, o.known_with_hands if hands_seen else o.known_without_hands
    rule.new_surface_factor = o.new_surface_factor
    return rule


def _object_rule(options: GrabCutOptions) -> Any:
    rule, o = objects.ObjectRule(), options.evidence
    rule.color_weight, rule.motion_weight = options.color.weight, o.motion_weight
    rule.outliers, rule.appearance_share, rule.darkest = (
        o.object_outliers,
        o.appearance_share,
        o.darkest_object,
    )
    rule.similarity_share, rule.rigid_weight, rule.dense_weight = (
        o.similarity_share,
        o.rigid_weight,
        o.dense_weight,
    )
    _set_places(rule, o)
    return rule


def _set_places(rule: Any, o: EvidenceOptions) -> None:
    rule.inside, rule.far, rule.far_unlike = o.inside_log_odds, o.far_log_odds, o.far_unlike_log_odds
    rule.unlike_density, rule.known_trust = o.unlike_ratio * o.background_density, o.known_trust
    rule.unproven_density, rule.excluded = o.background_density, o.excluded_log_odds
