"""Writing videos: frame count, times, sizes, no half files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data.video.writer import write_video
from dexman_pose.errors import InputError


def frames(count: int, height: int = 48, width: int = 64) -> Iterator[NDArray[np.uint8]]:
    for i in range(count):
        yield np.full((height, width, 3), 10 * i % 256, np.uint8)


def test_round_trip_with_uneven_times(tmp_path: Path) -> None:
    times = np.array([0.0, 0.04, 0.08, 0.5, 0.54, 1.0])
    path = write_video(tmp_path / "v.mp4", frames(6), frame_times=times)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        decoded = list(container.decode(video=0))
    found = np.array([f.time for f in decoded])
    np.testing.assert_allclose(found - found[0], times, atol=1e-4)
    levels = [float(f.to_ndarray(format="rgb24").mean()) for f in decoded]
    np.testing.assert_allclose(levels, 10.0 * np.arange(6), atol=3)


def test_odd_sizes_are_padded(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", frames(3, 47, 63), frame_times=np.arange(3) / 30)
    with av.open(str(path)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (64, 48)


def test_frames_are_taken_one_at_a_time(tmp_path: Path) -> None:
    taken = []

    def watched() -> Iterator[NDArray[np.uint8]]:
        for image in frames(4):
            taken.append(len(list(tmp_path.glob("v.mp4"))))
            yield image

    write_video(tmp_path / "v.mp4", watched(), frame_times=np.arange(4) / 30)
    assert taken == [0, 0, 0, 0]  # the name exists only at the end
    assert [p.name for p in tmp_path.iterdir()] == ["v.mp4"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", frames(2), frame_times=np.arange(2) / 30)
    before = path.read_bytes()

    def broken() -> Iterator[NDArray[np.uint8]]:
        yield from frames(2)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_video(path, broken(), frame_times=np.arange(9) / 30)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one frame"):
        write_video(tmp_path / "v.mp4", frames(0), frame_times=[])
    with pytest.raises(InputError, match="more frames"):
        write_video(tmp_path / "v.mp4", frames(3), frame_times=[0.0, 0.1])
    mixed = [next(frames(1)), next(frames(1, 32, 32))]
    with pytest.raises(InputError, match="every frame must be"):
        write_video(tmp_path / "v.mp4", mixed, frame_times=[0.0, 0.1])
    assert list(tmp_path.iterdir()) == []
