"""Depth that a network guesses from pictures, and what it is worth."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Clip
from dexman_pose.data.depth import DepthSequence
from dexman_pose.progress import progress

DepthKind = Literal["metric", "relative"]
Frame = tuple[NDArray[np.float32], float | None]


@dataclass(frozen=True)
class PredictedDepth:
    """Depth of every frame of a clip, guessed.

    Attributes:
        frames: of a ``metric`` network depth in metres along the optical axis; of a ``relative`` one the inverse of
            depth, up to a scale and a shift that nobody knows and that may differ from frame to frame.
        kind: which of the two.
        focal_length: (T,) pixels of the clip's pictures, as guessed per frame; None of networks that guess none.
        backend: that made it.
    """

    frames: DepthSequence
    kind: DepthKind
    focal_length: Array | None
    backend: str

    def __repr__(self) -> str:
        focal = "" if self.focal_length is None else f", focal length {np.median(self.focal_length):.4g} px"
        return f"PredictedDepth({self.backend}, {self.kind}, {len(self.frames)} frames{focal})"


def predicted_frame_by_frame(
    clip: Clip,
    predict: Callable[[NDArray[np.uint8]], Frame],
    kind: DepthKind,
    backend: str,
    out: Path | None = None,
) -> PredictedDepth:
    """Predict every frame once; results go to disk one by one, so that memory stays small for any length.

    Args:
        clip: the video.
        predict: gives the field (H, W) of a picture (H, W, 3), and its focal length in pixels or None.
        kind: of the fields.
        backend: that predicts.
        out: a ``.npy`` file (T, H, W) float32 to write; None uses one that is gone when nobody reads it any more.
    """
    shape = (clip.num_frames, clip.height, clip.width)
    if out is None:
        with tempfile.TemporaryFile() as nameless:  # it lives as long as its map does
            store: NDArray[np.float32] = np.memmap(nameless, np.float32, "w+", shape=shape)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        store = np.lib.format.open_memmap(out, "w+", np.float32, shape)
    focal: list[float | None] = []
    for index, rgb in _pictures(clip):
        store[index], guessed = predict(rgb)
        focal.append(guessed)
    lengths = None if any(f is None for f in focal) else np.array(focal, float)
    names = [f"{backend} frame {i}" for i in range(clip.num_frames)]
    return PredictedDepth(DepthSequence(lambda i: store[i], names, 1.0), kind, lengths, backend)


def _pictures(clip: Clip) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    yield from progress(clip.frames(), "depth", total=clip.num_frames)
