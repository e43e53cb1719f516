"""A mask from a picture file: black and white, ids, or an object cut out on a transparent ground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.frames.guard import damage_is_bad_input
from dexman_pose.errors import InputError

_HALF = 128
_NEAR_BLACK, _NEAR_WHITE = 8, 247
_SOFT_SHARE = 0.05  # of the pixels; more in between are ids or shades with a meaning, not the edge of a mask


def read_mask_picture(path: Path) -> NDArray[np.bool_]:
    """(H, W) bool, the pixels of an object in a mask picture, upright.

    With transparency that varies, the opaque part is the mask. Else every pixel that is not black; in a palette picture
    whose first colour is black, every pixel of another index; in a picture that is black and white but for a soft edge
    or the noise of JPEG, every pixel of at least half brightness.

    Raises:
        InputError: missing, damaged, or without a pixel of the object.
    """
    from PIL import Image, ImageOps

    with damage_is_bad_input(path, "cannot read the mask {path}", InputError), Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
        found = _mask_of(upright)
    if not found.any():
        raise InputError(f"the mask {path} is black everywhere; pixels of the object must not be 0")
    return found


def _mask_of(image: Any) -> NDArray[np.bool_]:
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
        if alpha.min() != alpha.max():
            return np.asarray(alpha >= _HALF)
        image = image.convert("RGB")
    if image.mode == "P" and image.getpalette()[:3] == [0, 0, 0]:
        return np.asarray(image) > 0
    if len(image.getbands()) == 1 and image.mode not in ("L", "P"):
        return np.asarray(image) != 0
    return _of_levels(np.asarray(image.convert("RGB")).max(-1))


def _of_levels(levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    between = (levels > _NEAR_BLACK) & (levels < _NEAR_WHITE)
    if levels.max() >= _NEAR_WHITE and between.mean() < _SOFT_SHARE:
        return np.asarray(levels >= _HALF)
    return np.asarray(levels > 0)
