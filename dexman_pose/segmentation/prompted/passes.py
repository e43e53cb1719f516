"""The two passes over a clip: from each prompt to the end, and from each prompt back to the beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import OCCLUDER, Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.data.tracks import SIDES
from dexman_pose.progress import progress
from dexman_pose.segmentation.checks import check_prompts
from dexman_pose.segmentation.gate.checks import Fault
from dexman_pose.segmentation.prompted.expectation import Cover, Expectation, check_expected, covered
from dexman_pose.segmentation.prompted.hand_prompts import hand_prompts
from dexman_pose.segmentation.prompted.options import PromptedOptions
from dexman_pose.segmentation.prompted.seen import Seen, labels_of


class Follower(Protocol):
    """What a network must be able to do: see things where it is shown them, and find them again in the next frame."""

    def look(self, index: int, rgb: NDArray[np.uint8]) -> None:
        """Take the next picture of the pass."""

    def start(self, name: str, prompt: ObjectPrompt) -> Seen:
        """See a thing where the prompt shows it in this picture, whatever was known of it before."""

    def follow(self, name: str) -> Seen:
        """Find a thing again that was started in an earlier picture of this pass."""


def follow_both_ways(
    clip: Clip,
    prompts: Mapping[str, ObjectPrompt],
    hands: HandObservations | None,
    follower: Callable[[bool], Follower],
    options: PromptedOptions,
    expected: MaskSequence | None = None,
) -> MaskSequence:
    """Follow every object from the frame of its prompt to both ends of the clip, hands beside it.

    Args:
        clip: the video.
        prompts: by object name.
        hands: 2D joints per frame, or None.
        follower: makes one for a pass; True for the pass back.
        options: of the passes.
        expected: outlines of poses that were followed beside: where masks turn away from them, the object is shown
            again by its outline, and ``faults`` tell so.

    Returns:
        One label image per frame, with a confidence (T, N).

    Raises:
        InputError: prompts, hands or masks that do not fit the clip.
    """
    check_prompts(clip, prompts, hands)
    check_expected(clip, expected)
    masks = MaskSequence(tuple(prompts), clip.height, clip.width, clip.num_frames)
    first, last = (pick(p.frame for p in prompts.values()) for pick in (min, max))
    forward = _Pass(clip, prompts, hands, follower(False), options, masks, {}, expected)
    forward.over(clip.frames(first, clip.num_frames), clip.num_frames - first)
    if last > 0:
        back = _Pass(clip, prompts, hands, follower(True), options, masks, forward.begun, expected)
        back.over(clip.frames(0, last + 1, reverse=True), last + 1)
    return masks


class _Pass:
    """One direction.

    Attributes:
        begun: frame in which the objects were started in the pass before: that frame is theirs already.
    """

    def __init__(
        self,
        clip: Clip,
        prompts: Mapping[str, ObjectPrompt],
        hands: HandObservations | None,
        follower: Follower,
        options: PromptedOptions,
        masks: MaskSequence,
        done: Mapping[str, int],
        expected: MaskSequence | None,
    ) -> None:
        self.clip, self.prompts, self.hands, self.options = clip, prompts, hands, options
        self.follower, self.masks, self.done = follower, masks, done
        self.expectation = Expectation(expected, options.again)
        self.begun: dict[str, int] = {}
        self.shown: dict[str, int] = {}

    def over(self, frames: Iterable[tuple[int, NDArray[np.uint8]]], count: int) -> None:
        for index, rgb in progress(frames, "segment", total=count):
            self.follower.look(index, rgb)
            objects, hands = self._objects(index), self._hands(index)
            again = self._shown_again(index, objects, hands)
            self._store(index, {**objects, **again}, hands, frozenset(again))

    def _objects(self, index: int) -> dict[str, Seen]:
        seen = {}
        for name, prompt in self.prompts.items():
            if prompt.frame == index:
                seen[name] = self.follower.start(name, prompt)
                self.begun[name] = index
            elif name in self.begun:
                seen[name] = self.follower.follow(name)
        return {name: s for name, s in seen.items() if self.done.get(name) != index}

    def _shown_again(self, index: int, objects: Mapping[str, Seen], hands: list[Seen]) -> dict[str, Seen]:
        """Objects that are not where their poses are, seen anew from there."""
        if self.expectation.silent:
            return {}
        shape = (self.clip.height, self.clip.width)
        hidden = covered([seen.mask for seen in hands], shape)
        # Those that are not followed in this pass, or not in this frame, may have a mask of the pass before.
        masks = {n: objects[n].mask if n in objects else self.masks.mask(index, n) for n in self.prompts}
        loose = {n: mask for n, mask in masks.items() if not self.expectation.draws(n, index)}
        out = {}
        for name in self.begun:
            cover = Cover(hidden, covered([mask for n, mask in loose.items() if n != name], shape))
            if self.prompts[name].frame == index:
                self.expectation.begin(name, index, masks[name], cover)
            elif name in objects and self.expectation.disagrees(name, index, masks[name], cover):
                seen = self.follower.start(name, self.expectation.prompt(name, index, cover))
                out[name] = Seen(seen.logits, seen.trust * self.expectation.trust(name, index))
        return out

    def _hands(self, index: int) -> list[Seen]:
        """Hands as they are shown by their joints; between two showings the network follows them."""
        o = self.options.hands
        prompts = hand_prompts(self.hands, index, self.clip.width, self.clip.height, o)
        found = []
        for side in list(self.shown):
            if not self._known(index, side):
                del self.shown[side]
        for side in {**self.shown, **prompts}:
            due = side not in self.shown or abs(index - self.shown[side]) >= o.refresh
            if side in prompts and due:
                found.append(self.follower.start(_hand_name(side), prompts[side]))
                self.shown[side] = index
            elif side in self.shown:
                found.append(self.follower.follow(_hand_name(side)))
        return found

    def _known(self, index: int, side: str) -> bool:
        return self.hands is not None and bool(self.hands.valid[index, SIDES.index(side)])

    def _store(self, index: int, seen: Mapping[str, Seen], hands: list[Seen], again: frozenset[str]) -> None:
        shape = (self.clip.height, self.clip.width)
        label = {name: self.masks.label_of(name) for name in seen}
        labels = labels_of({label[n]: s for n, s in seen.items()}, hands, shape, self.options.margin)
        stored = self.masks.labels(index)
        kept = (stored > 0) & (stored < OCCLUDER)
        labels[kept] = stored[kept]
        for name in seen:
            prompt = self.prompts[name]
            if prompt.frame == index and prompt.mask is not None:  # what was given is taken as it is
                labels[labels == label[name]] = 0
                labels[prompt.mask & ~kept] = label[name]
        for name, one in seen.items():
            given = self.prompts[name].frame == index and self.prompts[name].mask is not None
            trust = 1.0 if given else one.confidence(labels == label[name], self.options.least_pixels)
            self.masks.confidence[index, label[name] - 1] = trust
            if name in again:
                self._tell(index, label[name])
        self.masks.set(index, labels)

    def _tell(self, index: int, label: int) -> None:
        if self.masks.faults is None:
            self.masks.faults = np.zeros(self.masks.confidence.shape, np.uint8)
        self.masks.faults[index, label - 1] |= Fault.SHOWN_AGAIN


def _hand_name(side: str) -> str:
    return f"\0hand {side}"  # no object of a user can be called so
