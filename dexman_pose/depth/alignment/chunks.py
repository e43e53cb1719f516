"""Chunks of depth aligned with each other: by the background that stands still, and by what both show of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data import MaskSequence
from dexman_pose.data.depth import DepthSequence
from dexman_pose.depth.alignment.maps import IDENTITY, DepthMap, Samples, fit_map, picture_places
from dexman_pose.depth.alignment.options import DEFAULTS, AlignmentOptions
from dexman_pose.errors import InputError

_KEPT = 8
"""Chunks, of the middle of the background through time: later ones change it hardly."""


@dataclass(frozen=True)
class DepthChunk:
    """Depth of some frames in a row, right up to one map.

    Attributes:
        first: index of its first frame in the clip.
        frames: depth images.
    """

    first: int
    frames: DepthSequence

    @property
    def stop(self) -> int:
        """Index of the frame after its last one."""
        return self.first + len(self.frames)


@dataclass(frozen=True)
class AlignedChunks:
    """Chunks with the maps that bring them to the depth of the first.

    Attributes:
        chunks: in order.
        maps: one per chunk; that of the first changes nothing.
    """

    chunks: tuple[DepthChunk, ...]
    maps: tuple[DepthMap, ...]

    def frame(self, index: int) -> NDArray[np.float32]:
        """Depth (H, W) of a frame of the clip; where two chunks show it, the one turns into the other frame by frame.

        Raises:
            InputError: no chunk holds that frame.
        """
        held = [k for k, c in enumerate(self.chunks) if c.first <= index < c.stop]
        if not held:
            raise InputError(f"no chunk of depth holds frame {index}")
        images = [self.maps[k].image(self.chunks[k].frames.frame(index - self.chunks[k].first)) for k in held]
        weights = np.array([_share(self.chunks[k], index) for k in held])
        known = np.stack([image > 0 for image in images])
        of_pixel = known * weights[:, None, None]
        total = of_pixel.sum(0)
        mixed = (np.stack(images) * of_pixel).sum(0) / np.where(total > 0, total, 1.0)
        return mixed.astype(np.float32)

    def sequence(self) -> DepthSequence:
        """Depth of all frames, made when it is read."""
        names = [f"aligned depth {i}" for i in range(self.chunks[0].first, self.chunks[-1].stop)]
        return DepthSequence(lambda i: self.frame(i + self.chunks[0].first), names, 1.0)


def align_chunks(
    chunks: Sequence[DepthChunk],
    masks: MaskSequence | None = None,
    *,
    still_camera: bool = True,
    options: AlignmentOptions = DEFAULTS,
) -> AlignedChunks:
    """Bring chunks of depth to the depth of the first one.

    One map per chunk, for all pixels: one per object would change the sizes of things against each other. Its samples
    are the background, which a camera that stands still sees at the same depth in all chunks, so that errors do not add
    up from chunk to chunk; and what the chunk and those before it show of the frames they share, objects away from the
    edges of their masks. A scale, an affine map, or a bent one: see :func:`fit_map`.

    Args:
        chunks: in order, each with at least one frame of the one before.
        masks: of the clip; objects and hands are no background. None: all pixels are, and what moves is an outlier.
        still_camera: whether the background may be compared between frames; without, shared frames alone count.
        options: thresholds.

    Raises:
        InputError: no chunks, chunks that share no frame, or of several sizes.
    """
    _check(chunks, masks)
    maps = [IDENTITY]
    background = _Background(chunks[0], masks, options) if still_camera else None
    for k in range(1, len(chunks)):
        samples = _shared(chunks, maps, k, masks, options)
        if background is not None:
            samples += background.samples(chunks[k])
        samples = [s for s in samples if len(s)]
        found = fit_map(Samples.joined(samples), options) if samples else maps[-1]
        maps.append(found)
        if background is not None and k < _KEPT:
            background.add(chunks[k], found)
    return AlignedChunks(tuple(chunks), tuple(maps))


def _check(chunks: Sequence[DepthChunk], masks: MaskSequence | None) -> None:
    if not chunks:
        raise InputError("there is no chunk of depth to align")
    size = (chunks[0].frames.height, chunks[0].frames.width)
    for before, chunk in pairwise(chunks):
        if not before.first < chunk.first < before.stop:
            raise InputError(
                f"chunks of depth must share frames with those before, but frames {before.first} to {before.stop - 1} "
                f"are followed by {chunk.first} to {chunk.stop - 1}"
            )
        if (chunk.frames.height, chunk.frames.width) != size:
            raise InputError(
                f"chunks of depth must have one size, but got {chunk.frames} beside {chunks[0].frames}"
            )
    if masks is not None and (masks.height, masks.width) != size:
        raise InputError(f"masks are {masks.width}x{masks.height}, but depth is {size[1]}x{size[0]}")
    if masks is not None and masks.num_frames < chunks[-1].stop:
        raise InputError(f"masks hold {masks.num_frames} frames, but depth {chunks[-1].stop}")


def _share(chunk: DepthChunk, index: int) -> float:
    """Weight of a chunk in a frame: least at its ends."""
    return float(min(index - chunk.first, chunk.stop - 1 - index) + 1)


def _spread(first: int, stop: int, count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(first, stop - 1, min(count, stop - first)).round().astype(np.int64))


def clear_of_edges(mask: Mask, pixels: int) -> Mask:
    """A mask without the pixels near its edge, in the picture: those at the picture's own edge stay."""
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return np.asarray(cv2.erode(mask.astype(np.uint8), kernel, borderValue=1)).astype(bool)


