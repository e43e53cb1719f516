"""Checks of what a renderer is given: poses, intrinsics, sizes, attribute names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.data.numbers import cast, count, described, number, plain
from dexman_pose.errors import InputError

ATTRIBUTES = ("depth", "face_id", "barycentric", "normal", "color")
"""What a rasteriser can be asked for; the mask always comes along."""


def as_array(value: Any, name: str) -> Array:
    """A float64 array of a numpy array, torch tensor (any device) or nested list; every value finite."""
    out = cast(plain(value, name), np.float64, name)
    if not np.isfinite(out).all():
        raise InputError(f"{name} holds NaN or infinity; leave out the frames that are not valid")
    return out


def poses(value: ArrayLike, name: str = "camera_from_object") -> Array:
    """Transforms (B, 4, 4) float64; a single (4, 4) becomes a batch of one."""
    out = as_array(value, name)
    if out.ndim == 2:
        out = out[None]
    if out.ndim != 3 or out.shape[1:] != (4, 4):
        raise InputError(f"{name} must have shape (4, 4) or (B, 4, 4), but got {out.shape}")
    if (np.abs(out[:, 3] - (0.0, 0.0, 0.0, 1.0)) > 1e-6).any():
        raise InputError(f"{name}: the last row of every transform must be 0 0 0 1")
    return out


def intrinsics(value: ArrayLike, batch: int) -> Array:
    """Camera matrices (B, 3, 3) float64, one per image, from (3, 3) or (B, 3, 3)."""
    out = as_array(value, "K")
    if out.shape == (3, 3):
        out = np.broadcast_to(out, (batch, 3, 3))
    if out.shape != (batch, 3, 3):
        raise InputError(
            f"K must have shape (3, 3) or ({batch}, 3, 3) for {batch} poses, but got {out.shape}"
        )
    held = out[:1] if out.strides[0] == 0 else out  # one matrix for all
    if not all(_is_pinhole(k) for k in held.tolist()):
        raise InputError(
            "K must be [[fx, skew, cx], [0, fy, cy], [0, 0, 1]] with positive focal lengths in pixels"
        )
    return out


def _is_pinhole(k: list[list[float]]) -> bool:
    """Whether a matrix is upper triangular with positive focal lengths; plain numbers are the quickest to compare."""
    (fx, _, _), (lower, fy, _), last = k
    return lower == 0.0 and last == [0.0, 0.0, 1.0] and fx > 0.0 and fy > 0.0


def image_size(width: int, height: int) -> tuple[int, int]:
    """The size as positive integers, small enough for 32-bit pixel indices."""
    try:
        width, height = count(width, "width", least=1), count(height, "height", least=1)
    except InputError as error:
        raise InputError(
            f"an image needs a positive whole size, but got width={described(width)}, height={described(height)}"
        ) from error
    if int(width) * int(height) >= 2**31:
        raise InputError(f"an image of {width}x{height} is too large: at most 2^31 pixels")
    return int(width), int(height)


def height_and_width(size: Any) -> tuple[int, int]:
    """A size (height, width) as whole positive numbers."""
    given = as_array(size, "size")
    if given.shape != (2,):
        raise InputError(f"size must be (height, width) in pixels, but got {described(size)}")
    width, height = image_size(given[1], given[0])
    return height, width


def attributes(names: Sequence[str]) -> frozenset[str]:
    """The names as a set, each one known."""
    if not isinstance(names, (str, list, tuple, set, frozenset)):
        raise InputError(f"attributes must be some of {', '.join(ATTRIBUTES)}, but got {described(names)}")
    given = (names,) if isinstance(names, str) else tuple(names)
    unknown = [n for n in given if not isinstance(n, str) or n not in ATTRIBUTES]
    if unknown:
        raise InputError(f"unknown attribute {described(unknown[0])}; there are: {', '.join(ATTRIBUTES)}")
    return frozenset(given)


def near_plane(near: float) -> float:
    """The near distance in metres, positive and finite."""
    try:
        return number(near, "near", above=0.0)
    except InputError as error:
        raise InputError(f"near must be a positive distance in metres, but got {described(near)}") from error
