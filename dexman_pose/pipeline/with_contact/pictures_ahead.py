"""Hands lifted and fitted to their pictures while objects are still being found: that needs nothing of the objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandObservations, HandTrack
from dexman_pose.interaction.fit import PicturedHand, picture_hands

Hands = dict[str, HandTrack]


class PicturesAhead:
    """Hands that a thread is working on; asking for them waits, and raises what went wrong in making them.

    Args:
        lift: makes the hands, by side.
        observations: what they are lifted from.
        camera: intrinsics.
        frame_times: (T,) seconds.
    """

    def __init__(
        self, lift: Callable[[], Hands], observations: HandObservations, camera: Camera, frame_times: Array
    ) -> None:
        self._make, self._given = lift, (observations, camera, frame_times)
        self._lifted: Future[Hands] = Future()
        self._pictured: Future[dict[str, PicturedHand]] = Future()
        self._thread = Thread(target=self._work, name="pictures", daemon=True)

    @contextmanager
    def begun(self) -> Iterator[PicturesAhead]:
        """Let the thread work inside the block; at its end it is waited for: it takes a second or two."""
        self._thread.start()
        try:
            yield self
        finally:
            self._thread.join()

    def lifted(self) -> Hands:
        """The hands, by side."""
        return self._lifted.result()

    def pictured(self, hands: Hands) -> dict[str, PicturedHand] | None:
        """Their fits by side; None where they are not of these hands: some may have been withheld since."""
        lifted = self.lifted()
        same = hands.keys() == lifted.keys() and all(hands[side] is lifted[side] for side in hands)
        return self._pictured.result() if same else None

    def _work(self) -> None:
        try:
            self._lifted.set_result(self._make())
        except BaseException as error:  # raised where the result is asked for
            self._lifted.set_exception(error)
            return
        try:
            self._pictured.set_result(picture_hands(self.lifted(), *self._given, beside=False))
        except BaseException as error:
            self._pictured.set_exception(error)
