"""Decoded colours are those that were stored, by analytic pictures: no shade darker, no chroma repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import known_colors as known
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Clip
from dexman_pose.data.frames.hdr import HLG, PQ
from dexman_pose.errors import VideoError

PlaneWriter = Callable[..., Path]
Array = NDArray[np.float64]
SIZE = (288, 208)


def _errors(path: Path, size: tuple[int, int]) -> Array:
    """Decoded minus true colours, two pixels from the border, where chroma has neighbours on both sides."""
    y, x = np.mgrid[: size[1], : size[0]].astype(float)
    error: Array = Clip.open(path).frame(0) - known.smooth_colors(x, y)
    return error[2:-2, 2:-2]


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize(
    ("matrix", "tag", "full"), [("601", 6, False), ("601", 5, True), ("709", 1, False), ("2020", 9, False)]
)
def test_tagged_colors_are_exact(
    write_planes: PlaneWriter, pixels: str, matrix: str, tag: int, full: bool
) -> None:
    planes = known.planes_of(known.smooth_colors, SIZE, pixels, matrix, full=full)
    error = _errors(write_planes("a.mp4", planes, pixels, matrix=tag, full=full), SIZE)
    assert abs(error.mean()) < 0.1 and abs(error.mean((0, 1))).max() < 0.15
    # 422 is stored here with chroma on every second column but taken as midway by libswscale
    assert error.std() < (0.95 if pixels == "yuv422p" else 0.75)
    assert np.abs(error).max() < (5 if pixels == "yuv422p" else 3)


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((704, 576), "601"),
        ((1280, 720), "709"),
        ((720, 1280), "709"),
        ((960, 720), "709"),
        ((1280, 536), "709"),
    ],
)
def test_untagged_colors_are_taken_as_players_do(
    write_planes: PlaneWriter, size: tuple[int, int], matrix: str
) -> None:
    planes = known.planes_of(known.smooth_colors, size, "yuv420p", matrix)
    error = _errors(write_planes("a.mp4", planes, "yuv420p", count=1), size)
    assert abs(error.mean()) < 0.1 and np.abs(error).max() < 3


def test_ten_bits_are_exact(write_planes: PlaneWriter) -> None:
    planes = known.planes_of(known.smooth_colors, SIZE, "yuv420p10le", "709", bits=10)
    error = _errors(write_planes("a.mp4", planes, "yuv420p10le", matrix=1), SIZE)
    assert abs(error.mean()) < 0.3 and np.abs(error).max() < 3


def test_motion_jpeg_is_full_range(write_planes: PlaneWriter) -> None:
    gray = [np.full((48, 64), v) for v in (200.0,)] + [np.full((24, 32), 128.0)] * 2
    path = write_planes("a.avi", gray, "yuvj420p", codec="mjpeg")
    assert np.abs(Clip.open(path).frame(0).astype(int) - 200).max() <= 1


def _srgb_light(codes: Array) -> Array:
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def _pq_codes(nits: Array) -> Array:
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = (nits / 10000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


def _hlg_codes(nits: Array) -> Array:
    light = nits / 1000
    luma = np.maximum(light @ [0.2627, 0.6780, 0.0593], 1e-9)
    scene = light * luma[..., None] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


BT2020_FROM_BT709 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def _patches(write_planes: PlaneWriter, transfer: int, srgb: Array, *, full: bool = False) -> Array:
    """Colours (N, 3) decoded from a video of patches that show sRGB colours (N, 3) with white at 203 cd/m2."""
    nits = 203.0 * _srgb_light(srgb / 255) @ BT2020_FROM_BT709.T
    codes = (_pq_codes if transfer == PQ else _hlg_codes)(nits)
    planes = known.ycbcr(np.repeat(codes[None], 32, 0), "2020", bits=10, full=full)
    luma = np.repeat(planes[0], 16, 1)
    chroma = [np.repeat(p[::2], 8, 1) for p in planes[1:]]
    path = write_planes("a.mp4", [luma, *chroma], "yuv420p10le", matrix=9, transfer=transfer, full=full)
    return Clip.open(path).frame(0)[16, 8::16].astype(float)


@pytest.mark.parametrize(("transfer", "full"), [(PQ, False), (HLG, False), (HLG, True)])
def test_high_dynamic_range_shows_display_colors(
    write_planes: PlaneWriter, caplog: pytest.LogCaptureFixture, transfer: int, full: bool
) -> None:
    shades = np.array(
        [[20, 20, 20], [128, 128, 128], [225, 225, 225], [200, 60, 40], [40, 180, 70], [50, 70, 200]]
    )
    with caplog.at_level(logging.WARNING):
        seen = _patches(write_planes, transfer, shades.astype(float), full=full)
    assert np.abs(seen - shades).max() <= 2.5
    assert [r.getMessage() for r in caplog.records if "HDR" in r.getMessage()], "the mapping must be told"


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_highlights_keep_their_order_and_hue(write_planes: PlaneWriter, transfer: int) -> None:
    bright = np.array([1.0, 1.3, 1.7, 2.0])[:, None] * [255.0, 204.0, 204.0]  # beyond white paper
    seen = _patches(write_planes, transfer, bright)
    assert (np.diff(seen[:, 0]) > 0).all() and 235 < seen[0, 0] < 250 and seen[-1, 0] <= 255
    light = _srgb_light(seen / 255)
    np.testing.assert_allclose(light[:, 1] / light[:, 0], _srgb_light(np.array(0.8)), atol=0.03)


class _Refused:
    class format:
        is_rgb, components = False, (1, 2, 3)

    colorspace, height, width = 8, 48, 64


def test_a_matrix_that_is_not_known_is_refused() -> None:
    from dexman_pose.data.frames.colors import matrix_of

    picture: Any = _Refused()
    with pytest.raises(VideoError, match="YCgCo, which is not read; convert it first") as caught:
        matrix_of(picture, Path("a.mp4"))
    assert "\n" not in str(caught.value)


def test_frames_do_not_share_the_decoders_memory(write_planes: PlaneWriter, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "raw.avi"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        for i in range(3):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 50 * i, np.uint8)).reformat(
                format="bgr0"
            )
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    frames = []
    for _, frame in Clip.open(path).frames():
        frames.append(int(frame[0, 0, 0]))
        frame[:] = 7
    assert frames == [0, 50, 100]
