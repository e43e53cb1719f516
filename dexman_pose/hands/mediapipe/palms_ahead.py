"""Palms of frames that come next, looked for on a thread of their own while hands are followed in this one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from dexman_pose.hands.mediapipe.palm import Palms

Image = NDArray[np.uint8]
AHEAD = 2
"""Frames that are looked at before their turn."""


class PalmsAhead:
    """A palm detector that has often begun before it is asked; its answers are those of the detector it stands for.

    Whether a frame's palms are needed is known for certain only when its hands have been followed. It is assumed of
    frames in which they are looked for in any case, and of all frames while ``often`` is set; a wrong guess costs one
    look.

    Args:
        palms: finds palms in an image of at least a score.
        always: whether the frame of an index is looked at in any case.

    Attributes:
        often: whether frames are expected to be looked at now.
    """

    def __init__(self, palms: Callable[[Image, float], Palms], always: Callable[[int], bool]) -> None:
        self.often = True
        self._palms, self._always = palms, always
        self._one_at_a_time = Lock()  # the network is one for both threads
        self._pool = ThreadPoolExecutor(1, "palms")
        self._begun: dict[int, Future[Palms]] = {}

    def __enter__(self) -> PalmsAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def frames(self, frames: Iterable[tuple[int, Image]], min_score: float) -> Iterator[tuple[int, Image]]:
        """The same frames (index, image), of which the next ones are looked at already."""
        waiting: deque[tuple[int, Image]] = deque()
        for index, image in frames:
            waiting.append((index, image))
            if self.often or self._always(index):
                self._begun[id(image)] = self._pool.submit(self._look, image, min_score)
            if len(waiting) > AHEAD:
                yield from self._next(waiting)
        while waiting:
            yield from self._next(waiting)

    def _next(self, waiting: deque[tuple[int, Image]]) -> Iterator[tuple[int, Image]]:
        index, image = waiting.popleft()
        yield index, image
        self._begun.pop(id(image), None)

    def __call__(self, image: Image, min_score: float) -> Palms:
        """Palms of an RGB image (H, W, 3) of at least ``min_score``."""
        found = self._begun.pop(id(image), None)
        return self._look(image, min_score) if found is None else found.result()

    def _look(self, image: Image, min_score: float) -> Palms:
        with self._one_at_a_time:
            return self._palms(image, min_score)
