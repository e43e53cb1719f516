"""Frames of a video file by index: forwards, backwards and at random, in constant memory."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.frames.colors import ColorConverter
from dexman_pose.data.frames.guard import damage_is_bad_input
from dexman_pose.data.video.index import VideoDecoder, build_index
from dexman_pose.errors import VideoError

Frame = NDArray[np.uint8]

REVERSE_BYTES = 64 << 20  # as RGB; decoded pictures kept at once when reading backwards, usually half of it
CONVERTERS = 2  # threads that turn decoded pictures into RGB, and frames they are ahead
CACHE_BYTES = 32 << 20  # decoded pictures kept for repeated access to single frames


class VideoSource:
    """Frames of one file by index; memory does not grow with the length of the video."""

    def __init__(self, path: Path, max_frames: int | None) -> None:
        self.path = path
        self.index = build_index(path, max_frames)
        self._cursor: tuple[VideoDecoder, Iterator[tuple[int, Any]], int] | None = None
        self._cache: OrderedDict[int, Frame] = OrderedDict()
        self._colors: ColorConverter | None = None
        self._one_at_a_time = threading.Lock()  # of those who ask for single frames

    def __getstate__(self) -> dict[str, Any]:
        """An open decoder cannot be sent to another process: it is opened there again."""
        own = {name: value for name, value in self.__dict__.items() if name != "_one_at_a_time"}
        return {**own, "_cursor": None, "_cache": OrderedDict(), "_colors": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._one_at_a_time = threading.Lock()

    @property
    def _frame_bytes(self) -> int:
        return 3 * self.index.width * self.index.height

    def forward(self, start: int, stop: int) -> Iterator[Frame]:
        """RGB frames start..stop-1 in order."""
        decoder = VideoDecoder(self.path)
        try:
            yield from self._converted(picture for _, picture in self._from(decoder, start, stop))
        finally:
            decoder.close()

    def _converted(self, pictures: Iterator[Any]) -> Iterator[Frame]:
        """RGB frames of pictures, in order, converted ahead beside the decoding: exact colours take as long as it."""
        colors = threading.local()

        def convert(picture: Any) -> Frame:
            if not hasattr(colors, "converter"):
                colors.converter = ColorConverter(self.path)
            return self._upright(colors.converter, picture)

        waiting: deque[Future[Frame]] = deque()
        failure: VideoError | None = None
        with ThreadPoolExecutor(CONVERTERS, "frames") as pool:
            try:
                for picture in pictures:
                    waiting.append(pool.submit(convert, picture))
                    if len(waiting) > CONVERTERS:
                        yield waiting.popleft().result()
            except VideoError as error:  # the frames before it are good
                failure = error
            while waiting:
                yield waiting.popleft().result()
        if failure is not None:
            raise failure

    def backward(self, start: int, stop: int) -> Iterator[Frame]:
        """RGB frames stop-1..start, in pieces that fit into memory and do not cross a key frame."""
        most = max(1, REVERSE_BYTES // self._frame_bytes)
        decoder, colors = VideoDecoder(self.path), ColorConverter(self.path)
        try:
            while stop > start:
                first = max(start, self._key_before(stop - 1), stop - most)
                piece = [picture for _, picture in self._from(decoder, first, stop)]
                while piece:
                    yield self._upright(colors, piece.pop())
                stop = first
        finally:
            decoder.close()

    def one(self, index: int) -> Frame:
        """One RGB frame, owned by the caller; several threads may ask."""
        with self._one_at_a_time:
            if index in self._cache:
                self._cache.move_to_end(index)
                return self._cache[index].copy()
            if self._colors is None:
                self._colors = ColorConverter(self.path)
            frame = self._upright(self._colors, self._decode_one(index))
            self._cache[index] = frame
            while len(self._cache) > max(1, CACHE_BYTES // self._frame_bytes):
                self._cache.popitem(last=False)
            return frame.copy()

    def _decode_one(self, index: int) -> Any:
        """Go on from the frame given last when nothing nearer can be jumped to, else seek."""
        if self._cursor is None or not self._key_before(index) <= self._cursor[2] <= index:
            if self._cursor is not None:
                self._cursor[0].close()
            decoder = VideoDecoder(self.path)
            self._cursor = (decoder, self._from(decoder, index, len(self.index.stamps)), index)
        decoder, pictures, _ = self._cursor
        for number, picture in pictures:
            if number == index:
                self._cursor = (decoder, pictures, index + 1)
                return picture
        raise VideoError(f"frame {index} of {self.path} can no longer be decoded; has the file changed?")

    def _key_before(self, index: int) -> int:
        return self.index.keys[bisect_right(self.index.keys, index) - 1]

    def _from(self, decoder: VideoDecoder, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        """(index, picture) of start..stop-1, decoding from the last key frame before ``start``."""
        at = start
        for key in self._starts(start):
            for number, picture in self._numbered(decoder, key):
                if number > at:
                    break  # landed behind the wanted frame: start earlier
                if number == at:
                    yield number, picture
                    at += 1
                    if at == stop:
                        return
            if at > start:
                break
        raise VideoError(f"frame {at} of {self.path} can no longer be decoded; has the file changed?")

    def _starts(self, index: int) -> list[int]:
        """Key frames to try, the nearest first; 0 stands for the beginning of the file."""
        if not self.index.seekable:
            return [0]
        at = bisect_right(self.index.keys, index) - 1
        return [k for k in self.index.keys[max(0, at - 1) : at + 1][::-1] if k > 0] + [0]

    def _numbered(self, decoder: VideoDecoder, key: int) -> Iterator[tuple[int, Any]]:
        """(index, picture) from a key frame on; pictures that are not in the index are left out."""
        if key == 0:
            decoder.rewind()
            yield from enumerate(decoder.pictures())
            return
        stamps: list[int] = self.index.stamps  # type: ignore[assignment]  # seekable: none is missing
        decoder.seek(stamps[key])
        for picture in decoder.pictures():
            at = bisect_right(stamps, picture.pts) - 1 if picture.pts is not None else -1
            if at >= 0 and stamps[at] == picture.pts:
                yield at, picture

    def _upright(self, colors: ColorConverter, picture: Any) -> Frame:
        with damage_is_bad_input(self.path, "{path} holds a frame that cannot be converted to RGB"):
            upright: Frame = self.index.orientation.upright(colors.rgb(picture))
        return upright
