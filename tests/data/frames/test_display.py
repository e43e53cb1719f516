"""Display matrices: every quarter turn and mirror comes out as players show it."""

from __future__ import annotations

import logging
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Clip

av = pytest.importorskip("av")
W, H = 64, 48


def _stored() -> NDArray[np.uint8]:
    """Four corners of different brightness."""
    image = np.zeros((H, W, 3), np.uint8)
    for value, (rows, columns) in zip((40, 100, 160, 220), ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
        image[rows * H // 2 : (rows + 1) * H // 2, columns * W // 2 : (columns + 1) * W // 2] = value
    return image


def _video(path: Path, matrix: tuple[float, float, float, float]) -> Path:
    """An MP4 whose track header holds a display matrix (a, b, c, d)."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.options = W, H, "yuv420p", {"crf": "4"}
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(_stored())))
        out.mux(stream.encode())
    a, b, c, d = (round(v * 65536) for v in matrix)
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def _as_shown(matrix: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """The stored picture moved pixel by pixel by (x, y) -> (a x + c y, b x + d y), in plain words of the format."""
    a, b, c, d = (int(v) for v in matrix)
    y, x = np.mgrid[:H, :W]
    u, v = a * x + c * y, b * x + d * y
    u, v = u - u.min(), v - v.min()
    shown = np.zeros((v.max() + 1, u.max() + 1, 3), np.uint8)
    shown[v, u] = _stored()
    return shown


@pytest.mark.parametrize(
    "matrix",
    [
        (1, 0, 0, 1),
        (0, 1, -1, 0),
        (-1, 0, 0, -1),
        (0, -1, 1, 0),
        (-1, 0, 0, 1),
        (1, 0, 0, -1),
        (0, 1, 1, 0),
        (0, -1, -1, 0),
    ],
)
def test_every_turn_and_mirror(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, matrix: tuple[float, float, float, float]
) -> None:
    with caplog.at_level(logging.WARNING):
        clip = Clip.open(_video(tmp_path / "a.mp4", matrix))
    right = _as_shown(matrix)
    assert (clip.height, clip.width) == right.shape[:2]
    frame = clip.frame(1)
    assert frame.shape == right.shape and frame.flags.c_contiguous
    inner = (slice(4, 16), slice(4, 16))
    for view in (frame, frame[::-1], frame[:, ::-1], frame[::-1, ::-1]):
        assert view[inner].std() < 3
    assert np.abs(frame.astype(int) - right).mean() < 3
    assert not caplog.records


def test_an_odd_angle_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    c, s = np.cos(0.3), np.sin(0.3)
    with caplog.at_level(logging.WARNING):
        clip = Clip.open(_video(tmp_path / "a.mp4", (c, s, -s, c)))
    assert (clip.width, clip.height) == (W, H)
    assert "turned by no quarter turn" in caplog.text


def test_scaled_matrices_count_as_turns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        clip = Clip.open(_video(tmp_path / "a.mp4", (0, 2, -2, 0)))
    assert (clip.width, clip.height) == (H, W) and not caplog.records


def test_a_void_matrix_is_no_turn(tmp_path: Path) -> None:
    assert Clip.open(_video(tmp_path / "a.mp4", (0, 0, 0, 0))).width == W
