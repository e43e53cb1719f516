"""Pictures of every kind as frames: the same colours, upright, 16 bits scaled; damage in one line."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.data import Clip
from dexman_pose.data.frames.picture import picture_header, read_picture
from dexman_pose.errors import InputError, VideoError

KINDS = ("png", "jpg", "tif", "webp", "bmp")


def _colors() -> NDArray[np.uint8]:
    """Six plain patches in two rows, (16, 24, 3)."""
    patches = np.array(
        [[[200, 30, 40], [20, 180, 60], [30, 50, 220]], [[250, 250, 250], [9, 9, 9], [90, 160, 40]]]
    )
    return np.kron(patches, np.ones((8, 8, 1))).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "mode", "slack"),
    [
        ("a.png", "RGB", 0),
        ("a.png", "RGBA", 0),
        ("a.png", "P", 0),
        ("a.bmp", "RGB", 0),
        ("a.tif", "CMYK", 1),
        ("a.webp", "RGBA", 40),
        ("a.jpg", "RGB", 12),
        ("a.jpg", "CMYK", 12),
    ],
)
def test_colors_are_kept(tmp_path: Path, name: str, mode: str, slack: int) -> None:
    palette = (
        Image.fromarray(_colors()).quantize(6) if mode == "P" else Image.fromarray(_colors()).convert(mode)
    )
    palette.save(tmp_path / name, **({"quality": 98, "subsampling": 0} if name == "a.jpg" else {}))
    read = read_picture(tmp_path / name)
    middles = (slice(4, None, 8), slice(4, None, 8))
    assert np.abs(read[middles].astype(int) - _colors()[middles]).max() <= slack


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_scaled(tmp_path: Path, name: str) -> None:
    levels = np.array([[0, 257, 300], [32768, 65407, 65535]], np.uint16)
    Image.fromarray(levels).save(tmp_path / name)
    expected = np.rint(levels / 257).astype(np.uint8)
    np.testing.assert_array_equal(read_picture(tmp_path / name), np.repeat(expected[..., None], 3, 2))


def test_sixteen_bit_colors_are_scaled(tmp_path: Path) -> None:
    import cv2

    colors = _colors().astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.png"), colors[..., ::-1])
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), _colors())


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_floats_are_shares(tmp_path: Path, value: float) -> None:
    Image.fromarray(np.full((4, 4), value, np.float32)).save(tmp_path / "a.tif")
    assert (read_picture(tmp_path / "a.tif") == round(255 * value)).all()
    Image.fromarray(np.full((4, 4), value + 2, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(VideoError, match=r"beyond 0\.\.1"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize("tag", range(1, 9))
def test_exif_turns_the_picture_upright(tmp_path: Path, tag: int) -> None:
    upright = _colors()
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[tag]
    exif = Image.Exif()
    exif[0x0112] = tag
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), upright)
    assert picture_header(tmp_path / "a.png") == ((24, 16), "RGB")


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.tif"])
def test_animations_are_told(tmp_path: Path, name: str) -> None:
    pages = [Image.fromarray(np.full((8, 8, 3), 20 * i, np.uint8)) for i in range(3)]
    pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
    with pytest.raises(VideoError, match=f"{name} holds 3 pictures; give it alone as the video"):
        Clip.from_images([tmp_path / name])


def _damaged(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        read_picture(path)
        picture_header(path)
    except InputError as error:
        assert "\n" not in str(error) and str(path) in str(error)


@settings(max_examples=150, deadline=None)
@given(at=st.floats(0, 1), value=st.integers(0, 255), cut=st.floats(0.02, 1), kind=st.sampled_from(KINDS))
def test_damage_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, at: float, value: int, cut: float, kind: str
) -> None:
    path = tmp_path_factory.mktemp("damaged") / f"a.{kind}"
    Image.fromarray(_colors()).save(path)
    data = bytearray(path.read_bytes())
    data[int(at * (len(data) - 1))] = value
    _damaged(path, bytes(data[: int(cut * len(data))]))


def test_a_header_that_promises_the_moon_is_one_line(tmp_path: Path) -> None:
    Image.fromarray(_colors()).save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[16:24] = (2**31 - 1).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(VideoError, match="cannot be read as an image") as caught:
        read_picture(tmp_path / "a.png")
    assert "\n" not in str(caught.value)
