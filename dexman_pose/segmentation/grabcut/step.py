"""One step of following all objects: predict by motion, weigh the evidence, label, update."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data import OCCLUDER
from dexman_pose.imaging.dense_flow import Flow, FlowEstimator
from dexman_pose.imaging.windows import overlap, shape_of
from dexman_pose.segmentation.grabcut.cleaning import cleaned
from dexman_pose.segmentation.grabcut.color import Float
from dexman_pose.segmentation.grabcut.confidence import confidence
from dexman_pose.segmentation.grabcut.evidence import BINS, Evidence
from dexman_pose.segmentation.grabcut.full_size import settled
from dexman_pose.segmentation.grabcut.hand_labels import label_hands
from dexman_pose.segmentation.grabcut.kernels.workspace import Workspace
from dexman_pose.segmentation.grabcut.labeling import LAB, Labeler
from dexman_pose.segmentation.grabcut.learning import (
    Seen,
    conflict,
    learn_object,
    learn_surroundings,
    update_layers,
)
from dexman_pose.segmentation.grabcut.motion import STILL, MotionFit, object_motion
from dexman_pose.segmentation.grabcut.places import flow_regions, unchanged, window_of
from dexman_pose.segmentation.grabcut.recovery import redetect
from dexman_pose.segmentation.grabcut.scene import FrameData, Scene, lab_of
from dexman_pose.segmentation.grabcut.state import ObjectPrediction, ObjectState, Outline, predicted


@dataclass
class StepResult:
    """What a step found.

    Attributes:
        labels: (H, W) uint8 label image.
        confidence: by object name.
    """

    labels: NDArray[np.uint8]
    confidence: dict[str, float]


class _Desk:
    """What the work on one object needs: its images, kept from frame to frame."""

    def __init__(self, scene: Scene) -> None:
        self.work = Workspace()
        self.evidence = Evidence(self.work, scene.options)
        self.labeler = Labeler(self.work, scene.options.labeling)


@dataclass
class _WindowLabels:
    """One object in its window: probability of its label, pixels of object and hand, density under the background."""

    prediction: ObjectPrediction
    own: Float
    won: Mask
    hand: Mask | None
    at_rest: Float
    flow: Flow | None


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
        self._flow = FlowEstimator(self.options.flow)
        self._small: NDArray[np.uint8] | None = None
        self._fit = MotionFit(self.options.motion)
        self._desks: dict[str, _Desk] = {}

    def step(self, picture: FrameData) -> StepResult:
        """Follow every object into the next frame."""
        found = StepResult(np.zeros(picture.shape, np.uint8), {})
        label_hands(picture.rgb, picture.hands, self.scene, found.labels)
        before, self._small = self._small, self._flow.small(picture.rgb)
        if before is None and picture.previous is not None:
            before = self._flow.small(picture.previous)
        active = [s for s in self.states if not self._rests(s, picture, found)]
        flows = self._flows(active, picture, before)
        predictions = [self._predict(s, flow, picture) for s, flow in zip(active, flows)]
        results = [self._label(picture, p, predictions, flow) for p, flow in zip(predictions, flows)]
        masks = self._exclusive(results, picture.shape)
        for result in results:
            out = found.labels[result.prediction.window]
            out[out == OCCLUDER] = 0
            if result.hand is not None:
                out[result.hand & (out == 0)] = OCCLUDER
        for result, mask in zip(results, masks):
            found.labels[result.prediction.window][mask] = self.labels[result.prediction.state.name]
        for result, mask in zip(results, masks):
            value = self._update(picture, result, mask, found.labels)
            found.confidence[result.prediction.state.name] = result.prediction.state.trust = value
        return found

    def _rests(self, state: ObjectState, picture: FrameData, found: StepResult) -> bool:
        """Keep the labels around an object where nothing has changed, and say whether they were kept."""
        small, levels = self._small, self.options.propagation.still_levels
        if small is None or not unchanged(state, small, picture.shape, levels):
            state.looked = small
            return False
        out = found.labels[state.window]
        if picture.labels is not None:
            out[...] = np.where(picture.labels[state.window] == OCCLUDER, np.uint8(OCCLUDER), 0)
        out[state.visible] = self.labels[state.name]
        found.confidence[state.name] = state.trust
        return True

    def _flows(
        self, states: list[ObjectState], picture: FrameData, before: NDArray[np.uint8] | None
    ) -> list[Flow | None]:
        """The flow around each object in sight; objects near each other share one."""
        if (
            before is None
            or self._small is None
            or picture.previous is None
            or all(s.frames_lost for s in states)
        ):
            return [None] * len(states)
        coarse = self._flow.coarse(before, self._small, picture.shape)
        moved = [float(np.abs(coarse.typical(s.window, s.visible)).max()) for s in states]
        regions = flow_regions(states, moved, picture.shape, self.options.propagation)
        fast = self.options.propagation.fast_step
        done: dict[int, Flow] = {}
        for region in regions:
            if region is not None and id(region) not in done:
                quick = any(step > fast for step, its in zip(moved, regions) if its is region)
                begin = coarse if quick else None
                done[id(region)] = self._flow.between(picture.previous, picture.rgb, region, begin)
        return [None if region is None else done[id(region)] for region in regions]

    def _predict(self, state: ObjectState, flow: Flow | None, picture: FrameData) -> ObjectPrediction:
        motion = STILL
        if state.frames_lost > 0:
            self._look_for(state, picture)
        elif flow is not None:
            motion = object_motion(flow, state.visible, state.window, self.options.motion, self._fit)
        return predicted(state, motion, window_of(state, motion, picture.shape, self.options.propagation))

    def _look_for(self, state: ObjectState, picture: FrameData) -> None:
        """Move a lost object to where its colours are seen; where nothing is, it is expected where it was."""
        excluded = picture.occupied.copy() if picture.occupied is not None else np.zeros(picture.shape, bool)
        for other in self.states:
            if other is not state:
                excluded[other.window] |= other.visible
        place = redetect(state, picture, self.scene, excluded, self.options.recovery)
        if place is not None:
            window, mask = place
            state.window, state.support = window, mask.astype(np.float32)
            state.visible = np.zeros(mask.shape, bool)
            state.template = lab_of(picture.rgb[window], np.empty((*mask.shape, 3), np.uint8))

    def _desk(self, state: ObjectState) -> _Desk:
        if state.name not in self._desks:
            self._desks[state.name] = _Desk(self.scene)
        return self._desks[state.name]

    def _label(
        self, picture: FrameData, p: ObjectPrediction, everyone: list[ObjectPrediction], flow: Flow | None
    ) -> _WindowLabels:
        competitors = [
            predicted(other.state, other.motion, p.window)
            for other in everyone
            if other is not p and overlap(other.window, p.window)
        ]
        desk = self._desk(p.state)
        at_rest = desk.evidence.look(picture, self.scene, p.window)
        labels = desk.evidence.weigh(picture, self.scene, p, competitors, flow)
        probability, winner = desk.labeler.solve(labels, *shape_of(p.window))
        hand = winner == labels - 1 if picture.hands else None
        return _WindowLabels(p, probability[1], winner == 1, hand, at_rest, flow)

    def _exclusive(self, results: list[_WindowLabels], shape: tuple[int, ...]) -> list[Mask]:
        """Cleaned masks in their windows; a pixel won by two objects goes to the more probable one."""
        options = self.options.propagation
        if len(results) == 1:
            return [cleaned(results[0].won, results[0].prediction, results[0].flow, options)]
        best = np.zeros(shape, np.float32)
        for r in results:
            there = best[r.prediction.window]
            np.maximum(there, r.own, out=there, where=r.won)
        masks, used = [], np.zeros(shape, bool)
        for r in results:
            window = r.prediction.window
            mask = cleaned(r.won & (r.own >= best[window]), r.prediction, r.flow, options) & ~used[window]
            used[window] |= mask
            masks.append(mask)
        return masks

    def _update(
        self, picture: FrameData, result: _WindowLabels, mask: Mask, labels: NDArray[np.uint8]
    ) -> float:
        """Store what was seen, and say how far it can be trusted."""
        p, options = result.prediction, self.options
        state, work = p.state, self._desk(p.state).work
        near = labels[p.window]
        others = (near > 0) & (near != self.labels[state.name])
        shape = shape_of(p.window)
        seen = Seen(
            p, mask, others, work.image(LAB, np.uint8, (*shape, 3)),
            work.image(BINS, np.int32, shape), result.at_rest,
        )  # fmt: skip
        area, o = float(np.count_nonzero(mask)), options.propagation
        trust = confidence(
            p, mask, result.own, seen.bins, picture.shape,
            conflict=conflict(seen, self.scene), options=options.confidence,
        )  # fmt: skip
        state.outline = Outline(p.window, settled(result.own, mask, o.outline_margin))
        lost = area < max(o.least_pixels, o.least_share * state.area)
        state.frames_lost = state.frames_lost + 1 if lost else 0
        trust = 0.0 if lost else trust
        if picture.index % options.learning.every == 0:
            if trust > options.learning.least_confidence:
                learn_object(seen, self.scene)
                state.area += options.learning.area_rate * (area - state.area)
            if trust > 0.0:
                learn_surroundings(seen, self.scene)
        if lost:
            state.visible = np.zeros(state.visible.shape, bool)
        else:
            update_layers(seen, self.scene)
        return trust