def _thinned(usable: Mask, most: int) -> NDArray[np.int64]:
    """Flat indices of usable pixels, evenly picked."""
    found = np.flatnonzero(usable)
    return found[:: max(1, -(-len(found) // most))]


def _shared(
    chunks: Sequence[DepthChunk],
    maps: Sequence[DepthMap],
    k: int,
    masks: MaskSequence | None,
    options: AlignmentOptions,
) -> list[Samples]:
    """Pixels of the frames that a chunk shares with those before it: objects, and without a still camera all else."""
    chunk, places = chunks[k], picture_places(chunks[k].frames.height, chunks[k].frames.width).reshape(-1, 2)
    out = []
    for j in range(k - 1, -1, -1):
        if chunks[j].stop <= chunk.first:
            break
        for frame in _spread(chunk.first, min(chunks[j].stop, chunk.stop), options.frames):
            source = chunk.frames.frame(int(frame) - chunk.first)
            target = maps[j].image(chunks[j].frames.frame(int(frame) - chunks[j].first))
            known = (source > 0) & (target > 0)
            for part in _parts(masks, int(frame), known.shape, options.eroded):
                at = _thinned(part & known, options.samples)
                if len(at):
                    weight = np.full(len(at), options.object_weight / len(at))
                    out.append(
                        Samples(
                            source.ravel()[at].astype(float),
                            target.ravel()[at].astype(float),
                            places[at],
                            weight,
                        )
                    )
    return out


def _parts(masks: MaskSequence | None, frame: int, shape: tuple[int, ...], eroded: int) -> list[Mask]:
    """What of a frame is compared on its own, so that a small object counts as much as a large one: everything, and
    each object."""
    whole = np.ones((shape[0], shape[1]), bool)
    if masks is None:
        return [whole]
    labels = masks.labels(frame)
    return [
        clear_of_edges(labels == 0, eroded),
        *(clear_of_edges(labels == v, eroded) for v in np.unique(labels[labels > 0])),
    ]


class _Background:
    """Depth of what stands still, in the depth of the first chunk: middles over time and over chunks."""

    def __init__(self, first: DepthChunk, masks: MaskSequence | None, options: AlignmentOptions) -> None:
        self.masks, self.options = masks, options
        height, width = first.frames.height, first.frames.width
        self.places = picture_places(height, width).reshape(-1, 2)
        self.seen = [self._middle(first)]

    def add(self, chunk: DepthChunk, found: DepthMap) -> None:
        """Learn from a chunk whose map is known: what was hidden in the ones before."""
        self.seen.append(found.image(self._middle(chunk)))

    def samples(self, chunk: DepthChunk) -> list[Samples]:
        """Pixels of the background in a chunk and as it is known."""
        source, target = self._middle(chunk), _middle_of(self.seen)
        at = _thinned((source > 0) & (target > 0), self.options.samples * self.options.frames)
        if len(at) == 0:
            return []
        weights = np.full(len(at), 1.0 / len(at))
        return [
            Samples(
                source.ravel()[at].astype(float), target.ravel()[at].astype(float), self.places[at], weights
            )
        ]

    def _middle(self, chunk: DepthChunk) -> NDArray[np.float32]:
        images = []
        for frame in _spread(chunk.first, chunk.stop, self.options.frames):
            image = chunk.frames.frame(int(frame) - chunk.first)
            if self.masks is not None:
                labels = self.masks.labels(int(frame))
                image = np.where(clear_of_edges(labels == 0, self.options.eroded), image, np.float32(0))
            images.append(image)
        return _middle_of(images)


def _middle_of(images: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Median of what was measured at each pixel; 0 where nothing was."""
    stack = np.stack(images)
    count = (stack > 0).sum(0)
    ordered = np.sort(np.where(stack > 0, stack, np.float32(np.inf)), 0)
    low, high = np.clip((count - 1) // 2, 0, None), np.clip(count // 2, 0, len(images) - 1)
    with np.errstate(invalid="ignore"):
        middle = (
            0.5 * (np.take_along_axis(ordered, low[None], 0) + np.take_along_axis(ordered, high[None], 0))[0]
        )
    return np.where(count > 0, middle, 0.0).astype(np.float32)
