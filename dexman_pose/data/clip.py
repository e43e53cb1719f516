"""A video as frames on demand (first version: its owner is replacing it)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]


class Clip:
    """Frames of a video, RGB uint8 (H, W, 3)."""

    def __init__(self, frames: list[Frame], frame_times: NDArray[np.float64]) -> None:
        self._frames = frames
        self.frame_times = frame_times
        self.height, self.width = frames[0].shape[:2]
        self.num_frames = len(frames)
        self.path: Path | None = None

    @classmethod
    def open(cls, path: str | Path, max_frames: int | None = None) -> Clip:
        import av

        with av.open(str(path)) as container:
            frames = []
            for f in container.decode(video=0):
                if max_frames is not None and len(frames) >= max_frames:
                    break
                frames.append(f.to_ndarray(format="rgb24"))
        return cls(frames, np.arange(len(frames)) / 30.0)

    @classmethod
    def from_frames(cls, frames: list[Frame], fps: float = 30.0) -> Clip:
        return cls(list(frames), np.arange(len(frames)) / fps)

    def frame(self, index: int) -> Frame:
        return self._frames[index]

    def frames(
        self, start: int = 0, stop: int | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[int, Frame]]:
        order = range(start, self.num_frames if stop is None else stop)
        for i in reversed(order) if reverse else order:
            yield i, self._frames[i]
