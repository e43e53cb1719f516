"""Vertex errors of one pose a call where the engine is not installed: numpy does them as it does those of many."""

from __future__ import annotations

from numpy.typing import ArrayLike

from dexman_pose.arrays import Array


class Unpacked:
    """Stands in for :class:`~dexman_pose.metrics.mesh_points.single.SinglePose`, and leaves every pose to numpy."""

    def mean_distance(self, estimated: ArrayLike, true: ArrayLike) -> Array | None:
        """None."""
        return None

    def largest_distance(self, estimated: ArrayLike, true: ArrayLike) -> Array | None:
        """None."""
        return None

    def mean_nearest(self, estimated: ArrayLike, true: ArrayLike) -> Array | None:
        """None."""
        return None

    def largest_pixels(self, estimated: ArrayLike, true: ArrayLike, k: Array) -> Array | None:
        """None."""
        return None
