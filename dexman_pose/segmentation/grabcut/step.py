"""One step of following all objects: predict by motion, weigh the evidence, label, update."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data import OCCLUDER
from dexman_pose.imaging.masks import (
    EIGHT_CONNECTED,
    Window,
    dilated,
    eroded,
    fill_small_holes,
    kept_parts,
    window_around,
)
from dexman_pose.segmentation.grabcut.color import Float, Lab, to_bins
from dexman_pose.segmentation.grabcut.confidence import BackgroundConflict, confidence
from dexman_pose.segmentation.grabcut.evidence import (
    FrameData,
    Scene,
    expected_flow,
    log_evidence,
    squared_length,
)
from dexman_pose.segmentation.grabcut.labeling import posterior
from dexman_pose.segmentation.grabcut.motion import STILL, ObjectMotion, object_motion
from dexman_pose.segmentation.grabcut.options import PropagationOptions
from dexman_pose.segmentation.grabcut.recovery import redetect
from dexman_pose.segmentation.grabcut.state import ObjectPrediction, ObjectState, warped


@dataclass
class StepResult:
    """What a step found.

    Attributes:
        labels: (H, W) uint8 label image.
        confidence: by object name.
    """

    labels: NDArray[np.uint8]
    confidence: dict[str, float]


@dataclass
class _WindowLabels:
    """One object in its window: probability of its label, pixels of object and hand, density under the background."""

    prediction: ObjectPrediction
    own: Float
    won: Mask
    hand: Mask
    at_rest: Float


class Tracker:
    """Follows objects from frame to frame.

    Args:
        scene: background, hands and options.
        labels: label value of each object name.
    """

    def __init__(self, scene: Scene, labels: dict[str, int]) -> None:
        self.scene = scene
        self.options = scene.options
        self.labels = labels
        self.states: list[ObjectState] = []

    def step(self, picture: FrameData) -> StepResult:
        """Follow every object into the next frame."""
        shape = picture.lab.shape[:2]
        found = StepResult(np.zeros(shape, np.uint8), {})
        label_hands(picture.index, picture.lab, self.scene, found.labels)
        predictions = [self._predict(s, picture) for s in self.states]
        results = [self._label(picture, p, predictions) for p in predictions]
        masks = _exclusive(results, picture, shape, self.options.propagation)
        for result in results:
            out = found.labels[result.prediction.window]
            out[out == OCCLUDER] = 0
            out[result.hand] = OCCLUDER
        for result, mask in zip(results, masks):
            found.labels[result.prediction.window][mask] = self.labels[result.prediction.state.name]
        for result, mask in zip(results, masks):
            value = self._update(picture, result, mask, found.labels)
            found.confidence[result.prediction.state.name] = value
        return found

    def _predict(self, state: ObjectState, picture: FrameData) -> ObjectPrediction:
        motion = STILL
        if state.frames_lost == 0:
            motion = object_motion(picture.flow, state.visible, self.options.motion)
        else:
            self._look_for(state, picture)
        shape = picture.lab.shape[:2]
        o = self.options.propagation
        core = state.support > o.core
        start = window_around(core, o.core_margin) or (slice(0, shape[0]), slice(0, shape[1]))
        window = _moved_window(
            start, motion, shape, _margin(core, o) + round(o.search_per_step * motion.speed)
        )
        return _warped_into(
            ObjectPrediction(state, motion, window, state.support, state.template, state.support), window
        )

    def _look_for(self, state: ObjectState, picture: FrameData) -> None:
        """Move a lost object to where its colours are seen; where nothing is, it is expected where it was."""
        excluded = (
            picture.occupied.copy() if picture.occupied is not None else np.zeros(picture.bins.shape, bool)
        )
        for other in self.states:
            if other is not state:
                excluded |= other.visible
        place = redetect(state, picture, self.scene, excluded, self.options.recovery)
        if place is not None:
            state.support = place.astype(np.float32)
            state.template[place] = picture.lab[place]

    def _label(
        self, picture: FrameData, p: ObjectPrediction, everyone: list[ObjectPrediction]
    ) -> _WindowLabels:
        competitors = [
            _warped_into(other, p.window)
            for other in everyone
            if other is not p and _overlap(other.window, p.window)
        ]
        lab = picture.lab[p.window]
        at_rest = self.scene.known_density(lab, p.window)
        evidence = log_evidence(picture, self.scene, p, competitors, at_rest)
        probability = posterior(evidence, lab, self.options.labeling)
        winner = probability.argmax(0)
        hand = np.zeros_like(winner, bool)
        if self.scene.hands_in(picture.index) is not None:
            hand = winner == len(probability) - 1
        return _WindowLabels(p, probability[1], winner == 1, hand, at_rest)

    def _update(
        self, picture: FrameData, result: _WindowLabels, mask: Mask, labels: NDArray[np.uint8]
    ) -> float:
        """Store what was seen, and say how far it can be trusted."""
        p = result.prediction
        state, window = p.state, p.window
        bins = picture.bins[window]
        others = (labels[window] > 0) & (labels[window] != self.labels[state.name])
        area = float(mask.sum())
        o, size = self.options.propagation, picture.lab.shape[:2]
        conflict = self._background_conflict(picture, result, mask, others)
        trust = confidence(
            p, mask, result.own, bins, size, conflict=conflict, options=self.options.confidence
        )
        state.visible = np.zeros(size, bool)
        if area < max(o.least_pixels, o.least_share * state.area):
            state.frames_lost += 1
            trust = 0.0
        else:
            state.frames_lost = 0
            state.visible[window] = mask
        self._update_layers(picture, result, mask, others)
        learning = self.options.learning
        if picture.index % learning.every == 0:
            if trust > learning.least_confidence:
                self._learn_object(picture, result, mask)
                state.area += learning.area_rate * (area - state.area)
            if trust > 0.0:
                self._learn_surroundings(picture, result, ~dilated(mask, learning.edge) & ~others)
        return trust

    def _background_conflict(
        self, picture: FrameData, result: _WindowLabels, mask: Mask, others: Mask
    ) -> BackgroundConflict:
        o, density = self.options.confidence, self.options.evidence.background_density
        edge = self.options.learning.edge
        state, window = result.prediction.state, result.prediction.window
        known = self.scene.background.trust[window] > o.known_trust
        ring, inner = dilated(mask, o.ring) & ~dilated(mask, edge), eroded(mask, edge)
        changed = ring & known & ~others & (result.at_rest < o.unlike_ratio * density)
        background_like = inner & known & (result.at_rest > density)
        bins = picture.bins[window][background_like]
        unlike_object = float((state.color(bins) < state.surround_color.density(bins)).sum())
        return BackgroundConflict(
            float(changed.sum()) / max(float(ring.sum()), 1.0), unlike_object / max(float(inner.sum()), 1.0)
        )

    def _learn_object(self, picture: FrameData, result: _WindowLabels, mask: Mask) -> None:
        """Colours of the object, where it is surely neither background nor hand."""
        o, state, window = self.options.learning, result.prediction.state, result.prediction.window
        bins, trust = picture.bins[window], self.scene.background.trust[window]
        unlike = (result.at_rest < self.options.evidence.background_density) | (trust < o.known_trust)
        surely = eroded(mask, o.edge) & unlike
        if self.scene.hands is not None:
            skin = self.scene.hands.skin.density(bins)
            surely &= state.initial_color.density(bins) > o.skin_ratio * skin
        state.adapted_color.add(bins[surely], o.object_rate)

    def _learn_surroundings(self, picture: FrameData, result: _WindowLabels, ring: Mask) -> None:
        """Colours of the background at rest and of what moves before it; background seen for the first time.

        Only what is certain is learned: a new side of the object that is not recognised yet must not become
        background.
        """
        o, evidence = self.options.learning, self.options.evidence
        p = result.prediction
        state, window, lab = p.state, p.window, picture.lab[p.window]
        bins, trust = picture.bins[window], self.scene.background.trust[window]
        own, anything = state.color(bins), self.scene.clip_density(bins)
        known = ring & (trust > o.known_trust)
        at_rest = known & (result.at_rest > evidence.background_density)
        changed = known & (result.at_rest < evidence.unlike_ratio * evidence.background_density)
        if at_rest.sum() > o.least_surround:
            state.surround_color.add(bins[at_rest], o.surround_rate)
        object_there = p.support > o.absent
        changed &= (own < anything) & ~dilated(object_there, o.distractor_margin)
        state.distractor_color.add(bins[changed], o.distractor_rate)
        around = state.surround_color.density(bins)
        familiar = around > o.background_familiar * self.options.color.uniform_density
        clear = ring & (p.support < o.absent) & (around > o.background_ratio * own) & familiar
        self.scene.background.learn(lab, clear & ~dilated(object_there, o.background_margin), window)

    def _update_layers(self, picture: FrameData, result: _WindowLabels, mask: Mask, others: Mask) -> None:
        p = result.prediction
        state, window, lab = p.state, p.window, picture.lab[p.window]
        if state.frames_lost > 0:
            return
        o, density = self.options.learning, self.options.evidence.background_density
        at_rest = (result.at_rest > density) & (self.scene.background.trust[window] > o.known_trust)
        hidden, bare, unseen = (np.float32(v) for v in (o.hidden_keep, o.bare_keep, o.unseen_keep))
        keep = np.where(others, hidden, np.where(at_rest, bare, unseen))
        support = p.support * keep
        support[mask] = 1.0
        state.support = np.zeros(state.support.shape, np.float32)
        state.support[window] = support
        fresh = mask & (p.support < o.presence)
        p.template[mask] += o.appearance_rate * (lab[mask] - p.template[mask])
        p.template[fresh] = lab[fresh]
        state.template[window] = p.template


def label_hands(frame: int, image: Lab, scene: Scene, labels: NDArray[np.uint8]) -> None:
    """Write the occluder label where hands are, judged by place and skin colour against the background alone."""
    hands = scene.hands_in(frame)
    if hands is None:
        return
    for window in hands.windows(frame, labels.shape):
        lab = image[window]
        bins = to_bins(lab)
        trust = hands.options.background_trust * scene.background.trust[window]
        background = trust * scene.known_density(lab, window) + (1 - trust) * scene.colors.density(bins)
        score = np.log(hands.skin.density(bins)) - np.log(background) + hands.log_prior(frame, window)
        labels[window][_opened(score > 0)] = OCCLUDER


def _exclusive(
    results: list[_WindowLabels], picture: FrameData, shape: tuple[int, ...], options: PropagationOptions
) -> list[Mask]:
    """Cleaned masks in their windows; a pixel won by two objects goes to the more probable one."""
    best = np.zeros(shape, np.float32)
    for r in results:
        window = r.prediction.window
        np.maximum(best[window], np.where(r.won, r.own, 0), out=best[window])
    masks, used = [], np.zeros(shape, bool)
    for r in results:
        window = r.prediction.window
        mine = r.won & (r.own >= best[window])
        mask = _cleaned(mine, r.prediction, picture, options) & ~used[window]
        used[window] |= mask
        masks.append(mask)
    return masks


def _opened(mask: Mask) -> Mask:
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)).astype(bool)


def _cleaned(mask: Mask, p: ObjectPrediction, picture: FrameData, options: PropagationOptions) -> Mask:
    """The mask without specks, without parts that were not there before, and without parts left behind."""
    area = float(mask.sum())
    mask = kept_parts(mask, p.support > 0.5, max(options.least_part, options.least_part_share * area))
    if p.motion.speed > options.moving_step:
        mask = _without_static_parts(mask, p, picture, options.left_behind)
    return fill_small_holes(mask, options.largest_hole)


def _without_static_parts(mask: Mask, p: ObjectPrediction, picture: FrameData, limit: float) -> Mask:
    """Drops the parts, other than the largest, that stand still while the object moves."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=EIGHT_CONNECTED
    )
    if count <= 2:
        return mask
    back = picture.flow.backward_in(p.window)
    still = squared_length(back)
    along = squared_length(back - expected_flow(p, p.window))
    behind = np.bincount(parts.ravel(), (still < along).ravel(), minlength=count) / np.bincount(parts.ravel())
    keep = behind < limit
    keep[0] = False
    keep[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())] = True
    out: Mask = keep[parts]
    return out


