"""Values between the points of a grid."""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike

from dexman_pose.arrays import Array


def interpolated(values: Array, at: ArrayLike, mode: Literal["nearest", "constant"] = "nearest") -> Array:
    """Interpolate values of a grid linearly.

    Args:
        values: of a grid of D dimensions.
        at: (D, N) where, in cells; whole numbers are the grid's own points.
        mode: beyond the grid the nearest value, or 0.

    Returns:
        (N,) values.
    """
    from scipy.ndimage import map_coordinates  # a tenth of a second, which most runs can do without

    out: Array = map_coordinates(values, at, order=1, mode=mode)
    return out
