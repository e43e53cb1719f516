"""Depth images of callers: metres, with 0 where nothing was measured; another unit is told, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.accept.pictures import check_size
from dexman_pose.data.numbers import plain
from dexman_pose.errors import InputError


@dataclass(frozen=True)
class DepthLimits:
    """What a depth image in metres looks like. Set by hand.

    Attributes:
        nearest: metres; an image all nearer than this is of no camera.
        farthest: metres; beyond it lies no thing that a hand holds.
        endless: metres; from here on a value stands for no surface, as renderers write it.
        share: share of the measured pixels that may be nearer, as noise.
    """

    nearest: float = 0.02
    farthest: float = 15.0
    endless: float = 1e4
    share: float = 0.01


_LIMITS = DepthLimits()


def as_depth(value: Any, size: tuple[int, int] | None = None, name: str = "depth") -> NDArray[np.float32]:
    """A depth image (H, W) float32 in metres; NaN, infinite and negative values become 0, not measured.

    Args:
        value: array, tensor or nested lists of metres.
        size: (height, width) that it must have, or None for any.
        name: what messages call it.

    Raises:
        InputError: another size, or values that are no metres: whole numbers of a sensor, millimetres.
    """
    array = plain(value, name)
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
        array = array[0] if array.shape[0] == 1 else array[..., 0]
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{name} must have shape (height, width), but got {np.shape(value)}")
    check_size(array.shape, size, name)
    if array.dtype.kind == "b":
        raise InputError(f"{name} holds flags, not metres; is it a mask?")
    with np.errstate(over="ignore"):
        metres = np.ascontiguousarray(array, dtype=np.float32)
    check_metres(metres, name)
    usable = np.isfinite(metres) & (metres >= 0)
    return metres if usable.all() else np.where(usable, metres, np.float32(0.0))


def check_metres(depth: NDArray[np.float32], name: str = "depth") -> None:
    """See that a depth image can be metres.

    Raises:
        InputError: everything is farther than a hand's things can be, or nearer than a camera sees.
    """
    measured = depth[np.isfinite(depth) & (depth > 0)]
    if len(measured) == 0:
        return
    surfaces = measured[measured < _LIMITS.endless]
    if len(surfaces) == 0:
        surfaces = measured
    place = min(int(_LIMITS.share * len(surfaces)), len(surfaces) - 1)
    near = float(np.partition(surfaces, place)[place])
    if near > _LIMITS.farthest:
        raise InputError(
            f"{name} must be in metres, but nothing in it is nearer than {near:g}: give {name} / 1000 where it is in "
            f"millimetres, {name} / 100 where it is in centimetres"
        )
    far = float(surfaces.max())
    if far < _LIMITS.nearest:
        raise InputError(
            f"{name} must be in metres, but nothing in it is farther than {far:g}: was it divided twice?"
        )
