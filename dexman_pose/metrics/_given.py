"""What users hand to metrics, checked by kind: numbers, flags, masks; nothing is converted that changes its meaning.

numpy turns NaN into True, -1 into True, and a complex number into its real part; each of them has scored a track as
right that was wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.errors import InputError

_ON = (1, 255)  # what "on" may be in a mask of whole numbers


def real(value: ArrayLike, name: str) -> Array:
    """``value`` as float64; NaN and infinity pass, for they may stand in frames that are not valid.

    Raises:
        InputError: complex numbers, flags, text, objects, or rows of different length.
    """
    out = _array(value, name)
    if out.dtype.kind not in "fiu":
        raise InputError(f"{name} must be real numbers, but got {_kind(out)}")
    return out.astype(np.float64, copy=False)


def flags(value: ArrayLike, name: str, shape: tuple[int, ...] | None = None) -> Bools:
    """``value`` as flags: booleans and nothing else, of the shape where one is given.

    Raises:
        InputError: numbers (NaN would be True), or another shape.
    """
    out = _array(value, name)
    if (out.dtype != np.bool_ and out.size) or (shape is not None and out.shape != shape):
        wanted = "" if shape is None else f" of shape {shape}"
        raise InputError(f"{name} must be booleans{wanted}, but got {_kind(out)} of shape {out.shape}")
    return out.astype(np.bool_, copy=False)


def mask(image: ArrayLike, name: str) -> Bools:
    """A mask as booleans: given so, or as whole numbers that are all 0 or 1, or all 0 or 255.

    Raises:
        InputError: anything else: soft masks, logits, -1 and 1, labels, NaN.
    """
    out = _array(image, name)
    if out.dtype == np.bool_:
        return out
    if out.dtype.kind not in "iu":
        raise InputError(
            f"{name} must be booleans, but got {_kind(out)}; compare with a threshold, as mask > 0.5"
        )
    on = out != 0
    values = np.unique(out[on])
    if len(values) > 1 or (len(values) and int(values[0]) not in _ON):
        some = ", ".join(str(v) for v in values[:4].tolist())
        raise InputError(
            f"{name} must be booleans, or 0 and {_ON[0]} or {_ON[1]}, but holds {some}; labels: mask == label"
        )
    return on


def positive(value: float, name: str) -> float:
    """A positive, finite number.

    Raises:
        InputError: anything else.
    """
    out = real(value, name)
    if out.ndim or not np.isfinite(out) or out <= 0:
        raise InputError(f"{name} must be a positive number, but got {value!r:.80}")
    return float(out)


def _array(value: ArrayLike, name: str) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except (
        Exception
    ) as error:  # tensors on a GPU, tensors with gradients, ragged lists: each library has its own
        raise InputError(f"{name} must be an array: {' '.join(str(error).split())[:160]}") from error


def _kind(array: NDArray[Any]) -> str:
    names = {"c": "complex numbers", "b": "booleans", "U": "text", "S": "bytes", "O": "objects"}
    return names.get(array.dtype.kind, str(array.dtype))
