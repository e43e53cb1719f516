"""Numbers of callers: plain arrays out of lists, tuples, tensors and pictures, or one line that says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.errors import InputError

_NUMBERS = "biuf"
_SHOWN = 60
"""Characters of a value that a message repeats at most."""

_WHITE = 255
_WHITE_16 = 65535
_EITHER = 16.0
"""Floats whose largest value lies between 1 and this may be shares of white that overshoot, or nearly black bytes."""
_ROUNDING = 1e-6


def described(value: Any) -> str:
    """What a value is, in a few words for a message: its type, its shape where it has one."""
    if value is None or isinstance(value, (bool, int, float, complex)):
        return _shortened(repr(value))
    if isinstance(value, str):
        return _shortened(repr(value))
    shape, kind = getattr(value, "shape", None), type(value).__name__
    if isinstance(shape, tuple) and hasattr(value, "dtype"):
        return f"a {kind} of shape {tuple(shape)} and type {value.dtype}"
    if isinstance(value, (list, tuple)):
        return f"a {kind} of length {len(value)}"
    return f"a {kind}"


def plain(value: Any, name: str) -> NDArray[Any]:
    """``value`` as an array of real numbers or flags, whatever holds them; not copied where it is one.

    Args:
        value: an array, a tensor on any device, nested lists or tuples, a picture of PIL, one number.
        name: what the message calls it.

    Raises:
        InputError: none of these, rows of different lengths, text, objects, complex numbers, masked-out values.
    """
    array = value if type(value) is np.ndarray else _array_of(value, name)
    kind = array.dtype.kind
    if kind in _NUMBERS:
        return array
    if kind == "c":
        raise InputError(f"{name} holds complex numbers; give real ones, for example {name}.real")
    raise InputError(f"{name} must be an array of numbers, but got {described(value)}")


def _array_of(value: Any, name: str) -> NDArray[Any]:
    if value is None or isinstance(value, (str, bytes, dict, set, frozenset)):
        raise InputError(f"{name} must be an array of numbers, but got {described(value)}")
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        raise InputError(f"{name} is an array with masked-out values; fill them first: {name}.filled(...)")
    try:
        return np.asarray(_off_device(value))
    except Exception as error:  # whatever a foreign type or a ragged list leads numpy to
        why = _shortened(" ".join(str(error).split()))
        raise InputError(f"{name} must be an array of numbers, but got {described(value)}: {why}") from error


def _off_device(value: Any) -> Any:
    """A tensor as an array: detached, on the CPU, in a type that numpy has; lists of tensors likewise."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        found = value.detach().cpu()
        if "bfloat16" in str(found.dtype):
            found = found.float()
        return found.numpy()
    if isinstance(value, (list, tuple)) and any(hasattr(v, "detach") for v in value):
        return [_off_device(v) for v in value]
    return value


def cast(array: NDArray[Any], dtype: Any, name: str) -> NDArray[Any]:
    """An array of numbers in another type, never with another meaning.

    Flags come from flags, or from 0 and 1; whole numbers from whole numbers within the range of the type.

    Raises:
        InputError: a value that the type cannot hold.
    """
    target = np.dtype(dtype)
    if array.dtype == target:
        return np.ascontiguousarray(array).reshape(array.shape)
    if target.kind == "b":
        wrong = (array != 0) & (array != 1)
        if wrong.any():
            raise InputError(
                f"{name} must be flags (bool, or 0 and 1), but holds {_example(array, wrong)}; "
                "compare first, for example values > 0.5"
            )
    elif target.kind in "iu" and not (array.dtype.kind == "b" or np.can_cast(array.dtype, target)):
        limits = np.iinfo(target)
        wrong = ~((array >= limits.min) & (array <= limits.max))
        if array.dtype.kind == "f":
            wrong |= ~(np.floor(array) == array)
        if wrong.any():
            raise InputError(
                f"{name} must hold whole numbers from {limits.min} to {limits.max}, "
                f"but holds {_example(array, wrong)}"
            )
    with np.errstate(over="ignore"):  # what becomes infinite is told by the check for finite values
        return np.ascontiguousarray(array, dtype=target).reshape(array.shape)


def in_bytes(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Colours as bytes: floats in 0..1 and 16-bit numbers are scaled, whole numbers in 0..255 kept.

    Raises:
        InputError: flags, NaN, negative or other values that none of these explains.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind == "b":
        raise InputError(f"{name} holds flags, not colours; give RGB values in 0..255 or 0..1")
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(f"{name} holds values that are NaN or infinite; every colour must be finite")
    if values.dtype.kind == "f" and low >= -_ROUNDING and high <= 1.0 + _ROUNDING:
        return np.rint(values.clip(0.0, 1.0).astype(np.float64) * _WHITE).astype(np.uint8)
    whole = values.dtype.kind in "iu" or high > _EITHER or bool((values == np.rint(values)).all())
    if low >= 0 and high <= _WHITE and whole:
        return np.rint(values).astype(np.uint8)
    if low >= 0 and values.dtype == np.uint16:
        return np.rint(values * (_WHITE / _WHITE_16)).astype(np.uint8)
    raise InputError(
        f"{name} holds values from {low:g} to {high:g}; give RGB values in 0..255 or in 0..1"
        + (", before a network's mean and deviation are taken off" if low < 0 else "")
    )


def number(value: Any, name: str, *, above: float | None = None, least: float | None = None) -> float:
    """One finite number.

    Args:
        value: a Python or numpy number, or an array or tensor of exactly one.
        name: what the message calls it.
        above: the number must be larger.
        least: the number must not be smaller.
    """
    array = plain(value, name)
    if array.size != 1 or array.dtype.kind == "b":
        raise InputError(f"{name} must be one number, but got {described(value)}")
    out = float(array.reshape(-1)[0])
    if not np.isfinite(out):
        raise InputError(f"{name} must be {_bound(above, least)}, but got {out}")
    if (above is not None and not out > above) or (least is not None and out < least):
        raise InputError(f"{name} must be {_bound(above, least)}, but got {out:g}")
    return out


def _bound(above: float | None, least: float | None) -> str:
    if above is not None:
        return "positive" if above == 0 else f"above {above:g}"
    return "a finite number" if least is None else f"at least {least:g}"


def count(value: Any, name: str, *, least: int = 0) -> int:
    """One whole number that is not smaller than ``least``."""
    out = number(value, name)
    if out != int(out):
        raise InputError(f"{name} must be a whole number, but got {out:g}")
    if out < least:
        raise InputError(f"{name} must be at least {least}, but got {out:g}")
    return int(out)


def word(value: Any, name: str, choices: Sequence[str]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}, but got {_shown(value)}")
    return value


def text(value: Any, name: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name} must be a text that is not empty, but got {_shown(value)}")
    return value


def flag(value: Any, name: str) -> bool:
    """True or False, or their whole numbers."""
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise InputError(f"{name} must be True or False, but got {_shown(value)}")


def instance(value: Any, kind: type[Any], name: str, how: str) -> None:
    """See that a value is of a class of this package; ``how`` says where one comes from."""
    if not isinstance(value, kind):
        raise InputError(f"{name} must be a {kind.__name__}, but got {described(value)}; {how}")


def _shown(value: Any) -> str:
    return _shortened(repr(value)) if isinstance(value, str) else described(value)


def _example(array: NDArray[Any], wrong: NDArray[np.bool_]) -> str:
    return f"{array[wrong].reshape(-1)[0]:g}"


def _shortened(written: str) -> str:
    written = " ".join(written.split())
    return written if len(written) <= _SHOWN else written[: _SHOWN - 3] + "..."
