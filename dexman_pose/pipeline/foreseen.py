"""Camera, hands and objects of a run, begun while masks are still being made: objects are tracked right behind them.

Both are chains of small steps that keep one core busy, frame after frame; side by side they keep two busy. Every result
is that of the stages one after another, because what is read of the masks is final (:class:`GrowingMasks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandTrack, RigidObject
from dexman_pose.pipeline.growing_masks import GrowingMasks
from dexman_pose.pipeline.seed import opencv_seeded

T = TypeVar("T")

Hands = dict[str, HandTrack]
Objects = dict[str, RigidObject]


class Foreseen:
    """Results that a thread is working on; asking for one waits for it, and raises what went wrong in making it.

    Args:
        masks: what the thread reads, as they are made.
        find_camera: finds the camera.
        lift: places the hands.
        find_objects: finds the objects.
        seed: OpenCV's generator of the thread begins with it in every step, as in a stage.
    """

    def __init__(
        self,
        masks: GrowingMasks,
        find_camera: Callable[[], Camera],
        lift: Callable[[Camera], Hands],
        find_objects: Callable[[Camera, Hands], Objects],
        seed: int,
    ) -> None:
        self.masks, self._seed = masks, seed
        self._find_camera, self._lift, self._find_objects = find_camera, lift, find_objects
        self._camera: Future[Camera] = Future()
        self._hands: Future[Hands] = Future()
        self._objects: Future[Objects] = Future()
        self._thread = Thread(target=self._work, name="foreseen", daemon=True)

    @contextmanager
    def begun(self) -> Iterator[Foreseen]:
        """Let the thread work inside the block; at its end it stops at the next mask it reads."""
        self._thread.start()
        try:
            yield self
        finally:
            self.masks.give_up()
            self._thread.join()

    def camera(self) -> Camera:
        """The camera that the objects are found with."""
        return self._camera.result()

    def hands(self) -> Hands:
        """The hands, whatever the camera does."""
        return self._hands.result()

    def objects(self) -> Objects:
        """The objects, with those hands."""
        return self._objects.result()

    def _work(self) -> None:
        self._step(self._camera, self._find_camera)
        self._step(self._hands, lambda: self._lift(self.camera()))
        self._step(self._objects, lambda: self._find_objects(self.camera(), self.hands()))

    def _step(self, future: Future[Any], make: Callable[[], Any]) -> None:
        """Make one result; where an earlier one failed, its error is that of the later ones too."""
        opencv_seeded(self._seed)
        try:
            future.set_result(make())
        except BaseException as error:  # raised where the result is asked for
            future.set_exception(error)
