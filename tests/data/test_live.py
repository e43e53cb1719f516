from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Clip
from dexman_pose.data.live import LiveSource, _Place
from dexman_pose.errors import InputError

VideoMaker = Callable[..., Path]


def _readers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "dexman-live"]


def test_a_file_that_is_not_paced_gives_every_picture_with_the_colours_and_times_of_a_clip(
    make_video: VideoMaker,
) -> None:
    path = make_video(count=12, rotation=90)
    clip = Clip.open(path)
    with LiveSource(str(path)) as source:
        found = list(source)
    assert [index for index, _, _ in found] == list(range(12))
    assert np.allclose([seconds for _, seconds, _ in found], clip.frame_times)
    assert all((image == clip.frame(index)).all() for index, _, image in found)
    assert source.dropped == 0
    assert not _readers()


def test_a_slow_reader_gets_the_newest_picture_and_the_others_are_counted(make_video: VideoMaker) -> None:
    path = make_video(count=12)
    with LiveSource(path, fps=50.0, paced=True) as source:
        first = source.read()
        time.sleep(0.13)
        second = source.read()
        rest = list(source)
    assert first is not None and second is not None
    assert second[0] - first[0] >= 4  # 6 periods went by, less what a busy machine takes
    assert source.dropped >= second[0] - first[0] - 1
    indices = [first[0], second[0], *(index for index, _, _ in rest)]
    assert indices[-1] == 11 and indices == sorted(set(indices))
    assert source.dropped == 12 - len(indices)


def test_a_paced_file_takes_the_time_its_pictures_take(make_video: VideoMaker) -> None:
    path = make_video(count=6)
    began = time.monotonic()
    with LiveSource(path, fps=20.0, paced=True) as source:
        found = list(source)
    assert time.monotonic() - began >= 5 / 20.0
    assert found[-1][:2] == (5, pytest.approx(5 / 20.0))


def test_closing_in_the_middle_ends_the_reader_at_once(make_video: VideoMaker) -> None:
    source = LiveSource(make_video(count=40))
    assert source.read() is not None
    began = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - began < 1.0 and not _readers()
    assert source.read() is None


def test_waiting_for_a_picture_is_limited(make_video: VideoMaker) -> None:
    with LiveSource(make_video(count=5), fps=0.5, paced=True) as source:
        assert source.read() is not None
        with pytest.raises(InputError, match=r"no picture for 0\.05 s"):
            source.read(0.05)


def test_a_file_that_breaks_off_gives_what_it_holds(make_video: VideoMaker, tmp_path: Path) -> None:
    whole = make_video("whole.ts", count=40).read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole[: len(whole) // 2])
    with LiveSource(cut) as source:
        assert 1 <= len(list(source)) < 40


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("nowhere.mp4", {}, "nowhere.mp4 is no file"),
        ("97", {}, "/dev/video97 cannot be opened"),
        (97, {}, "/dev/video97 cannot be opened"),
        (1.5, {}, "a live source is the number of a camera"),
        ("0", {"paced": True}, "paced is for files"),
        ("rtsp://somewhere/a", {"fps": 25.0}, "is its sender's"),
        ("0", {"fps": 0.0}, "fps must be"),
    ],
)
def test_what_is_no_source_is_refused_in_one_line(
    source: str, options: dict[str, float], message: str
) -> None:
    with pytest.raises(InputError, match=message) as refused:
        LiveSource(source, **options)
    assert "\n" not in str(refused.value)


def test_a_file_without_pictures_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_bytes(b"no video at all" * 100)
    with pytest.raises(InputError, match="cannot be opened") as refused:
        LiveSource(path)
    assert "\n" not in str(refused.value) and not _readers()


def test_passwords_are_not_repeated_in_messages() -> None:
    place = _Place.of("rtsp://me:secret@camera.local:554/stream")
    assert "secret" in place.address
    assert place.label == "rtsp://camera.local:554/stream"
