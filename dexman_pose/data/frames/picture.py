"""A picture file as a frame: RGB, upright, 16 bits scaled to 8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.frames.guard import damage_is_bad_input
from dexman_pose.errors import VideoError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
"""Suffixes, in lower case, of the files that count as pictures."""

_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
_STEPS_16 = 257.0  # 65535 / 255
_ORIENTATION = 0x0112  # tag of EXIF
_TRANSPOSED = (5, 6, 7, 8)  # values of it that exchange width and height


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of a picture file, turned upright as its EXIF tag says.

    Grey, palette, CMYK and YCbCr pictures become RGB, 16-bit ones are divided by 257, transparency is left out, of the
    two pictures in a phone's MPO file the first is taken.

    Raises:
        VideoError: missing, damaged, animated, or with floating-point values beyond 0..1.
    """
    if not path.is_file():
        raise VideoError(f"no image file at {path}" + ("; it is a folder" if path.is_dir() else ""))
    from PIL import Image, ImageOps

    with damage_is_bad_input(path), Image.open(path) as image:
        _refuse_animation(image, path)
        upright = ImageOps.exif_transpose(image)
        if upright.mode in (*_SIXTEEN_BITS, "I", "F"):
            return np.repeat(_scaled(np.asarray(upright), path)[..., None], 3, axis=-1)
        return np.array(upright.convert("RGB"), dtype=np.uint8)


def picture_header(path: Path) -> tuple[tuple[int, int], str]:
    """Width and height, upright, and Pillow's mode of a picture, by its header alone.

    Raises:
        VideoError: missing, or no picture.
    """
    if not path.is_file():
        raise VideoError(f"no image file at {path}" + ("; it is a folder" if path.is_dir() else ""))
    from PIL import Image

    with damage_is_bad_input(path), Image.open(path) as image:
        turned = image.getexif().get(_ORIENTATION) in _TRANSPOSED
        return (image.size[::-1] if turned else image.size), str(image.mode)


def is_deep_gray(mode: str) -> bool:
    """Whether a picture of this mode has one channel of more than 8 bits, as depth images have."""
    return mode in (*_SIXTEEN_BITS, "I", "F")


def _refuse_animation(image: Any, path: Path) -> None:
    count = int(getattr(image, "n_frames", 1))
    if count > 1 and image.format != "MPO":
        raise VideoError(
            f"{path} holds {count} pictures; give it alone as the video, or write them to one file each"
        )


def _scaled(values: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    """Levels of 0..255 of a grey picture of 16 bits, or of floats in 0..1."""
    if values.dtype.kind == "f":
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise VideoError(f"{path} holds floating-point values beyond 0..1; write it with 8 or 16 bits")
        return np.rint(255.0 * values).astype(np.uint8)
    if values.min() < 0 or values.max() > 65535:
        raise VideoError(f"{path} holds values beyond 16 bits; write it with 8 or 16 bits")
    return np.rint(values / _STEPS_16).astype(np.uint8)
