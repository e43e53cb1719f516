"""Given masks as label images of a clip: objects, hands that hide them, and frames for which nothing was given."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Bools
from dexman_pose.data.clip import Clip
from dexman_pose.data.masks import OCCLUDER, MaskSequence
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import HandObservations
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.given.mask_hands import HandAreas
from dexman_pose.given.masks import ObjectMasks
from dexman_pose.progress import progress
from dexman_pose.segmentation import segment_clip

_log = logging.getLogger(__name__)


def label_masks(
    given: ObjectMasks, clip: Clip, observations: HandObservations | None, *, segmentation: str = "grabcut"
) -> MaskSequence:
    """The label images of a clip by masks that were given.

    Masks are used as they are, but for pixels that are a hand's by place and colour. Where two overlap, the smaller one
    lies on top. Frames without a mask of an object are followed from the nearest one that has it.

    Args:
        given: the masks by object.
        clip: the frames.
        observations: 2D hand joints, or None.
        segmentation: how objects are followed through frames without a mask.

    Returns:
        Label images, with confidence 1 where a mask was given and is not empty.
    """
    names = tuple(given.keys)
    out = MaskSequence(names, clip.height, clip.width, clip.num_frames)
    hands = None
    if observations is not None and observations.valid.any():
        hands = HandAreas(clip, {name: given.prompt(name, None) for name in names}, observations)
    for frame in progress(range(clip.num_frames), "masks", total=clip.num_frames):
        labels = _painted(given, names, frame, hands)
        out.set(frame, labels)
        out.confidence[frame] = [(labels == i).any() for i in range(1, len(names) + 1)]
    _follow_holes(given, clip, out, observations, segmentation)
    return out


def _painted(
    given: ObjectMasks, names: Sequence[str], frame: int, hands: HandAreas | None
) -> NDArray[np.uint8]:
    masks = {i: given.mask(frame, name) for i, name in enumerate(names, 1)}
    labels = np.zeros((given.masks.clip.height, given.masks.clip.width), np.uint8)
    for i in sorted(masks, key=lambda i: -int(masks[i].sum())):
        labels[masks[i]] = i
    if given.occluder is not None:
        labels[given.masks.mask(frame, given.occluder) & (labels == 0)] = OCCLUDER
    seen = hands.at(frame) if hands is not None else None
    if hands is not None and seen is not None:
        for i, name in enumerate(names, 1):
            if (seen & (labels == i)).any():
                taken = hands.at(frame, name)
                assert taken is not None
                labels[taken & (labels == i)] = OCCLUDER
        labels[seen & (labels == 0)] = OCCLUDER
    return labels


def _follow_holes(
    given: ObjectMasks,
    clip: Clip,
    out: MaskSequence,
    observations: HandObservations | None,
    segmentation: str,
) -> None:
    """Fill frames without a mask, object by object, from the frame before the gap, or else the one after."""
    for number, name in enumerate(out.names, 1):
        unknown = np.ones(clip.num_frames, np.bool_)
        unknown[list(given.known(name))] = False
        for first, stop in _gaps(unknown):
            known = first - 1 if first > 0 and out.mask(first - 1, name).any() else stop
            if known >= clip.num_frames or not out.mask(known, name).any():
                _forget(out, number, first, stop)
                continue
            begin, end = min(known, first), max(known + 1, stop)
            part = stretch(clip, begin, end)
            prompt = ObjectPrompt(mask=out.mask(known, name), frame=known - begin)
            try:
                found = segment_clip(
                    part, {name: prompt}, _part(observations, begin, end), backend=segmentation
                )
            except (EstimationError, InputError) as error:
                _log.info("%s: frames %d to %d stay without a mask: %s", name, first, stop - 1, error)
                _forget(out, number, first, stop)
                continue
            for frame in range(first, stop):
                _put(
                    out, number, frame, found.labels(frame - begin), float(found.confidence[frame - begin, 0])
                )


def _put(out: MaskSequence, number: int, frame: int, found: NDArray[np.uint8], confidence: float) -> None:
    labels = out.labels(frame).copy()
    labels[(found == 1) & (labels == 0)] = number
    labels[(found == OCCLUDER) & (labels == 0)] = OCCLUDER
    out.set(frame, labels)
    out.confidence[frame, number - 1] = confidence if (labels == number).any() else 0.0


def _forget(out: MaskSequence, number: int, first: int, stop: int) -> None:
    """Frames in which nothing is known of the only object: everything may be it, so nothing speaks against a pose."""
    if len(out.names) > 1:
        return
    for frame in range(first, stop):
        out.set(frame, np.full((out.height, out.width), OCCLUDER, np.uint8))
        out.confidence[frame, number - 1] = 0.0


def _gaps(unknown: Bools) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], unknown, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _part(observations: HandObservations | None, begin: int, end: int) -> HandObservations | None:
    if observations is None:
        return None
    o, one = observations, slice(begin, end)
    return HandObservations(
        o.joints_2d[one], o.joints_local[one], o.detected[one], o.bridged[one], o.score[one]
    )


def stretch(clip: Clip, begin: int, end: int) -> Clip:
    """The frames from ``begin`` to before ``end`` as a clip, read when asked for."""
    times = clip.frame_times[begin:end]
    return Clip(_Stretch(clip, begin), times - times[0], (clip.width, clip.height))


class _Stretch:
    def __init__(self, clip: Clip, begin: int) -> None:
        self._clip, self._begin = clip, begin

    def one(self, index: int) -> NDArray[np.uint8]:
        return self._clip.frame(self._begin + index)

    def forward(self, start: int, stop: int) -> Iterator[NDArray[np.uint8]]:
        return (frame for _, frame in self._clip.frames(self._begin + start, self._begin + stop))

    def backward(self, start: int, stop: int) -> Iterator[NDArray[np.uint8]]:
        frames = self._clip.frames(self._begin + start, self._begin + stop, reverse=True)
        return (frame for _, frame in frames)
