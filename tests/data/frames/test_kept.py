"""Kept frames are those of the source, each decoded once, within a limit that holds whatever is read."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Clip
from dexman_pose.data.frames.kept import FrameStore, KeptFrames

SHAPE = (4, 6, 3)
BYTES = 4 * 6 * 3


class Counted:
    """Frames that show their number, and how often each was made."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def one(self, index: int) -> np.ndarray:
        self.made.append(index)
        return np.full(SHAPE, index, np.uint8)

    def forward(self, start: int, stop: int) -> Iterator[np.ndarray]:
        return (self.one(i) for i in range(start, stop))

    def backward(self, start: int, stop: int) -> Iterator[np.ndarray]:
        return (self.one(i) for i in range(stop - 1, start - 1, -1))


@pytest.fixture(params=["file", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path if request.param == "file" else None


def _numbers(frames: Iterator[np.ndarray]) -> list[int]:
    out = []
    for frame in frames:
        assert frame.shape == SHAPE and (frame == frame[0, 0, 0]).all()
        out.append(int(frame[0, 0, 0]))
        frame[:] = 255  # it belongs to the caller
    return out


def test_every_frame_is_made_once_whatever_the_order_of_reading(folder: Path | None) -> None:
    source = Counted()
    frames = KeptFrames(source, FrameStore(SHAPE, folder, 100 * BYTES))
    assert frames.one(4)[0, 0, 0] == 4
    assert _numbers(frames.forward(6, 9)) == [6, 7, 8]
    assert _numbers(frames.backward(5, 9)) == [8, 7, 6, 5]
    assert sorted(source.made) == [4, 5, 6, 7, 8]
    assert _numbers(frames.forward(4, 9)) == [4, 5, 6, 7, 8]
    assert _numbers(frames.backward(4, 9)) == [8, 7, 6, 5, 4]
    assert frames.one(8)[0, 0, 0] == 8 and len(source.made) == 5


def test_decoding_goes_through_kept_frames_instead_of_starting_again_behind_them(folder: Path | None) -> None:
    source = Counted()
    starts: list[tuple[int, int]] = []
    forward = source.forward
    source.forward = lambda a, b: starts.append((a, b)) or forward(a, b)  # type: ignore[method-assign, func-returns-value]
    frames = KeptFrames(source, FrameStore(SHAPE, folder, 100 * BYTES))
    for index in (0, 3, 5, 9):
        frames.one(index)
    assert _numbers(frames.forward(0, 10)) == list(range(10))
    assert starts == [(1, 9)]  # the first and the last are not made again


def test_frames_beyond_the_limit_are_made_again(folder: Path | None) -> None:
    source = Counted()
    frames = KeptFrames(source, FrameStore(SHAPE, folder, 3 * BYTES + 5))
    for _ in range(2):
        assert _numbers(frames.forward(0, 8)) == list(range(8))
        assert _numbers(frames.backward(0, 8)) == list(range(8))[::-1]
    assert [source.made.count(i) for i in range(8)] == [1] * 3 + [4] * 5


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    store = FrameStore(SHAPE, tmp_path, 10 * BYTES)
    store.put(0, np.zeros(SHAPE, np.uint8))
    assert list(tmp_path.iterdir()) == []
    store.close()
    assert 0 not in store and store.get(0) is None


def test_a_full_disk_ends_the_keeping_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """A file on a disk with room for two frames."""

        written = 0

        def seek(self, _: int) -> None: ...

        def write(self, view: memoryview) -> int:
            self.written += len(view)
            if self.written > 2 * BYTES:
                raise OSError("no space left")
            return len(view)

    store = FrameStore(SHAPE, tmp_path, 10 * BYTES)
    monkeypatch.setattr(store, "_file", Full())
    for index in range(5):
        store.put(index, np.zeros(SHAPE, np.uint8))
    assert [index in store for index in range(5)] == [True, True, False, False, False]


def test_a_folder_that_cannot_be_written_to_means_memory(tmp_path: Path) -> None:
    store = FrameStore(SHAPE, tmp_path / "missing", 2 * BYTES)
    store.put(7, np.full(SHAPE, 7, np.uint8))
    found = store.get(7)
    assert found is not None and (found == 7).all()


def test_two_readers_at_once_see_the_same_frames(folder: Path | None) -> None:
    frames = KeptFrames(Counted(), FrameStore(SHAPE, folder, 60 * BYTES))
    seen: list[list[int]] = []
    readers = [
        threading.Thread(target=lambda: seen.append(_numbers(frames.forward(0, 100)))) for _ in range(4)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(30)
    assert seen == [list(range(100))] * 4


def test_in_another_process_frames_come_from_the_source() -> None:
    frames = KeptFrames(Counted(), FrameStore(SHAPE, None, 10 * BYTES))
    frames.one(1)
    copy = pickle.loads(pickle.dumps(frames))
    assert _numbers(copy.forward(0, 3)) == [0, 1, 2] and copy.source.made[-3:] == [0, 1, 2]


def test_a_clip_keeps_its_frames_inside_the_block_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    for index in range(3):
        Image.fromarray(np.full(SHAPE, 40 * index, np.uint8)).save(tmp_path / f"{index}.png")
    clip = Clip.from_images(tmp_path)
    run = tmp_path / "run"
    run.mkdir()
    with clip.keeping(run):
        before = [frame for _, frame in clip.frames()]
        for path in tmp_path.glob("*.png"):
            path.write_bytes(b"")  # from now on there is nothing to decode
        assert all((a == b).all() for a, (_, b) in zip(before, clip.frames()))
        assert (clip.frame(2) == 80).all()
    with pytest.raises(Exception, match=r"\.png"):
        clip.frame(0)
