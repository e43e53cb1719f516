"""Which of several video streams is the clip, and that it is told."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Clip
from dexman_pose.errors import VideoError

av = pytest.importorskip("av")

Spec = tuple[str, str, tuple[int, int], int]  # codec, pixel format, size, grey level


def _file(path: Path, *streams: Spec, default: int | None = None) -> Path:
    """A file of streams of five even pictures each."""
    with av.open(str(path), "w") as out:
        made = []
        for index, (codec, pixels, size, level) in enumerate(streams):
            stream: Any = out.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = *size, pixels
            if default is not None:
                stream.disposition = (
                    av.stream.Disposition.default if index == default else av.stream.Disposition(0)
                )
            made.append((stream, size, level))
        for _ in range(5):
            for stream, (width, height), level in made:
                picture = av.VideoFrame.from_ndarray(np.full((height, width, 3), level, np.uint8))
                out.mux(stream.encode(picture))
        for stream, *_ in made:
            out.mux(stream.encode())
    return path


SMALL = ("libx264", "yuv420p", (64, 48), 40)
LARGE = ("libx264", "yuv420p", (128, 96), 200)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("order", [(SMALL, LARGE), (LARGE, SMALL)])
def test_the_largest_stream_is_taken_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, order: tuple[Spec, Spec]
) -> None:
    with caplog.at_level(logging.WARNING):
        clip = Clip.open(_file(tmp_path / name, *order))
    assert (clip.width, clip.height) == (128, 96)
    assert all(abs(int(f.mean()) - 200) < 4 for _, f in clip.frames())
    told = [r.getMessage() for r in caplog.records]
    assert len(told) == 1 and "holds 2 video streams" in told[0] and "128x96, is used" in told[0]


def test_of_equal_ones_the_default_is_taken(tmp_path: Path) -> None:
    one, other = ("ffv1", "yuv420p", (64, 48), 40), ("ffv1", "yuv420p", (64, 48), 200)
    for default, level in ((0, 40), (1, 200)):
        clip = Clip.open(_file(tmp_path / f"{default}.mkv", one, other, default=default))
        assert abs(int(clip.frame(0).mean()) - level) < 3


def test_depth_is_not_taken_for_the_picture(tmp_path: Path) -> None:
    depth = ("ffv1", "gray16le", (256, 256), 3)
    clip = Clip.open(_file(tmp_path / "a.mkv", depth, SMALL))
    assert (clip.width, clip.height) == (64, 48)


def test_cover_art_is_no_clip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("aac", rate=16000, layout="mono")
        cover: Any = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 256, 256, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        clip: Any = out.add_stream("libx264", rate=10)
        clip.width, clip.height, clip.pix_fmt = 64, 48, "yuv420p"
        out.mux(cover.encode(av.VideoFrame.from_ndarray(np.full((256, 256, 3), 9, np.uint8))))
        out.mux(cover.encode())
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        samples.sample_rate = 16000
        out.mux(sound.encode(samples))
        for _ in range(5):
            out.mux(clip.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 200, np.uint8))))
        out.mux(clip.encode())
    with caplog.at_level(logging.WARNING):
        assert Clip.open(path).width == 64
    assert not caplog.records


def test_a_song_with_a_cover_is_no_clip(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("aac", rate=16000, layout="mono")
        cover: Any = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        out.mux(cover.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 9, np.uint8))))
        out.mux(cover.encode())
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        samples.sample_rate = 16000
        out.mux(sound.encode(samples))
        out.mux(sound.encode())
    with pytest.raises(VideoError, match="holds no video, only audio, cover art"):
        Clip.open(path)
