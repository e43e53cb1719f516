"""One step of following all objects: predict by motion, weigh the evidence, label, update."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.arrays import Mask
from dexman_pose.data import OCCLUDER
from dexman_pose.imaging.masks import Window, dilated, eroded, fill_small_holes, kept_parts, window_around
from dexman_pose.segmentation.grabcut.color import FLOOR, Float, Lab, to_bins
from dexman_pose.segmentation.grabcut.confidence import Surprise, confidence
from dexman_pose.segmentation.grabcut.evidence import (
    BARE,
    Picture,
    Scene,
    expected_flow,
    log_evidence,
    squared_length,
)
from dexman_pose.segmentation.grabcut.labeling import posterior
from dexman_pose.segmentation.grabcut.motion import STILL, ObjectMotion, object_motion
from dexman_pose.segmentation.grabcut.recovery import find_again
from dexman_pose.segmentation.grabcut.state import ObjectState, Prediction, warped

_HOLE = 8
_MOVING = 1.5
_LEARN_EVERY = 3
"""Colours change slowly: every third frame is enough to learn them from."""


@dataclass
class Found:
    """What a step found.

    Attributes:
        labels: (H, W) uint8 label image.
        confidence: by object name.
    """

    labels: NDArray[np.uint8]
    confidence: dict[str, float]


@dataclass
class _Labelled:
    """One object in its window: probability of its label, where it won, where a hand did, background density."""

    prediction: Prediction
    own: Float
    won: Mask
    hand: Mask
    plain: Float


class Tracker:
    """Follows objects from frame to frame.

    Args:
        scene: background and hands.
        labels: label value of each object name.
    """

    def __init__(self, scene: Scene, labels: dict[str, int]) -> None:
        self.scene = scene
        self.labels = labels
        self.states: list[ObjectState] = []

    def step(self, picture: Picture) -> Found:
        """Follow every object into the next frame."""
        shape = picture.lab.shape[:2]
        found = Found(np.zeros(shape, np.uint8), {})
        paint_hands(picture.index, picture.lab, self.scene, found.labels)
        predictions = [self._predict(s, picture) for s in self.states]
        results = [self._label(picture, p, predictions) for p in predictions]
        masks = _exclusive(results, picture, shape)
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

    def _predict(self, state: ObjectState, picture: Picture) -> Prediction:
        motion = STILL
        if state.lost_for == 0:
            motion = object_motion(picture.flow, state.visible)
        else:
            self._look_for(state, picture)
        shape = picture.lab.shape[:2]
        core = state.support > 0.3
        start = window_around(core, 2) or (slice(0, shape[0]), slice(0, shape[1]))
        window = _moved_window(start, motion, shape, _margin(core))
        return _seen_through(
            Prediction(state, motion, window, state.support, state.template, state.support), window
        )

    def _look_for(self, state: ObjectState, picture: Picture) -> None:
        """Move a lost object to where its colours are seen; where nothing is, it is expected where it was."""
        excluded = picture.taken.copy() if picture.taken is not None else np.zeros(picture.bins.shape, bool)
        for other in self.states:
            if other is not state:
                excluded |= other.visible
        place = find_again(state, picture, self.scene, excluded)
        if place is not None:
            state.support = place.astype(np.float32)
            state.template[place] = picture.lab[place]

    def _label(self, picture: Picture, p: Prediction, everyone: list[Prediction]) -> _Labelled:
        rivals = [
            _seen_through(other, p.window)
            for other in everyone
            if other is not p and _overlap(other.window, p.window)
        ]
        lab = picture.lab[p.window]
        plain = self.scene.plain(lab, p.window)
        probability = posterior(log_evidence(picture, self.scene, p, rivals, plain), lab)
        winner = probability.argmax(0)
        hand = np.zeros_like(winner, bool)
        if self.scene.hands_in(picture.index) is not None:
            hand = winner == len(probability) - 1
        return _Labelled(p, probability[1], winner == 1, hand, plain)

    def _update(self, picture: Picture, result: _Labelled, mask: Mask, labels: NDArray[np.uint8]) -> float:
        """Store what was seen, and say how far it can be trusted."""
        p = result.prediction
        state, window = p.state, p.window
        bins = picture.bins[window]
        others = (labels[window] > 0) & (labels[window] != self.labels[state.name])
        area = float(mask.sum())
        surprise = self._surprise(picture, result, mask, others)
        trust = confidence(p, mask, result.own, bins, picture.lab.shape[:2], surprise=surprise)
        state.visible = np.zeros(picture.lab.shape[:2], bool)
        if area < max(12.0, 0.04 * state.area):
            state.lost_for += 1
            trust = 0.0
        else:
            state.lost_for = 0
            state.visible[window] = mask
        self._update_layers(picture, result, mask, others)
        if trust > 0.5 and picture.index % _LEARN_EVERY == 0:
            surely = eroded(mask, 2) & ((result.plain < BARE) | (self.scene.plate.trust[window] < 0.3))
            if self.scene.hands is not None:
                surely &= state.first_color.density(bins) > 0.5 * self.scene.hands.skin.density(bins)
            state.later_color.add(bins[surely], 0.08)
            state.area += 0.1 * (area - state.area)
        if trust > 0.0 and picture.index % _LEARN_EVERY == 0:
            self._learn_surroundings(picture, result, ~dilated(mask, 2) & ~others)
        return trust

    def _surprise(self, picture: Picture, result: _Labelled, mask: Mask, others: Mask) -> Surprise:
        state, window = result.prediction.state, result.prediction.window
        known = self.scene.plate.trust[window] > 0.5
        ring, inner = dilated(mask, 7) & ~dilated(mask, 2), eroded(mask, 2)
        changed = ring & known & ~others & (result.plain < 0.1 * BARE)
        bare = inner & known & (result.plain > BARE)
        bins = picture.bins[window][bare]
        alien = float((state.color(bins) < state.around.density(bins)).sum())
        return Surprise(
            float(changed.sum()) / max(float(ring.sum()), 1.0), alien / max(float(inner.sum()), 1.0)
        )

    def _learn_surroundings(self, picture: Picture, result: _Labelled, ring: Mask) -> None:
        """Colours of the background at rest and of what moves before it; background seen for the first time.

        Only what is certain is learned: a new side of the object that is not recognised yet must not become
        background.
        """
        p = result.prediction
        state, window, lab = p.state, p.window, picture.lab[p.window]
        bins, trust = picture.bins[window], self.scene.plate.trust[window]
        own, anything = state.color(bins), self.scene.anything(bins)
        bare = ring & (trust > 0.3) & (result.plain > BARE)
        changed = ring & (trust > 0.3) & (result.plain < 0.3 * BARE)
        if bare.sum() > 50:
            state.around.add(bins[bare], 0.5)
        changed &= (own < anything) & ~dilated(p.support > 0.2, 12)
        state.movers.add(bins[changed], 0.25)
        around = state.around.density(bins)
        clear = ring & (p.support < 0.2) & (around > 3 * own) & (around > 30 * FLOOR)
        self.scene.plate.learn(lab, clear & ~dilated(p.support > 0.2, 3), window)

    def _update_layers(self, picture: Picture, result: _Labelled, mask: Mask, others: Mask) -> None:
        p = result.prediction
        state, window, lab = p.state, p.window, picture.lab[p.window]
        plate_there = (result.plain > 0.01) & (self.scene.plate.trust[window] > 0.3)
        if state.lost_for > 0:
            return
        keep = np.where(others, np.float32(1.0), np.where(plate_there, np.float32(0.2), np.float32(0.96)))
        support = p.support * keep
        support[mask] = 1.0
        state.support = np.zeros(state.support.shape, np.float32)
        state.support[window] = support
        fresh = mask & (p.support < 0.5)
        p.template[mask] += 0.35 * (lab[mask] - p.template[mask])
        p.template[fresh] = lab[fresh]
        state.template[window] = p.template


def paint_hands(frame: int, image: Lab, scene: Scene, labels: NDArray[np.uint8]) -> None:
    """Write the occluder label where hands are, judged by place and skin colour against the background alone."""
    hands = scene.hands_in(frame)
    if hands is None:
        return
    for window in hands.reach(frame, labels.shape):
        lab = image[window]
        bins = to_bins(lab)
        trust = 0.9 * scene.plate.trust[window]
        plain = trust * scene.plain(lab, window) + (1 - trust) * scene.colors.density(bins)
        score = np.log(hands.skin.density(bins)) - np.log(plain) + hands.log_prior(frame, window)
        labels[window][_opened(score > 0)] = OCCLUDER


def _exclusive(results: list[_Labelled], picture: Picture, shape: tuple[int, ...]) -> list[Mask]:
    """Cleaned masks in their windows; a pixel won by two objects goes to the more probable one."""
    best = np.zeros(shape, np.float32)
    for r in results:
        window = r.prediction.window
        np.maximum(best[window], np.where(r.won, r.own, 0), out=best[window])
    masks, used = [], np.zeros(shape, bool)
    for r in results:
        window = r.prediction.window
        mine = r.won & (r.own >= best[window])
        mask = _cleaned(mine, r.prediction, picture) & ~used[window]
        used[window] |= mask
        masks.append(mask)
    return masks


def _opened(mask: Mask) -> Mask:
    cv2 = require("cv2", "video", "segmenting a video")
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)).astype(bool)


def _cleaned(mask: Mask, p: Prediction, picture: Picture) -> Mask:
    """The mask without specks, without parts that were not there before, and without parts left behind."""
    area = float(mask.sum())
    mask = kept_parts(mask, p.support > 0.5, max(6.0, 0.004 * area))
    if p.motion.speed > _MOVING:
        mask = _without_left_behind(mask, p, picture)
    return fill_small_holes(mask, _HOLE)


def _without_left_behind(mask: Mask, p: Prediction, picture: Picture) -> Mask:
    """Drops the parts, other than the largest, that stand still while the object moves."""
    cv2 = require("cv2", "video", "segmenting a video")
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask
    back = picture.flow.backward_in(p.window)
    still = squared_length(back)
    along = squared_length(back - expected_flow(p, p.window))
    behind = np.bincount(parts.ravel(), (still < along).ravel(), minlength=count) / np.bincount(parts.ravel())
    keep = behind < 0.6
    keep[0] = False
    keep[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())] = True
    out: Mask = keep[parts]
    return out


def _margin(core: Mask) -> int:
    """How far beyond its prediction an object is looked for: a fraction of its size."""
    return int(np.clip(0.13 * np.sqrt(core.sum()), 10, 40))


def _moved_window(start: Window, motion: ObjectMotion, shape: tuple[int, ...], margin: int) -> Window:
    rows, cols = start
    corners = np.array([[x, y] for x in (cols.start, cols.stop) for y in (rows.start, rows.stop)], float)
    moved = corners @ motion.matrix[:, :2].T + motion.matrix[:, 2]
    margin = margin + round(0.4 * motion.speed)
    low = np.clip(np.floor(moved.min(0)) - margin, 0, [shape[1] - 2, shape[0] - 2]).astype(int)
    high = np.clip(np.ceil(moved.max(0)) + margin, low + 2, [shape[1], shape[0]]).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _overlap(a: Window, b: Window) -> bool:
    return all(s.start < t.stop and t.start < s.stop for s, t in zip(a, b))


def _seen_through(p: Prediction, window: Window) -> Prediction:
    """The prediction with its images warped into another window."""
    support = warped(p.state.support, p.motion.matrix, window)
    template = warped(p.state.template, p.motion.matrix, window)
    outline = support
    if p.motion.similarity is not p.motion.matrix:
        outline = warped(p.state.support, p.motion.similarity, window)
    return replace(p, window=window, support=support, template=template, outline=outline)
