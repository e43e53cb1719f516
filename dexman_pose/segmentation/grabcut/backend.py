"""The default backend: prompts segmented on their frames, then carried through the clip both ways."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import OCCLUDER, Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.imaging.masks import mask_at
from dexman_pose.imaging.resize import resize_picture
from dexman_pose.progress import progress
from dexman_pose.segmentation.checks import check_prompts
from dexman_pose.segmentation.grabcut.full_size import full_labels
from dexman_pose.segmentation.grabcut.hand_labels import label_hands
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions
from dexman_pose.segmentation.grabcut.scene import FrameData
from dexman_pose.segmentation.grabcut.start import start, working_size
from dexman_pose.segmentation.grabcut.state import ObjectState
from dexman_pose.segmentation.grabcut.step import Tracker
from dexman_pose.threads import behind


def segment_by_propagation(
    clip: Clip,
    prompts: dict[str, ObjectPrompt],
    hands: HandObservations | None,
    options: GrabCutOptions = DEFAULTS,
    into: MaskSequence | None = None,
) -> MaskSequence:
    """Make masks by GrabCut on the prompt frames and propagation by motion.

    Args:
        clip: the video, from a camera that does not move.
        prompts: by object name.
        hands: 2D joints per frame, or None.
        options: every threshold of the method.
        into: empty masks to fill; frames are settled as soon as they are final.

    Returns:
        One label image per frame, with a confidence (T, N) in [0, 1]; see ``segment_clip``.

    Raises:
        InputError: prompts or hands that do not fit the clip.
        EstimationError: nothing could be told from its surroundings where a prompt points.
    """
    check_prompts(clip, prompts, hands)
    return _Run(clip, prompts, hands, options, into).masks()


class _Run:
    def __init__(
        self,
        clip: Clip,
        prompts: dict[str, ObjectPrompt],
        hands: HandObservations | None,
        options: GrabCutOptions,
        into: MaskSequence | None,
    ) -> None:
        self.clip, self.prompts, self.options = clip, prompts, options
        self.size = working_size(clip, prompts, options.propagation)
        empty = MaskSequence(tuple(prompts), clip.height, clip.width, clip.num_frames)
        self.result = empty if into is None else into
        self.last = max(p.frame for p in prompts.values())
        self.numbers = {name: i + 1 for i, name in enumerate(prompts)}
        self.states, self.scene = start(clip, prompts, hands, options)

    def masks(self) -> MaskSequence:
        first = min(p.frame for p in self.prompts.values())
        count = self.clip.num_frames
        self._pass(self.clip.frames(first, count), count - first)
        if self.last > 0:
            self._pass(self.clip.frames(0, self.last + 1, reverse=True), self.last + 1)
        return self.result

    def _pass(self, frames: Iterable[tuple[int, NDArray[np.uint8]]], count: int) -> None:
        tracker = Tracker(self.scene.copy(), self.numbers)
        previous: NDArray[np.uint8] | None = None
        before: NDArray[np.uint8] | None = None
        with behind() as ask:
            for index, frame in progress(frames, "segment", total=count):
                small = resize_picture(frame, self.size)
                shape = (small.shape[0], small.shape[1])
                stored = self.result.labels(index)
                seen = self.scene.hands_in(index)
                hands = () if seen is None else seen.fields(index, shape)
                if previous is None:
                    labels = np.zeros(shape, np.uint8)
                    label_hands(small, hands, tracker.scene, labels)
                else:
                    others = (stored > 0) & (stored < OCCLUDER)
                    taken = mask_at(others, self.size) if others.any() else None
                    found = tracker.step(FrameData(index, small, taken, previous, before, hands))
                    labels = found.labels
                    for name, value in found.confidence.items():
                        self.result.confidence[index, self.numbers[name] - 1] = value
                self._begin(tracker, index, labels)
                store = partial(self._store, index, stored, labels, [copy(s) for s in tracker.states])
                if any(prompt.frame == index for prompt in self.prompts.values()):
                    store()  # what is given for this frame is written into its labels too
                else:
                    ask(store)
                previous, before = small, labels

    def _begin(self, tracker: Tracker, index: int, labels: NDArray[np.uint8]) -> None:
        for name, prompt in self.prompts.items():
            if prompt.frame == index:
                state = self.states[name].copy()
                tracker.states.append(state)
                labels[state.window][state.visible] = self.numbers[name]
                self.result.confidence[index, self.numbers[name] - 1] = 1.0

    def _store(
        self, index: int, stored: NDArray[np.uint8], labels: NDArray[np.uint8], states: list[ObjectState]
    ) -> None:
        # A state's outline is replaced with every step, not written to.
        large = full_labels(labels, states, self.numbers, (self.clip.height, self.clip.width))
        large = self._as_given(index, large)
        if stored.any():
            keep = (stored > 0) & ((stored < OCCLUDER) | (large == 0))
            large = np.where(keep, stored, large)
        self.result.set(index, large)
        if index > self.last or self.last == 0:  # else the pass back comes by again
            self.result.settled(index)

    def _as_given(self, index: int, large: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Full labels with the masks that were given for this frame, pixel by pixel."""
        for name, prompt in self.prompts.items():
            if prompt.frame == index and prompt.mask is not None:
                large[(large == self.numbers[name]) & ~prompt.mask] = 0
                large[(large == 0) & prompt.mask] = self.numbers[name]
        return large
