"""Outlines of objects traced while hands are fitted to what they hold."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread

from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import RigidObject
from dexman_pose.threads import cores
from dexman_pose.viewer.outline import SceneOutlines
from dexman_pose.viewer.overlay import drawn_camera

_log = logging.getLogger(__name__)

MOST = 1000
"""Frames that are traced at most: curves of one take some ten kilobytes."""


class OutlinesAhead:
    """Outlines for the overlay, begun before the hands are known that are drawn with them.

    Args:
        objects: by name, as they will be drawn.
        camera: of the clip.
        num_frames: of the clip.
    """

    def __init__(self, objects: Mapping[str, RigidObject], camera: Camera, num_frames: int) -> None:
        self.outlines = SceneOutlines(objects, drawn_camera(camera))
        self._frames = range(min(num_frames, MOST))
        self._stop = Event()
        self._thread = Thread(target=self._work, name="outlines", daemon=True)

    @contextmanager
    def begun(self) -> Iterator[OutlinesAhead]:
        """Let the thread work inside the block; it stops at the end of it."""
        if cores() > 1:
            self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            if self._thread.ident is not None:
                self._thread.join()

    def _work(self) -> None:
        try:
            self.outlines.trace_ahead(index for index in self._frames if not self._stop.is_set())
        except Exception as error:  # it fails again, and is told, where it belongs
            _log.debug("not traced ahead: %s", error)
