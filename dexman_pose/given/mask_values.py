"""What the values of a mask picture or array say: on and off, or labels; or one line that refuses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data.files import one_line
from dexman_pose.errors import InputError
from dexman_pose.imaging.resize import resize_picture


@dataclass(frozen=True)
class ValueOptions:
    """How values are told apart. Set by hand.

    Attributes:
        half: share from which a soft mask counts as on.
        off: byte up to which a lossy picture is off, without doubt; from its mirror image on it is on.
        unsure: share of pixels between the two that a lossy picture may have at its edges.
        labels: most different labels of one picture.
    """

    half: float = 0.5
    off: int = 64
    unsure: float = 0.1
    labels: int = 254


VALUES = ValueOptions()
WHITE = 255
WHITE_16 = 65535
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif")
LOSSY = (".jpg", ".jpeg", ".webp")
SINGLE = ""
"""Key of a mask that is no label: on or off."""

Parts = dict[str, Mask]
"""Masks of one frame by label, or one by :data:`SINGLE`; empty where all is 0, for then nothing says what it is."""


def parts_of(array: Any, where: str, *, lossy: bool = False, options: ValueOptions = VALUES) -> Parts:
    """Masks (H, W) that one array holds: its labels, or what is on in it.

    Args:
        array: bool, 0/1, 0/255, 0/65535, shares in 0..1, or labels; (H, W), with one channel before or behind it, or a
            picture in grey or colours.
        where: what messages call it.
        lossy: whether values are inexact, as JPEG makes them.
        options: thresholds.

    Raises:
        InputError: values below 0, that are not finite, or that are neither shares nor labels; colours.
    """
    flat = _one_channel(np.asarray(array), where)
    if flat.dtype.kind == "b":
        return {SINGLE: flat}
    if flat.dtype.kind not in "uif":
        raise InputError(f"{where} must hold numbers, but its type is {flat.dtype}")
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        raise InputError(
            f"{where} holds values that are NaN or infinite; every pixel must be on, off, or a label"
        )
    low, high = float(flat.min()), float(flat.max())
    if low < 0:
        raise InputError(
            f"{where} holds values from {low:g} to {high:g}: of logits, or of -1 and 1, give the mask values > 0"
        )
    if lossy:
        return {SINGLE: _thresholded(flat, where, options)}
    if flat.dtype.kind == "f" and high <= 1.0:
        return {SINGLE: _soft(flat, where, options)}
    return _labels(flat, where, options)


def _soft(flat: NDArray[Any], where: str, options: ValueOptions) -> Mask:
    if 0 < flat.max() <= options.half and len(np.unique(flat)) == 2:
        raise InputError(
            f"{where} holds 0 and {float(flat.max()):g} alone: one of them must be above one half; give values > 0"
        )
    return np.asarray(flat >= options.half)


def _thresholded(flat: NDArray[Any], where: str, options: ValueOptions) -> Mask:
    """On and off of a picture whose values are inexact."""
    between = float(np.mean((flat > options.off) & (flat < WHITE - options.off)))
    if between > options.unsure or 0 < flat.max() <= options.off // 2:
        raise InputError(
            f"{where}: compression has changed its values, so labels cannot be told in it; write PNG, or 0 and {WHITE}"
        )
    return np.asarray(flat > WHITE // 2)


def _labels(flat: NDArray[Any], where: str, options: ValueOptions) -> Parts:
    values = np.unique(flat)
    if (values != np.floor(values)).any():
        raise InputError(
            f"{where} holds the values {_some(values)}: labels are whole numbers, shares lie in 0..1, and a mask is "
            f"0 and 1 or 0 and {WHITE}"
        )
    on = values[values > 0]
    if len(on) == 1 and on[0] == WHITE_16:
        return {str(WHITE): flat > 0}
    if len(on) > options.labels:
        raise InputError(
            f"{where} holds {len(on)} different values, which no label image has; is it a depth image?"
        )
    return {str(int(v)): np.asarray(flat == v) for v in on}


def _one_channel(array: NDArray[Any], where: str) -> NDArray[Any]:
    """The one channel that says what is on: alpha where it varies, grey, or colours as numbers."""
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 4 and array.shape[:2] == (1, 1):
        array = array[0, 0]
    if array.ndim == 3 and array.shape[2] in (2, 4) and array.shape[0] > 1:
        alpha = array[..., -1]
        if alpha.min() != alpha.max():
            return alpha
        array = array[..., :-1]
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim == 3 and array.shape[2] == 3:
        if (array == array[..., :1]).all():
            return array[..., 0]
        return _color_numbers(array, where)
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{where} must be a mask of shape (height, width), but its shape is {array.shape}")
    return array


def _color_numbers(array: NDArray[Any], where: str) -> NDArray[Any]:
    """A label image in colours: each colour is the number 0xRRGGBB, black is none."""
    if array.dtype != np.uint8:
        raise InputError(f"{where} is a picture in colours of type {array.dtype}; give one mask per object")
    wide = array.astype(np.int64)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


def _some(values: NDArray[Any], count: int = 4) -> str:
    return ", ".join(f"{v:g}" for v in values[:count]) + (", ..." if len(values) > count else "")


def read_picture(path: Path) -> Parts:
    """Masks of a picture file: labels by their numbers (of a palette, its indices), or what is on.

    Raises:
        InputError: damaged, or no mask; the message names the file.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            lossy = picture.format in ("JPEG", "MPO") or path.suffix.lower() in LOSSY
            pixels = _pixels(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a mask: {one_line(error)}") from error
    if lossy and pixels.ndim == 3:
        lossy = False if _exact_alpha(pixels) else lossy
        pixels = pixels if not lossy else pixels[..., :3].mean(-1)
    return parts_of(pixels, str(path), lossy=lossy)


def _exact_alpha(pixels: NDArray[Any]) -> bool:
    return pixels.shape[2] == 4 and bool(pixels[..., 3].min() != pixels[..., 3].max())


def _pixels(picture: Any) -> NDArray[Any]:
    """Values as stored; of a black and white palette its colours, for its indices may be the wrong way round."""
    if picture.mode != "P":
        return np.asarray(picture)
    indices = np.asarray(picture)
    palette = np.array(picture.getpalette("RGB") or [], np.int64).reshape(-1, 3)
    used = np.unique(indices)
    if "transparency" in picture.info and len(used) > 1:
        rgba = np.asarray(picture.convert("RGBA"))
        return rgba if rgba[..., 3].min() != rgba[..., 3].max() else indices
    if len(palette) > used.max(initial=0):
        shown = palette[used]
        if np.isin(shown, (0, WHITE)).all() and (shown == shown[:, :1]).all():
            return np.asarray(palette[indices][..., 0], np.uint8)
    return indices


def resized_mask(mask: Mask, height: int, width: int, where: str) -> Mask:
    """A mask at the size of the frames: as it is, or enlarged or reduced by one factor for both sides.

    Raises:
        InputError: another shape of picture.
    """
    h, w = mask.shape
    if (h, w) == (height, width):
        return mask
    if h * width != w * height:
        raise InputError(
            f"{where} is {w}x{h}, but the frames are {width}x{height}: another shape, so it was cropped, padded or "
            "squeezed; give masks at the size of the frames"
        )
    share = resize_picture(mask.astype(np.float32), (width, height))
    return np.asarray(share > VALUES.half)
