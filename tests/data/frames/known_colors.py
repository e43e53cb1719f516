"""Pictures whose stored samples are known exactly: YCbCr planes computed from smooth colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LUMA = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}
STEPS = {"yuv420p": (2, 2), "yuv422p": (2, 1), "yuv444p": (1, 1), "yuv420p10le": (2, 2)}


def smooth_colors(x: Array, y: Array) -> Array:
    """(..., 3) colours in 0..255 of pixel positions, without a step anywhere."""
    red = 128 + 90 * np.sin(x / 31) * np.cos(y / 47)
    green = 128 + 90 * np.sin(x / 53 + 1) * np.sin(y / 29)
    blue = 128 + 90 * np.cos(x / 41 - y / 37)
    return np.stack([red, green, blue], -1)


def ycbcr(rgb: Array, matrix: str, *, full: bool = False, bits: int = 8) -> list[Array]:
    """Y, Cb, Cr samples, not rounded, of colours in 0..1 (ITU-R BT.601, BT.709, BT.2020)."""
    kr, kb = LUMA[matrix]
    luma = kr * rgb[..., 0] + (1 - kr - kb) * rgb[..., 1] + kb * rgb[..., 2]
    chroma = [(rgb[..., 2] - luma) / (2 * (1 - kb)), (rgb[..., 0] - luma) / (2 * (1 - kr))]
    if full:
        top = 2.0**bits - 1
        return [luma * top, *(c * top + 2 ** (bits - 1) for c in chroma)]
    unit = 2.0 ** (bits - 8)
    return [unit * (16 + 219 * luma), *(unit * (128 + 224 * c) for c in chroma)]


def planes_of(
    colors: Callable[[Array, Array], Array], size: tuple[int, int], pixels: str, matrix: str, **options: Any
) -> list[Array]:
    """Planes of colours (in 0..255) of a picture, chroma on every second column, midway between two rows."""
    width, height = size
    sx, sy = STEPS[pixels]
    y, x = np.mgrid[:height, :width].astype(float)
    v, u = np.mgrid[: height // sy, : width // sx].astype(float)
    luma = ycbcr(colors(x, y) / 255, matrix, **options)[0]
    chroma = ycbcr(colors(u * sx, v * sy + (sy - 1) / 2) / 255, matrix, **options)[1:]
    return [luma, *chroma]
