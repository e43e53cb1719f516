"""Masks of callers: flags out of bytes, probabilities and pictures, or one line that says what they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.accept.pictures import check_size
from dexman_pose.data.numbers import plain
from dexman_pose.errors import InputError

_WHITE = 255
_HALF = 0.5
_NAMED = 4
"""Values that a message names at most."""


def as_mask(value: Any, size: tuple[int, int] | None = None, name: str = "mask") -> NDArray[np.bool_]:
    """A mask (H, W) bool.

    Flags are taken as they are; so are 0/1 and 0/255. Floats in 0..1 are probabilities and count from one half. One
    channel too many, before or behind, is dropped, and so are equal ones.

    Args:
        value: array, tensor, nested lists, or a picture of PIL.
        size: (height, width) that it must have, or None for any.
        name: what messages call it.

    Raises:
        InputError: another size, a label image, logits, or anything that is no mask.
    """
    if hasattr(value, "getbands") and value.mode == "1":
        value = np.asarray(value, dtype=np.bool_)
    array = _one_channel(plain(value, name), name)
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{name} must have shape (height, width), but got {np.shape(value)}")
    check_size(array.shape, size, name)
    return np.ascontiguousarray(array if array.dtype == np.bool_ else _flags(array, name))


def _one_channel(array: NDArray[Any], name: str) -> NDArray[Any]:
    if array.ndim != 3:
        return array
    if array.shape[0] == 1:
        return array[0]
    if array.shape[2] == 1:
        return array[..., 0]
    if array.shape[2] == 3:
        if (array == array[..., :1]).all():
            return array[..., 0]
        raise InputError(f"{name} is a picture in colours; give one mask per object, (height, width)")
    return array


def _flags(array: NDArray[Any], name: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = array > _HALF
    if (~found & (array != 0)).any() or (found & (array != 1)).any():
        high = array.max()
        if array.dtype.kind == "f" and array.min() >= 0 and _HALF < high <= 1:
            return np.asarray(array >= _HALF)
        white = array == _WHITE
        if not (white | (array == 0)).all():
            raise InputError(f"{name} {_reason(array)}")
        return white
    return found


def _reason(array: NDArray[Any]) -> str:
    """Why values are no mask, and what would make one of them."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return "holds values that are NaN or infinite; every pixel must be on or off"
    low, high = float(array.min()), float(array.max())
    if low < 0:
        return f"holds values from {low:g} to {high:g}; of logits or of -1 and 1 give values > 0"
    if high <= _HALF:
        return f"holds values up to {high:g} only, and none reaches one half; give values > 0 if any counts"
    values = np.unique(array)
    if len(values) <= _WHITE and (values == np.floor(values)).all():
        some = ", ".join(f"{v:g}" for v in values[:_NAMED]) + (", ..." if len(values) > _NAMED else "")
        return f"holds the values {some}: of a label image give image == label, of a soft mask image > {_WHITE // 2}"
    return (
        f"holds values from {low:g} to {high:g}; a mask is bool, 0 and 1, 0 and {_WHITE}, or floats in 0..1"
    )
