"""What the region kernels ask of a pixel."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.region._layout import BINS, SECTORS, Picture

TURN = wp.constant(wp.float32(6.2831853))


@wp.func
def bin_at(picture: Picture, x: int, y: int) -> int:
    """Index of the colour of a pixel."""
    i = (y * picture.width + x) * 3
    r = int(picture.rgb[i]) >> 4
    g = int(picture.rgb[i + 1]) >> 4
    b = int(picture.rgb[i + 2]) >> 4
    return (r * BINS + g) * BINS + b


@wp.func
def sector_of(nx: wp.float32, ny: wp.float32) -> int:
    """Index of the colour model for a direction in the picture."""
    turn = wp.atan2(ny, nx) / TURN + wp.float32(1.0)
    return int(turn * wp.float32(SECTORS) + wp.float32(0.5)) % SECTORS


@wp.func
def is_seen(picture: Picture, x: int, y: int) -> bool:
    """Whether a pixel is one of the picture and nothing hides the object there."""
    if x < 1 or y < 1 or x >= picture.width - 1 or y >= picture.height - 1:
        return False
    return picture.hidden.shape[0] == 0 or picture.hidden[y * picture.width + x] == wp.uint8(0)
