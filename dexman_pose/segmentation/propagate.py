"""The default backend: prompts segmented on their frames, then carried through the clip both ways."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.data import OCCLUDER, Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.errors import InputError
from dexman_pose.progress import progress
from dexman_pose.segmentation.background import Plate, build_plate, sample_frames
from dexman_pose.segmentation.color import ColorModel, to_bins, to_lab
from dexman_pose.segmentation.images import Mask, dilated, resized
from dexman_pose.segmentation.motion import Flow, FlowEstimator
from dexman_pose.segmentation.occluders import HandModel
from dexman_pose.segmentation.prompting import prompt_mask
from dexman_pose.segmentation.state import ObjectState
from dexman_pose.segmentation.evidence import Picture, Scene
from dexman_pose.segmentation.tracker import Tracker, paint_hands

_WORKING_SIDE = 960


def segment_by_propagation(
    clip: Clip, prompts: dict[str, ObjectPrompt], hands: HandObservations | None
) -> MaskSequence:
    """Masks by GrabCut on the prompt frames and propagation by motion; see :func:`~dexman_pose.segmentation.segment_clip`."""
    check_inputs(clip, prompts, hands)
    return _Run(clip, prompts, hands).masks()


def check_inputs(clip: Clip, prompts: dict[str, ObjectPrompt], hands: HandObservations | None) -> None:
    """Raise :class:`InputError` for prompts or hands that do not fit the clip."""
    if not prompts:
        raise InputError("segmentation needs at least one object prompt, but none was given")
    for name, prompt in prompts.items():
        prompt.check_inside(name, clip.width, clip.height, clip.num_frames)
    if hands is not None and len(hands.joints_2d) != clip.num_frames:
        raise InputError(
            f"hand observations hold {len(hands.joints_2d)} frames, but the clip has {clip.num_frames}; "
            "detect the hands on the same clip"
        )


class _Run:
    def __init__(
        self, clip: Clip, prompts: dict[str, ObjectPrompt], hands: HandObservations | None
    ) -> None:
        self.clip, self.prompts = clip, prompts
        self.scale = min(1.0, _WORKING_SIDE / max(clip.width, clip.height))
        self.size = (max(1, round(clip.width * self.scale)), max(1, round(clip.height * self.scale)))
        self.result = MaskSequence(tuple(prompts), clip.height, clip.width, clip.num_frames)
        self.numbers = {name: i + 1 for i, name in enumerate(prompts)}
        self.hands = HandModel.learn(clip, hands, self.scale, self.size) if hands is not None else None

    def masks(self) -> MaskSequence:
        start = self._prompt_states()
        first = min(p.frame for p in self.prompts.values())
        last = max(p.frame for p in self.prompts.values())
        scene = self._scene(start)
        self._pass(start, scene, self.clip.frames(first, self.clip.num_frames), self.clip.num_frames - first)
        if last > 0:
            self._pass(start, scene, self.clip.frames(0, last + 1, reverse=True), last + 1)
        return self.result

    def _prompt_states(self) -> dict[str, ObjectState]:
        masks: dict[str, Mask] = {}
        for name, prompt in self.prompts.items():
            image = self.clip.frame(prompt.frame)
            hand = self._sure_hand(prompt.frame, image)
            masks[name] = prompt_mask(image, prompt, name, exclude=hand)
        states = {}
        for name, prompt in self.prompts.items():
            lab = to_lab(resized(self.clip.frame(prompt.frame), self.size))
            others = np.zeros(lab.shape[:2], bool)
            for other, mask in masks.items():
                if other != name and self.prompts[other].frame == prompt.frame:
                    others |= self._small(mask)
            mask = self._small(masks[name]) & ~others
            states[name] = ObjectState.start(name, mask, lab, to_bins(lab), others)
        return states

    def _sure_hand(self, frame: int, image: NDArray[np.uint8]) -> Mask | None:
        if self.hands is None or not self.hands.present(frame):
            return None
        lab = to_lab(resized(image, self.size))
        labels = np.zeros(lab.shape[:2], np.uint8)
        unknown = Plate(lab.astype(np.float32), np.zeros(lab.shape[:2], np.float32))
        still = np.zeros((1, 1, 2), np.float32)
        picture = Picture(frame, lab, to_bins(lab), Flow(still, still, 1.0))
        paint_hands(picture, Scene(unknown, ColorModel(), self.hands), labels)
        return self._large(labels) == OCCLUDER

    def _scene(self, states: dict[str, ObjectState]) -> Scene:
        """Background and its colours, from frames spread over the clip and the first prompt frame."""
        first = min(self.prompts.values(), key=lambda p: p.frame).frame
        lab = to_lab(resized(self.clip.frame(first), self.size))
        covered = np.zeros(lab.shape[:2], bool)
        for state in states.values():
            covered |= dilated(state.visible, 3)
        colors = ColorModel()
        colors.add(to_bins(lab)[~covered])
        plate = build_plate(sample_frames(self.clip, self.size), lab, covered)
        bins = to_bins(plate.lab.round().astype(np.uint8))
        for state in states.values():
            inside = dilated(state.visible, 3)
            like = inside & (state.color.density(bins) > 0.5 * state.around.density(bins))
            plate.trust[like] = 0.0
        return Scene(plate, colors, self.hands)

    def _pass(
        self,
        start: dict[str, ObjectState],
        scene: Scene,
        frames: Iterable[tuple[int, NDArray[np.uint8]]],
        count: int,
    ) -> None:
        tracker = Tracker(scene.copy(), self.numbers)
        estimator = FlowEstimator(*self.size)
        previous: NDArray[np.uint8] | None = None
        for index, frame in progress(frames, "segment", total=count):
            small = resized(frame, self.size)
            grey = estimator.reduced(small)
            lab = to_lab(small)
            stored = self.result.labels(index)
            labels = np.zeros(lab.shape[:2], np.uint8)
            if previous is not None:
                taken = self._small((stored > 0) & (stored < OCCLUDER)) if stored.any() else None
                flow = estimator.between(previous, grey)
                found = tracker.step(Picture(index, lab, to_bins(lab), flow, taken))
                labels = found.labels
                for name, value in found.confidence.items():
                    self.result.confidence[index, self.numbers[name] - 1] = value
            self._begin(tracker, start, index, labels)
            self._store(index, stored, labels)
            previous = grey

    def _begin(self, tracker: Tracker, start: dict[str, ObjectState], index: int, labels: NDArray[np.uint8]) -> None:
        for name, prompt in self.prompts.items():
            if prompt.frame == index:
                state = start[name].copy()
                tracker.states.append(state)
                labels[state.visible] = self.numbers[name]
                self.result.confidence[index, self.numbers[name] - 1] = 1.0

    def _store(self, index: int, stored: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        large = self._large(labels)
        keep = (stored > 0) & ((stored < OCCLUDER) | (large == 0))
        self.result.set(index, np.where(keep, stored, large).astype(np.uint8))

    def _small(self, mask: Mask) -> Mask:
        if (mask.shape[1], mask.shape[0]) == self.size:
            return mask
        cv2 = require("cv2", "video", "segmenting a video")
        small = cv2.resize(mask.astype(np.float32), self.size, interpolation=cv2.INTER_AREA)
        return np.asarray(small > 0.5)

    def _large(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if labels.shape == (self.clip.height, self.clip.width):
            return labels
        cv2 = require("cv2", "video", "segmenting a video")
        size = (self.clip.width, self.clip.height)
        out = np.zeros((self.clip.height, self.clip.width), np.uint8)
        for value in np.unique(labels[labels > 0]):
            one = cv2.resize((labels == value).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
            out[one > 0.5] = value
        return out
