"""Creases of a rendered shape to a fraction of a pixel: where the surfaces on either side of a fold meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage
from dexman_pose.pose.matching.options import CREASES, CreaseOptions

_BEFORE_LAST = 1.001
"""Pixels before the far border up to which a value has neighbours on both sides."""


@dataclass(frozen=True)
class CreasePlaces:
    """Where folds lie.

    Attributes:
        shift: (N,) pixels along the normal from the fold's pixel to its crease, 0 where it has none.
        inverse: (N,) 1 / metres of the surface there.
        found: (N,) bool, folds that are a crease between two nearly plane sides.
    """

    shift: Array
    inverse: Array
    found: NDArray[np.bool_]


def crease_places(
    inverse: FloatImage, pixels: NDArray[np.int64], normal: Array, options: CreaseOptions = CREASES
) -> CreasePlaces:
    """Where the surfaces on both sides of each fold meet.

    1 / z is affine in pixels on a plane: across a crease it runs along two lines, and these meet at the crease. Where
    one surface ends before another they do not meet at the step, and where a side is curved no line fits it.

    Args:
        inverse: (h, w) 1 / z, 0 where nothing was rendered.
        pixels: (N, 2) x, y of the folds.
        normal: (N, 2) unit directions across them.
        options: how far is looked, and what a crease is.
    """
    steps = np.arange(-options.far, options.far + 1, dtype=np.float64)
    profile = _along(inverse, pixels, normal, steps)
    before, after = steps <= -options.near, steps >= options.near
    level_a, slope_a, off_a = _line(steps[before], profile[:, before])
    level_b, slope_b, off_b = _line(steps[after], profile[:, after])
    bend = slope_b - slope_a
    bent = np.abs(bend) > options.flat * np.abs(level_a)
    safe = np.where(bent, bend, 1.0)
    shift = (level_a - level_b) / safe
    lines = np.where(
        steps < shift[:, None],
        level_a[:, None] + slope_a[:, None] * steps,
        level_b[:, None] + slope_b[:, None] * steps,
    )
    limit = options.tolerance * np.abs(safe)
    found = bent & (np.abs(shift) <= options.farthest) & (np.maximum(off_a, off_b) <= limit)
    found &= np.abs(profile - lines).max(1) <= limit
    here = profile[:, options.far]
    return CreasePlaces(np.where(found, shift, 0.0), np.where(found, level_a + slope_a * shift, here), found)


def _along(image: FloatImage, pixels: NDArray[np.int64], normal: Array, steps: Array) -> Array:
    """(N, S) bilinear values at steps along the normals: exactly affine where the image is."""
    h, w = image.shape
    x = np.clip(pixels[:, :1] + normal[:, :1] * steps, 0, w - _BEFORE_LAST)
    y = np.clip(pixels[:, 1:] + normal[:, 1:] * steps, 0, h - _BEFORE_LAST)
    left, top = x.astype(np.int64), y.astype(np.int64)
    fx, fy = x - left, y - top
    flat, at = image.reshape(-1), top * w + left
    upper = flat[at] * (1.0 - fx) + flat[at + 1] * fx
    lower = flat[at + w] * (1.0 - fx) + flat[at + w + 1] * fx
    out: Array = upper * (1.0 - fy) + lower * fy
    return out


def _line(steps: Array, values: Array) -> tuple[Array, Array, Array]:
    """Level at step 0, slope and greatest deviation (N,) of the least-squares line through values (N, S)."""
    middle = steps.mean()
    mean = values.mean(1)
    slope = (values - mean[:, None]) @ (steps - middle) / ((steps - middle) ** 2).sum()
    off = values - mean[:, None] - slope[:, None] * (steps - middle)
    return mean - slope * middle, slope, np.abs(off).max(1)