def _margin(core: Mask, options: PropagationOptions) -> int:
    """How far beyond its prediction an object is looked for: a fraction of its size."""
    return int(np.clip(options.search_margin * np.sqrt(core.sum()), *options.search_limits))


def _moved_window(start: Window, motion: ObjectMotion, shape: tuple[int, ...], margin: int) -> Window:
    rows, cols = start
    corners = np.array([[x, y] for x in (cols.start, cols.stop) for y in (rows.start, rows.stop)], float)
    moved = corners @ motion.matrix[:, :2].T + motion.matrix[:, 2]
    low = np.clip(np.floor(moved.min(0)) - margin, 0, [shape[1] - 2, shape[0] - 2]).astype(int)
    high = np.clip(np.ceil(moved.max(0)) + margin, low + 2, [shape[1], shape[0]]).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _overlap(a: Window, b: Window) -> bool:
    return all(s.start < t.stop and t.start < s.stop for s, t in zip(a, b))


def _warped_into(p: ObjectPrediction, window: Window) -> ObjectPrediction:
    """The prediction with its images warped into another window."""
    support = warped(p.state.support, p.motion.matrix, window)
    template = warped(p.state.template, p.motion.matrix, window)
    outline = support
    if p.motion.similarity is not p.motion.matrix:
        outline = warped(p.state.support, p.motion.similarity, window)
    return replace(p, window=window, support=support, template=template, outline=outline)
