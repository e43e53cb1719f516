"""A camera as a file tells it, and the matrices that files write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.lenses.models import Lens
from dexman_pose.errors import InputError

MOST_NUMBERS = 1_000_000
"""More numbers than this are no camera's."""


@dataclass(frozen=True)
class FoundCamera:
    """One camera of a file.

    Attributes:
        K: (3, 3) pixels, (0, 0) the centre of the top-left pixel; without meaning where ``angle`` is given.
        size: (width, height) that K belongs to, or None where the file does not say.
        lens: model and coefficients, or None for a pinhole.
        name: what the file calls it, or "".
        angle: angle of view across in radians, where the file tells nothing else: square pixels, centred.
        crops: whether the device's wider pictures are cut out of the middle of this one's height.
    """

    K: Array
    size: tuple[int, int] | None = None
    lens: Lens | None = None
    name: str = ""
    angle: float | None = None
    crops: bool = False


def numbers(value: Any, what: str = "intrinsics") -> Array:
    """Numbers of a list, nested lists, an array, or a matrix as OpenCV writes it.

    Raises:
        InputError: no numbers, or complex ones.
    """
    if isinstance(value, Mapping) and "data" in value:
        value = value["data"]
    try:
        found = np.asarray(value)
        if found.size > MOST_NUMBERS or found.dtype.kind not in "iufUSO":
            raise TypeError("complex, true or false" if found.size <= MOST_NUMBERS else "too many")
        out = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"expected numbers for {what}, but got {short(value)}") from error
    return out


def number(value: Any, what: str) -> float:
    """One finite number.

    Raises:
        InputError: it is none.
    """
    found = numbers(value, what)
    if found.size != 1 or not np.isfinite(found).all():
        raise InputError(f"expected one number for {what}, but got {short(value)}")
    return float(found.ravel()[0])


def short(value: Any, most: int = 60) -> str:
    """A value as text that fits into a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= most else text[:most] + "..."


def of_four(fx: float, fy: float, cx: float, cy: float) -> Array:
    """K (3, 3) of focal lengths and principal point."""
    return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])


def matrix(value: Any) -> Array:
    """K (3, 3) of 3x3, 3x4, 4x4, nine numbers row by row or column by column, or fx, fy, cx, cy.

    A matrix is known by its zeros: [[fx, s, cx], [0, fy, cy], [0, 0, 1]] and its transpose have them in different
    places, so both are read right.

    Raises:
        InputError: none of these.
    """
    found = numbers(value)
    if found.size == 4 and max(found.shape) == 4:
        fx, fy, cx, cy = found.ravel().tolist()
        return of_four(fx, fy, cx, cy)
    if found.size in (12, 16):
        wide = found.reshape(-1, 4)
        last = np.r_[wide[:3, 3], wide[3:].ravel()] if found.size == 16 else wide[:, 3]
        if not np.array_equal(last, [0, 0, 0, 0, 0, 0, 1][: len(last)]):
            raise InputError(f"a matrix of {found.size} numbers must be K with a fourth column of zeros")
        found = wide[:3, :3]
    if found.size != 9:
        raise InputError(
            f"intrinsics must be 9 numbers (3x3) or fx, fy, cx, cy, but got {found.size} of shape {found.shape}"
        )
    k = found.reshape(3, 3)
    return np.array(k.T if _is_transposed(k) else k)


def _is_transposed(k: Array) -> bool:
    return bool(k[0, 2] == 0 and k[1, 2] == 0 and k[0, 1] == 0 and np.any(k[2, :2] != 0) and k[2, 2] == 1)
