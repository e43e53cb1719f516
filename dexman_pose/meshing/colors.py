"""Colours as mesh files hold them: pictures of any kind, linear light, colours of face corners as a texture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array

Bytes = NDArray[np.uint8]

_TILE = (
    4  # pixels along a side of the tile of one face: its corners lie at centres of pixels, not at its edge
)


def rgb_array(image: Any) -> Bytes:
    """(H, W, 3) uint8 of a PIL image of any mode; transparency is dropped.

    Grey pictures of 16 bits are scaled: Pillow's own conversion clips them to white. Pictures of floats are shares of
    white from 0 to 1.
    """
    if image.mode.startswith("I") or image.mode == "F":
        values = np.array(image).astype(np.float64)
        white = 1.0 if image.mode == "F" else 255.0 if values.max(initial=0) <= 255 else 65535.0
        grey = np.rint(np.nan_to_num(values / white).clip(0.0, 1.0) * 255.0).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    # Not to be written to, it need not be copied by whoever keeps it.
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.uint8)


def encoded_light(linear: Any) -> Bytes:
    """Display bytes of linear light in 0 to 1, by the sRGB curve (IEC 61966-2-1)."""
    x = np.clip(np.asarray(linear, dtype=np.float64), 0.0, 1.0)
    curve = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-12) ** (1 / 2.4) - 0.055)
    return np.rint(255.0 * curve).astype(np.uint8)


def corner_tiles(corners: Bytes) -> tuple[Array, Bytes]:
    """A texture that gives every face the colours of its corners, linear between them; equal faces share a tile.

    Args:
        corners: (F, 3, 3) colours of the corners of the faces.

    Returns:
        Texture coordinates (F, 3, 2), (0, 0) at the bottom left, and the (H, W, 3) picture.
    """
    unique, which = np.unique(corners.reshape(len(corners), 9), axis=0, return_inverse=True)
    which = which.reshape(-1)
    a, b, c = (unique[:, None, None, 3 * i : 3 * i + 3].astype(np.float64) for i in range(3))
    steps = np.arange(_TILE) / (_TILE - 1)
    right, down = steps[None, None, :, None], steps[None, :, None, None]
    tiles = np.rint(a + right * (b - a) + down * (c - a)).clip(0, 255).astype(np.uint8)
    across = int(np.ceil(np.sqrt(len(tiles))))
    rows = -(-len(tiles) // across)
    tiles = np.concatenate([tiles, np.zeros((across * rows - len(tiles), _TILE, _TILE, 3), np.uint8)])
    sheet = (
        tiles.reshape(rows, across, _TILE, _TILE, 3).swapaxes(1, 2).reshape(rows * _TILE, across * _TILE, 3)
    )
    place = np.stack([which % across, which // across], -1)[:, None] * _TILE
    pixel = place + 0.5 + (_TILE - 1) * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return np.stack([pixel[..., 0] / sheet.shape[1], 1.0 - pixel[..., 1] / sheet.shape[0]], -1), sheet
