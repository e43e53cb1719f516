"""Masks that are still being made, for those who work on frames that are ready."""

from __future__ import annotations

from threading import Condition
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.masks import MaskSequence

if TYPE_CHECKING:
    from dexman_pose.arrays import FloatImage


class MasksGivenUp(Exception):
    """The masks that were waited for are not going to be made; why is told where they were being made."""


class GrowingMasks(MaskSequence):
    """Masks that another thread makes: whoever reads a frame waits until it will not change any more.

    What is read is what would be read of the finished masks, so nobody can tell the difference but by the clock.

    Args:
        names: the objects, in the order of their labels.
        height: image height in pixels.
        width: image width in pixels.
        num_frames: of the clip.

    Attributes:
        filled: the same masks for the one who makes them; a frame may be read once it is said to be settled.
    """

    def __init__(self, names: tuple[str, ...], height: int, width: int, num_frames: int) -> None:
        self._changed = Condition()
        self._ready = np.zeros(num_frames, bool)
        self._given_up = False
        self.filled = _FilledMasks(names, height, width, num_frames)
        self.filled.grown = self
        # The fields of the finished masks, but for those that have to be waited for.
        self.names, self.num_frames = self.filled.names, num_frames
        self.height, self.width, self._frames = height, width, self.filled._frames

    @classmethod
    def of(cls, masks: MaskSequence) -> GrowingMasks:
        """Masks that are all there, for a reader who shall stop when they are given up."""
        out = cls(masks.names, masks.height, masks.width, masks.num_frames)
        out.filled.confidence = masks.confidence
        out.filled._frames = out._frames = masks._frames
        out.settle()
        return out

    @property
    def confidence(self) -> FloatImage:  # type: ignore[override]
        """(T, N) of all frames, once they are all there; :meth:`confidence_of` waits for one frame alone."""
        self._wait(None)
        return self.filled.confidence

    def confidence_of(self, frame: int, name: str) -> float:
        """How far the mask of an object in a frame can be trusted."""
        self._wait(self._index(frame))
        return self.filled.confidence_of(frame, name)

    def labels(self, frame: int) -> NDArray[np.uint8]:
        """The label image (H, W) uint8 of one frame."""
        self._wait(self._index(frame))
        return self.filled.labels(frame)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays of all frames, once they are all there."""
        self._wait(None)
        return self.filled.to_arrays()

    def settle(self, frame: int | None = None) -> None:
        """Let a frame be read; all of them without one."""
        with self._changed:
            self._ready[slice(None) if frame is None else frame] = True
            self._changed.notify_all()

    def give_up(self) -> None:
        """Raise :class:`MasksGivenUp` wherever these masks are read from now on."""
        with self._changed:
            self._given_up = True
            self._changed.notify_all()

    def _wait(self, frame: int | None) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._given_up or self._is_ready(frame))
            if self._given_up:
                raise MasksGivenUp

    def _is_ready(self, frame: int | None) -> bool:
        return bool(self._ready.all() if frame is None else self._ready[frame])


class _FilledMasks(MaskSequence):
    """The side of the one who makes the masks: written to and read without waiting."""

    grown: GrowingMasks

    def settled(self, frame: int) -> None:
        self.grown.settle(frame)
