"""Frames that have been decoded once, kept raw for the next reader: a run reads its clip half a dozen times.

Decoding a picture and turning it into exact colours takes ten to twenty times as long as reading it back.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]

MEMORY_BYTES = 64 << 20
"""Most bytes of frames kept in memory, where there is no folder to keep them in."""
FILE_BYTES = 4 << 30
"""Most bytes of frames kept in a file: 2700 frames of 848x624. Frames beyond are decoded whenever they are read."""
FREE_SHARE = 0.25
"""Share of the free space of the folder's disk that the file may take."""


class Source(Protocol):
    """What a clip's frames come from."""

    def forward(self, start: int, stop: int) -> Iterator[Frame]: ...
    def backward(self, start: int, stop: int) -> Iterator[Frame]: ...
    def one(self, index: int) -> Frame: ...


class FrameStore:
    """Raw frames of one shape by index, in a file without a name or in memory, up to a limit; safe between threads.

    The file vanishes with the process, however that ends. A disk that is full ends the keeping, nothing else.

    Args:
        shape: height, width and channels of every frame.
        folder: where the file lies; None keeps the frames in memory.
        limit: most bytes; None for :data:`MEMORY_BYTES` or :data:`FILE_BYTES` and :data:`FREE_SHARE`.
    """

    def __init__(self, shape: tuple[int, ...], folder: Path | None, limit: int | None = None) -> None:
        self._shape, self._bytes = shape, int(np.prod(shape))
        self._slots: dict[int, int] = {}
        self._memory: list[Frame] = []
        self._lock = Lock()
        self._file = None if folder is None else _nameless_file(folder)
        if limit is None:
            limit = MEMORY_BYTES
            if self._file is not None and folder is not None:
                limit = min(FILE_BYTES, int(FREE_SHARE * shutil.disk_usage(folder).free))
        self._most = limit // max(self._bytes, 1)

    def __contains__(self, index: int) -> bool:
        return index in self._slots

    def get(self, index: int) -> Frame | None:
        """A copy of frame ``index``, or None where it is not kept."""
        with self._lock:
            slot = self._slots.get(index)
            if slot is None:
                return None
            if self._file is None:
                return self._memory[slot].copy()
            out = np.empty(self._shape, np.uint8)
            self._file.seek(slot * self._bytes)
            view, at = out.data.cast("B"), 0
            while at < self._bytes:
                read = self._file.readinto(view[at:])
                if not read:  # cut off by somebody: it is decoded again
                    return None
                at += read
            return out

    def put(self, index: int, frame: Frame) -> None:
        """Keep a copy of frame ``index`` while there is room."""
        with self._lock:
            slot = len(self._slots)
            if index in self._slots or slot >= self._most:
                return
            if self._file is None:
                self._memory.append(frame.copy())
            elif not self._written(slot, frame):
                return
            self._slots[index] = slot

    def _written(self, slot: int, frame: Frame) -> bool:
        """Whether the file holds the frame now."""
        assert self._file is not None
        view, at = np.ascontiguousarray(frame).data.cast("B"), 0
        try:
            self._file.seek(slot * self._bytes)
            while at < self._bytes:
                at += self._file.write(view[at:]) or 0
        except OSError:
            self._most = slot
            return False
        return True

    def close(self) -> None:
        """Forget all frames."""
        with self._lock:
            self._slots, self._memory, self._most = {}, [], 0
            if self._file is not None:
                self._file.close()


class KeptFrames:
    """Frames of a source, each taken from a store where it has it, else from the source and kept.

    Args:
        source: gives the frames.
        store: keeps them.
    """

    def __init__(self, source: Source, store: FrameStore) -> None:
        self.source = source
        self._store: FrameStore | None = store

    def __getstate__(self) -> dict[str, Any]:
        """A store is of this process: in another one frames come from the source."""
        return {"source": self.source, "_store": None}

    def one(self, index: int) -> Frame:
        """Frame ``index``."""
        found = self._found(index)
        return self._kept(index, self.source.one(index)) if found is None else found

    def forward(self, start: int, stop: int) -> Iterator[Frame]:
        """Frames start..stop-1; decoding begins at the first that is missing and goes on to the last, in one go."""
        for index in range(start, stop):
            found = self._found(index)
            if found is None:
                yield from self._decoded_forward(index, stop)
                return
            yield found

    def _decoded_forward(self, start: int, stop: int) -> Iterator[Frame]:
        last = max(i for i in range(start, stop) if not self._has(i))
        for index, frame in enumerate(self.source.forward(start, last + 1), start):
            yield self._kept(index, frame)
        yield from self.forward(last + 1, stop)

    def backward(self, start: int, stop: int) -> Iterator[Frame]:
        """Frames stop-1..start, likewise."""
        for index in range(stop - 1, start - 1, -1):
            found = self._found(index)
            if found is None:
                first = min(i for i in range(start, index + 1) if not self._has(i))
                for at, frame in zip(range(index, first - 1, -1), self.source.backward(first, index + 1)):
                    yield self._kept(at, frame)
                yield from self.backward(start, first)
                return
            yield found

    def _has(self, index: int) -> bool:
        return self._store is not None and index in self._store

    def _found(self, index: int) -> Frame | None:
        return None if self._store is None else self._store.get(index)

    def _kept(self, index: int, frame: Frame) -> Frame:
        if self._store is not None:
            self._store.put(index, frame)
        return frame


def _nameless_file(folder: Path) -> RawIOBase | None:
    """A file in a folder that nobody sees and that goes when it is closed; None where none can be made."""
    try:
        return cast(RawIOBase, tempfile.TemporaryFile(dir=folder, buffering=0))
    except OSError:
        return None
