"""Hands fitted to their pictures while objects are still being found: that needs nothing of the objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from threading import Thread

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandObservations, HandTrack
from dexman_pose.interaction.fit import PicturedHand, picture_hands


class PicturesAhead:
    """Fits that a thread is working on; asking for them waits, and raises what went wrong in making them.

    Args:
        hands: by side, as lifted.
        observations: what they were lifted from.
        camera: intrinsics.
        frame_times: (T,) seconds.
    """

    def __init__(
        self,
        hands: Mapping[str, HandTrack],
        observations: HandObservations,
        camera: Camera,
        frame_times: Array,
    ) -> None:
        self._make = partial(picture_hands, hands, observations, camera, frame_times, beside=False)
        self._found: Future[dict[str, PicturedHand]] = Future()
        self._thread = Thread(target=self._work, name="pictures", daemon=True)

    @contextmanager
    def begun(self) -> Iterator[PicturesAhead]:
        """Let the thread work inside the block; at its end it is waited for: it takes a second or two."""
        self._thread.start()
        try:
            yield self
        finally:
            self._thread.join()

    def hands(self) -> dict[str, PicturedHand]:
        """By side."""
        return self._found.result()

    def _work(self) -> None:
        try:
            self._found.set_result(self._make())
        except BaseException as error:  # raised where the result is asked for
            self._found.set_exception(error)
