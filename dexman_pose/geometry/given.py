"""Arrays of callers of this room: float64 of the right shape, or one line that says what was given."""

from __future__ import annotations

from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError

_SHOWN = 60


def floats(value: Any, name: str, *tail: int) -> Array:
    """``value`` as float64 numbers (..., \\*tail); given back as it is where it is that already.

    Args:
        value: an array or nested lists of real numbers.
        name: what the message calls it.
        tail: lengths of the last axes.

    Raises:
        InputError: no real numbers, or other last axes.
    """
    if type(value) is not np.ndarray or value.dtype != np.float64:
        value = _converted(value, name)
    if tail and value.shape[-len(tail) :] != tail:
        wanted = ", ".join(map(str, ("...", *tail)))
        raise InputError(f"{name} must have shape ({wanted}), but got {value.shape}")
    found: Array = value
    return found


def _converted(value: Any, name: str) -> Array:
    try:
        given = np.asarray(value)
        if given.dtype.kind in "biuf":
            return given.astype(np.float64)
    except Exception as error:  # whatever a foreign type or a ragged list leads numpy to
        why = " ".join(str(error).split())[:_SHOWN]
        raise InputError(
            f"{name} must be an array of numbers, but got a {type(value).__name__}: {why}"
        ) from error
    raise InputError(
        f"{name} must be an array of real numbers, but got a {type(value).__name__} of {given.dtype}"
    )


def matching(first: tuple[int, ...], second: tuple[int, ...], names: str) -> tuple[int, ...]:
    """The common shape of two batches.

    Raises:
        InputError: they do not broadcast.
    """
    try:
        return np.broadcast_shapes(first, second)
    except ValueError as error:
        raise InputError(f"{names} must have batches of one shape, but got {first} and {second}") from error
