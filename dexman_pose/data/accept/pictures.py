"""Pictures of callers: RGB bytes out of what other libraries hold pictures in."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.numbers import in_bytes, plain
from dexman_pose.errors import InputError


def as_picture(value: Any, size: tuple[int, int] | None = None, name: str = "image") -> NDArray[np.uint8]:
    """A picture (H, W, 3) uint8 RGB.

    Taken as they are: bytes. Scaled: floats in 0..1, and 16-bit numbers. Read: a path. Grey pictures are repeated,
    an alpha channel is dropped; channels may come first, as torch has them. The order of colours is RGB: that of
    OpenCV's ``imread``, BGR, looks the same to a program.

    Args:
        value: array, tensor, nested lists, a picture of PIL, or the path of a picture file.
        size: (height, width) that it must have, or None for any.
        name: what messages call it.

    Raises:
        InputError: no picture, another size, or values of no known scale.
    """
    if isinstance(value, (str, PathLike)):
        value = _read(Path(value), name)
    elif hasattr(value, "getbands"):
        value = _from_pil(value)
    array = _channels_last(plain(value, name), size)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or 0 in array.shape or array.shape[2] not in (1, 3, 4):
        raise InputError(f"{name} must have shape (height, width, 3), but got {np.shape(value)}")
    check_size(array.shape[:2], size, name)
    rgb = array if array.shape[2] == 3 else array[..., :3]
    if rgb.shape[2] == 1:
        rgb = np.repeat(rgb, 3, axis=2)
    return np.ascontiguousarray(rgb if rgb.dtype == np.uint8 else in_bytes(rgb, name))


def check_size(shape: tuple[int, ...], size: tuple[int, int] | None, name: str) -> None:
    """See that a picture has the size of its camera or clip, (height, width)."""
    if size is not None and tuple(shape) != tuple(size):
        hint = " (is it turned on its side?)" if tuple(shape) == tuple(size)[::-1] else ""
        raise InputError(
            f"{name} must have shape {tuple(size)}, as the camera's images of {size[1]}x{size[0]} pixels, but got "
            f"{tuple(shape)}{hint}; give intrinsics in pixels of this picture, or resize it"
        )


def _channels_last(array: NDArray[Any], size: tuple[int, int] | None) -> NDArray[Any]:
    """A (3, H, W) picture turned to (H, W, 3), where its shape leaves no doubt."""
    if array.ndim != 3 or array.shape[0] not in (1, 3, 4) or array.shape[2] in (1, 3, 4):
        return array
    if size is not None and array.shape[1:] != tuple(size):
        return array
    return np.moveaxis(array, 0, -1)


def _read(path: Path, name: str) -> Any:
    from PIL import Image, ImageOps

    try:
        with Image.open(path.expanduser()) as picture:
            return _from_pil(ImageOps.exif_transpose(picture))
    except InputError:
        raise
    except Exception as error:  # its readers raise whatever damaged bytes lead them to
        why = getattr(error, "strerror", None) or type(error).__name__
        raise InputError(f"{name}: {path} cannot be read as a picture: {why}") from error


def _from_pil(picture: Any) -> NDArray[Any]:
    """Pixels of a picture of PIL in RGB, or in the 16 bits or floats that it has."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        pixels = np.asarray(picture)
        return pixels.astype(np.uint16) if picture.mode.startswith("I;16") else pixels
    return np.asarray(picture.convert("RGB"))
