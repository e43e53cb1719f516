"""Pictures of a camera, a network stream or a file as they come: the newest one, never a queue of old ones."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.data.files import single_line
from dexman_pose.data.frames.colors import ColorConverter
from dexman_pose.data.frames.display import Orientation, orientation_of
from dexman_pose.data.frames.guard import damage_is_bad_input
from dexman_pose.data.frames.streams import pick_stream
from dexman_pose.data.numbers import described, number
from dexman_pose.errors import InputError, VideoError

Frame = NDArray[np.uint8]
LiveFrame = tuple[int, float, Frame]
"""(index, seconds since the first picture, (H, W, 3) RGB); pictures that were dropped are counted in the index."""

_URL = re.compile(r"(rtsps?|rtmp|https?|udp|tcp|srt)://", re.IGNORECASE)
_LOGIN = re.compile(r"//[^/@]*@")
_DEVICE = re.compile(r"/dev/video\d+")
_OPEN_TIMEOUT, _READ_TIMEOUT = 10.0, 5.0
"""Seconds that a network stream may take to open, and to give its next data."""
_CLOSING = 2.0
"""Seconds that closing waits for the reader beyond the time a read may take."""
_USUAL_RATE = 30.0

_PROMPT: dict[str, str] = {"fflags": "nobuffer", "flags": "low_delay"}
"""Of libavformat: nothing is held back to be put in order."""

_ADVICE = {
    "camera": "is the camera plugged in, free, and may you read it (group video)?",
    "stream": "does a player open this address, with user and password in it where it asks for them?",
    "file": "give a video that a player opens",
}


@dataclass(frozen=True)
class _Place:
    """What is read.

    Attributes:
        kind: where pictures come from; those of a file can wait.
        address: as libavformat takes it.
        label: the same without a password, for messages.
    """

    kind: Literal["camera", "stream", "file"]
    address: str
    label: str

    @classmethod
    def of(cls, source: str | int | PathLike[str]) -> _Place:
        """What a source given by a caller means."""
        if isinstance(source, bool) or not isinstance(source, (str, int, PathLike)):
            raise InputError(
                "a live source is the number of a camera, /dev/videoN, the address of a stream (rtsp://...) or the "
                f"path of a video, but got {described(source)}"
            )
        text = fspath(source) if isinstance(source, PathLike) else str(source).strip()
        if text.isdecimal():
            text = f"/dev/video{text}"
        if _DEVICE.fullmatch(text):
            return cls("camera", text, text)
        if _URL.match(text):
            return cls("stream", text, _LOGIN.sub("//", text))
        path = Path(text).expanduser()
        if not path.is_file():
            raise InputError(
                f"{path} is no file; give the path of a video, the number of a camera (0), or rtsp://..."
            )
        return cls("file", str(path), str(path))


class LiveSource:
    """The newest picture of a camera, a network stream or a file, read and decoded in a thread beside.

    One picture waits at most: a newer one takes its place, and :attr:`dropped` counts the old. So what is read is
    never older than one picture however long the last one was worked on. A file that is not ``paced`` waits for its
    reader instead, and nothing of it is dropped::

        with LiveSource("rtsp://camera.local/stream") as source:
            for index, seconds, image in source:
                ...

    Colours and orientation are those of :class:`~dexman_pose.data.Clip`.

    Args:
        source: ``"0"`` or 0, the number of a camera; ``"/dev/video0"``; the address of a stream, ``"rtsp://..."``;
            or the path of a video.
        fps: pictures per second: asked of a camera; taken for a file in place of its own times; None as they come.
        paced: a file's pictures come at their times, as from a camera.

    Raises:
        InputError: it is not there or cannot be opened, or an option does not fit it.
        MissingExtraError: PyAV is not installed.
    """

    def __init__(
        self, source: str | int | PathLike[str], fps: float | None = None, *, paced: bool = False
    ) -> None:
        place = _Place.of(source)
        if fps is not None:
            fps = number(fps, "fps", above=0.0)
        if fps is not None and place.kind == "stream":
            raise InputError(f"the rate of {place.label} is its sender's; leave fps out")
        if paced and place.kind != "file":
            raise InputError(f"{place.label} comes at its own pace; paced is for files")
        self._place, self._fps, self._paced = place, fps, paced
        self._container = _opened(place, fps)
        try:
            with self._guarded("holds no video"):
                self._stream = pick_stream(self._container, Path(place.label))
                self._set_up()
        except InputError:
            self._container.close()
            raise
        self._waiting: LiveFrame | None = None
        self._change = threading.Condition()
        self._stop = threading.Event()
        self._ended = False
        self._failure: InputError | None = None
        self._dropped, self._damaged = 0, 0
        self._thread = threading.Thread(target=self._run, name="dexman-live", daemon=True)
        self._thread.start()

    def __enter__(self) -> LiveSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[LiveFrame]:
        """Pictures until the source ends."""
        while (found := self.read()) is not None:
            yield found

    @property
    def dropped(self) -> int:
        """Pictures that a newer one took the place of before they were read."""
        return self._dropped

    @property
    def damaged(self) -> int:
        """Packets that could not be decoded, as at the beginning of a stream that was joined late."""
        return self._damaged

    def read(self, timeout: float = _OPEN_TIMEOUT) -> LiveFrame | None:
        """The newest picture that was not read yet, or the next one; None when the source has ended or is closed.

        Args:
            timeout: seconds to wait for one.

        Returns:
            (index, seconds since the first picture, (H, W, 3) RGB uint8). Seconds are a file's own, of a camera or
            stream those of arrival. Where the index grows by more than 1, pictures were dropped.

        Raises:
            InputError: no picture came in time, or the source broke down.
        """
        with self._change:
            if not self._change.wait_for(lambda: self._waiting is not None or self._ended, timeout):
                raise InputError(f"{self._place.label} gave no picture for {timeout:g} s; is it still there?")
            found, self._waiting = self._waiting, None
            self._change.notify_all()
            if found is None and self._failure is not None:
                raise self._failure
            return found

    def close(self) -> None:
        """Stop reading and let go of the source; may be called twice."""
        self._stop.set()
        with self._change:
            self._waiting = None
            self._ended = True
            self._change.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(_READ_TIMEOUT + _CLOSING)

    def _set_up(self) -> None:
        """Threads of the decoder: those that work on several pictures at once hold as many back."""
        context = self._stream.codec_context
        context.thread_type = "AUTO" if self._place.kind == "file" else "SLICE"
        rate = self._stream.average_rate or self._stream.guessed_rate
        self._rate = self._fps or float(rate or _USUAL_RATE)

    def _run(self) -> None:
        try:
            with self._guarded("gives no more pictures"):
                self._read_all()
        except InputError as error:
            self._failure = error
        finally:
            self._container.close()  # by its own thread: another one would pull it away from under a read
            with self._change:
                self._ended = True
                self._change.notify_all()

    def _guarded(self, complaint: str) -> Any:
        label = self._place.label.replace("{", "{{").replace("}", "}}")
        return damage_is_bad_input(Path(self._place.label), f"{label} {complaint}")

    def _read_all(self) -> None:
        converter, turned = ColorConverter(Path(self._place.label)), Orientation()
        clock = _Clock(self._stream.time_base if self._fps is None else None, self._rate)
        for index, picture in enumerate(self._pictures()):
            if self._stop.is_set():
                return
            if index == 0:
                turned = orientation_of(picture, Path(self._place.label))
            arrived = time.monotonic()
            seconds = (
                clock.of_file(index, picture) if self._place.kind == "file" else clock.since_first(arrived)
            )
            image = turned.upright(converter.rgb(picture))
            if self._paced and self._stop.wait(max(0.0, seconds - clock.since_first(time.monotonic()))):
                return
            self._hand_on((index, seconds, image))

    def _pictures(self) -> Iterator[Any]:
        """PyAV frames; what cannot be decoded is left out."""
        av = require("av", "video", "reading videos")
        for packet in self._container.demux(self._stream):
            if self._stop.is_set():
                return
            try:
                yield from self._stream.codec_context.decode(packet if packet.size else None)
            except av.error.EOFError:
                return
            except av.error.InvalidDataError:
                self._damaged += 1

    def _hand_on(self, found: LiveFrame) -> None:
        with self._change:
            if self._place.kind == "file" and not self._paced:
                self._change.wait_for(lambda: self._waiting is None or self._stop.is_set())
            if self._stop.is_set():
                return
            self._dropped += self._waiting is not None
            self._waiting = found
            self._change.notify_all()


class _Clock:
    """Seconds since the first picture, by a file's own times or by those of arrival.

    Args:
        unit: seconds of one step of a file's time stamps; None where they do not count.
        rate: pictures per second.
    """

    def __init__(self, unit: Fraction | None, rate: float) -> None:
        self._unit, self._rate = unit, rate
        self._first: int | None = None
        self._began: float | None = None
        self._last = -np.inf

    def since_first(self, now: float) -> float:
        """Seconds from the first call to ``now``."""
        if self._began is None:
            self._began = now
        return now - self._began

    def of_file(self, index: int, picture: Any) -> float:
        """The time that a file gives its picture; one period after the last where it gives none that increases."""
        seconds = index / self._rate
        if self._unit is not None and picture.pts is not None:  # pictures do not all know their own unit
            if self._first is None:
                self._first = int(picture.pts)
            seconds = float((picture.pts - self._first) * self._unit)
        if seconds <= self._last:
            seconds = self._last + 1.0 / self._rate
        self._last = seconds
        return seconds


def _opened(place: _Place, fps: float | None) -> Any:
    """The container of a place.

    Raises:
        InputError: it cannot be opened.
    """
    av = require("av", "video", "reading cameras and streams")
    options, kind = dict[str, str](), None
    if place.kind == "camera":
        if not sys.platform.startswith("linux"):
            raise InputError(f"cameras by number are read on Linux alone; on {sys.platform} give a stream")
        kind = "v4l2"
        options |= _PROMPT
        if fps is not None:
            options["framerate"] = f"{fps:g}"
    elif place.kind == "stream":
        options |= _PROMPT
        if place.address.lower().startswith("rtsp"):
            options["rtsp_transport"] = "tcp"  # by UDP, pictures with lost packets are grey or torn
    try:
        return av.open(
            place.address,
            format=kind,
            options=options,
            metadata_errors="replace",
            timeout=None if place.kind == "file" else (_OPEN_TIMEOUT, _READ_TIMEOUT),
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = single_line(str(getattr(error, "strerror", None) or type(error).__name__)).lower()
        raise VideoError(f"{place.label} cannot be opened ({reason}); {_ADVICE[place.kind]}") from error
