"""Corners of the object followed from one picture to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage, Gray
from dexman_pose.pose.region.options import PointOptions
from dexman_pose.pose.region.points import SurfaceCorners, found_again, projected, surface_corners
from dexman_pose.pose.region.window import Window
from dexman_pose.pose.solver.residuals import PointMatches


@dataclass(frozen=True, eq=False)
class _Last:
    """The last picture with the corners in it."""

    image: NDArray[np.uint8]
    window: Window
    gray: Gray
    corners: SurfaceCorners


class CornerFollower:
    """Remembers corners of the last picture of the object, and finds them in the next one.

    Args:
        options: how many corners, and which are believed.
    """

    def __init__(self, options: PointOptions) -> None:
        self._options, self._wanted = options, replace(options, count=options.flow_count)
        self._last: _Last | None = None

    def forget(self) -> None:
        """Follow nothing from the last picture."""
        self._last = None

    def follow(self, window: Window, gray: Gray, pose: Array) -> PointMatches | None:
        """Corners of the last picture in this one; None where none is found.

        Args:
            window: of this picture.
            gray: (h, w) this picture in it.
            pose: (4, 4) expected.
        """
        if self._last is None:
            return None
        last, corners = self._last, self._last.corners
        first = last.gray
        if last.window is not window:  # pictures are compared in one window
            first = window.gray(last.image)
            corners = SurfaceCorners(window.to_window(last.window.to_image(corners.pixels)), corners.points)
        found = found_again(
            corners, first, gray, projected(corners.points, pose, window.K), self._options.flow
        )
        if found is None:
            return None
        points = found[0].points
        weight = np.full(len(points), self._options.flow_weight)
        return PointMatches(points, window.to_image(found[1]), weight)

    def keep(
        self, image: NDArray[np.uint8], window: Window, gray: Gray, inverse_depth: FloatImage, pose: Array
    ) -> None:
        """Follow corners from this picture on.

        Args:
            image: (H, W, 3) RGB; it must not be written into until the next call.
            window: of the drawing.
            gray: (h, w) the picture in it.
            inverse_depth: (h, w) 1 / metres of the surface drawn at ``pose``, 0 beside it.
            pose: (4, 4) in this picture.
        """
        corners = surface_corners(gray, inverse_depth, window.K, pose, self._wanted)
        self._last = None if corners is None else _Last(image, window, gray, corners)
