"""Depth images out of files: whole numbers, floats, and what HO3D spreads over two colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.files import one_line, read_arrays
from dexman_pose.datasets.ho3d import decode_depth
from dexman_pose.errors import InputError
from dexman_pose.given.exr import read_exr

SUFFIXES = (".png", ".tif", ".tiff", ".npy", ".npz", ".exr")
_FULL = 65535
_ENDLESS = 1e4
"""From here on a float stands for no surface, as renderers write it: 65504, 1e10."""


def read_depth_file(path: Path) -> tuple[NDArray[Any], bool]:
    """Depth (H, W) as stored, 0 where nothing was measured, and whether it is in metres by its coding.

    Raises:
        InputError: damaged, of 8 bits, or a picture drawn from depth.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        raw = load_npy(path)
    elif suffix == ".npz":
        raw = _only(path)
    elif suffix == ".exr":
        raw = read_exr(path)
    else:
        raw = _picture(path)
    if raw.ndim == 3 and raw.dtype == np.uint8 and raw.shape[2] in (3, 4):
        if raw[..., 2].any():
            raise InputError(
                f"{path} is a picture in colours: one drawn from depth has lost its numbers; give the depth itself"
            )
        return decode_depth(raw[..., :3]), True
    return checked(raw, str(path)), False


def checked(raw: NDArray[Any], where: str) -> NDArray[Any]:
    """(H, W) numbers with 0 for what is not finite, negative, or stands for no surface.

    Raises:
        InputError: another shape or type.
    """
    if raw.ndim == 3 and 1 in (raw.shape[0], raw.shape[2]):
        raw = raw[0] if raw.shape[0] == 1 else raw[..., 0]
    if raw.ndim != 2 or 0 in raw.shape:
        raise InputError(f"{where} must hold one depth value per pixel, but its shape is {raw.shape}")
    if raw.dtype.kind not in "uif" or raw.dtype.itemsize == 1:
        raise InputError(
            f"{where} must be a 16-bit image or an array of numbers, but its type is {raw.dtype}"
        )
    if raw.dtype.kind == "f":
        seen = np.isfinite(raw) & (raw > 0)
        # Where real values are millimetres, a room reaches the bound: only what is far above the rest is endless.
        endless = seen & (raw >= _ENDLESS)
        if endless.any() and not (endless & (raw < 5 * _ENDLESS)).any():
            seen &= ~endless
        return np.where(seen, raw, 0)
    return np.where((raw > 0) & (raw != _FULL), raw, 0)


def load_npy(path: Path) -> NDArray[Any]:
    """An npy file, mapped into memory.

    Raises:
        InputError: it cannot be read as an array.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read as an array of depth: {one_line(error)}") from error


def _only(path: Path) -> NDArray[Any]:
    arrays = read_arrays(path)
    if len(arrays) != 1 and "depth" not in arrays:
        raise InputError(
            f"{path} holds {', '.join(arrays) or 'nothing'}; depth must be the only array, or named depth"
        )
    return arrays["depth"] if "depth" in arrays else next(iter(arrays.values()))


def _picture(path: Path) -> NDArray[Any]:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return np.array(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a depth image: {one_line(error)}") from error
