"""Masks out of pictures, as segmenters and editors write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.data.frames.mask_picture import read_mask_picture
from dexman_pose.errors import InputError

TRUE = np.zeros((48, 64), np.bool_)
TRUE[10:30, 20:50] = True
GRAY = np.where(TRUE, 255, 0).astype(np.uint8)
PHOTO = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def _palette(colors: list[int]) -> Image.Image:
    image = Image.frombytes("P", TRUE.shape[::-1], TRUE.astype(np.uint8).tobytes())
    image.putpalette(colors)
    return image


PICTURES = {
    "black and white": Image.fromarray(GRAY),
    "one bit": Image.fromarray(TRUE),
    "0 and 1": Image.fromarray(TRUE.astype(np.uint8)),
    "an id": Image.fromarray(np.where(TRUE, 7, 0).astype(np.uint8)),
    "a 16-bit id": Image.fromarray(np.where(TRUE, 300, 0).astype(np.uint16)),
    "colours": Image.fromarray(np.where(TRUE[..., None], (0, 0, 90), (0, 0, 0)).astype(np.uint8)),
    "opaque": Image.fromarray(np.dstack([GRAY, GRAY, GRAY, np.full_like(GRAY, 255)])),
    "clear throughout": Image.fromarray(np.dstack([GRAY, GRAY, GRAY, np.zeros_like(GRAY)])),
    "cut out": Image.fromarray(np.dstack([PHOTO, GRAY])),
    "white with alpha": Image.fromarray(np.dstack([np.full_like(PHOTO, 255), GRAY])),
    "black with alpha": Image.fromarray(np.dstack([np.zeros_like(PHOTO), GRAY])),
    "grey with alpha": Image.fromarray(np.dstack([PHOTO[..., 0], GRAY])),
    "palette": _palette([0, 0, 0, 128, 0, 0]),
    "palette of two blacks": _palette([0, 0, 0, 0, 0, 0]),
    "palette that begins with white": _palette([255, 255, 255, 0, 0, 0]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_the_object(tmp_path: Path, name: str) -> None:
    PICTURES[name].save(tmp_path / "m.png")
    read = read_mask_picture(tmp_path / "m.png")
    expected = ~TRUE if name == "palette that begins with white" else TRUE
    assert read.dtype == np.bool_
    np.testing.assert_array_equal(read, expected)


def test_a_clear_colour_of_a_palette_is_background(tmp_path: Path) -> None:
    _palette([255, 255, 255, 200, 0, 0]).save(tmp_path / "m.png", transparency=0)
    np.testing.assert_array_equal(read_mask_picture(tmp_path / "m.png"), TRUE)


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_noise_of_jpeg_is_no_object(tmp_path: Path, quality: int) -> None:
    Image.fromarray(GRAY).save(tmp_path / "m.jpg", quality=quality)
    assert (read_mask_picture(tmp_path / "m.jpg") != TRUE).sum() <= 4


def test_a_soft_edge_ends_at_half(tmp_path: Path) -> None:
    x = np.arange(400.0)
    soft: NDArray[np.uint8] = np.rint(255 / (1 + np.exp(-(x - 200.3)))).astype(np.uint8)
    Image.fromarray(np.tile(soft, (40, 1))).save(tmp_path / "m.png")
    assert read_mask_picture(tmp_path / "m.png")[5].argmax() == 201  # sigmoid: half at 200.3


def test_a_turned_mask_is_made_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(GRAY))).save(tmp_path / "m.png", exif=exif)
    np.testing.assert_array_equal(read_mask_picture(tmp_path / "m.png"), TRUE)


def test_what_holds_no_object_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "m.png")
    with pytest.raises(InputError, match="black everywhere"):
        read_mask_picture(tmp_path / "m.png")
    (tmp_path / "m.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="cannot read the mask"):
        read_mask_picture(tmp_path / "m.png")
    with pytest.raises(InputError, match="cannot read the mask"):
        read_mask_picture(tmp_path)
