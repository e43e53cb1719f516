"""Hands of a live picture, found in a thread beside: the newest picture in, the last hands out, no queue between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.named import NamedHands

Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LiveHand:
    """One of a person's hands in one picture.

    Attributes:
        side: ``"left"`` or ``"right"``, the person's.
        joints_2d: (21, 2) pixels.
        joints_local: (21, 3) metres, the detector's own guess about the hand's centre, axes of the camera; where the
            hand is in the room is not known from one picture.
        score: in [0, 1].
        frame: index of the picture.
    """

    side: str
    joints_2d: Array
    joints_local: Array
    score: float
    frame: int


HandFinder = Callable[[int, Image], Mapping[str, LiveHand]]
"""Hands by side in the next picture (H, W, 3) RGB; indices grow, and may leave some out."""


class LiveHands:
    """Runs a detector of hands in a thread of its own.

    Nobody waits for it: a picture that comes while it works takes the place of one that waits, and :attr:`hands` are
    those of the last picture it has finished. Stop it with :meth:`close`.

    Args:
        find: the detector; called from one thread, and never twice at a time.
    """

    def __init__(self, find: HandFinder) -> None:
        self._find = find
        self._waiting: tuple[int, Image] | None = None
        self._busy, self._closed = False, False
        self._found: NamedHands[LiveHand] = NamedHands()
        self._failure: Exception | None = None
        self._skipped = 0
        self._last: int | None = None
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="dexman-live-hands", daemon=True)
        self._thread.start()

    @property
    def hands(self) -> NamedHands[LiveHand]:
        """Hands by side in the last picture that was finished; another object for every picture.

        Raises:
            Exception: what the detector broke down with.
        """
        if self._failure is not None:
            raise self._failure
        return self._found

    @property
    def skipped(self) -> int:
        """Pictures that were not looked at because a newer one came."""
        return self._skipped

    @property
    def last(self) -> int | None:
        """Index of the last picture that was finished, with hands in it or without; None before the first."""
        return self._last

    def catch_up(self, index: int, most: int) -> None:
        """Wait until the hands are those of a picture at most ``most`` before ``index``, which was put already.

        Nothing is waited for before the first picture is finished: a detector takes long to begin.
        """

        def near() -> bool:
            return self._last is None or index - self._last <= most or self._closed

        with self._change:
            self._change.wait_for(near)

    def put(self, index: int, image: Image) -> None:
        """Hand over the next picture (H, W, 3) RGB, which must not be written into any more; never waits."""
        with self._change:
            self._skipped += self._waiting is not None
            self._waiting = (index, image)
            self._change.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait until the detector has finished what it was given; whether it has, within ``timeout`` seconds."""
        with self._change:
            return self._change.wait_for(lambda: self._waiting is None and not self._busy, timeout)

    def close(self) -> None:
        """Stop after the picture that is worked on; may be called twice."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._thread.join()

    def _next(self) -> tuple[int, Image] | None:
        with self._change:
            self._busy = False
            self._change.notify_all()
            self._change.wait_for(lambda: self._waiting is not None or self._closed)
            if self._closed:
                return None
            taken, self._waiting = self._waiting, None
            self._busy = True
            return taken

    def _run(self) -> None:
        while (taken := self._next()) is not None:
            try:
                self._found, self._last = NamedHands(self._find(*taken)), taken[0]
            except Exception as error:  # told to whoever asks for the hands: a thread has nobody to tell
                self._failure = error
                with self._change:
                    self._busy, self._waiting, self._closed = False, None, True
                    self._change.notify_all()
                return
