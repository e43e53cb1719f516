"""A truncated signed distance volume: many noisy depth images become one field whose zero is the surface.

Method: Curless and Levoy, "A Volumetric Method for Building Complex Models from Range Images" (1996).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera

Depths = Iterable[tuple[NDArray[np.float32], Array]]
"""Depth images (H, W) float32 metres, 0 where not to be used, and camera_from_object (4, 4) of each."""


@dataclass(frozen=True)
class Grid:
    """A regular grid in the object frame.

    Attributes:
        low: (3,) its lower corner, metres.
        shape: points along each axis.
        spacing: metres from one to the next.
    """

    low: Array
    shape: tuple[int, int, int]
    spacing: float

    @classmethod
    def around(cls, low: Array, high: Array, spacing: float) -> Grid:
        """The grid that covers a box from ``low`` (3,) to ``high`` (3,)."""
        counts = np.ceil((np.asarray(high) - low) / spacing).astype(int) + 1
        return cls(np.asarray(low, float), (int(counts[0]), int(counts[1]), int(counts[2])), spacing)

    def widened(self, cells: int) -> Grid:
        """The same grid with more points on all sides."""
        x, y, z = self.shape
        return Grid(
            self.low - cells * self.spacing, (x + 2 * cells, y + 2 * cells, z + 2 * cells), self.spacing
        )

    def points(self) -> Array:
        """(N, 3) all points, metres, the last axis fastest."""
        axes = [self.low[i] + self.spacing * np.arange(self.shape[i]) for i in range(3)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)


@dataclass(frozen=True)
class Fused:
    """Distances of the points of a grid to the measured surface.

    Attributes:
        grid: the points.
        distance: (X, Y, Z) metres, positive before the surface, cut off at ``band``; 0 where ``weight`` is 0.
        weight: (X, Y, Z) how many measurements speak of a point; 0 behind surfaces and where nothing was seen.
        band: metres.
    """

    grid: Grid
    distance: Array
    weight: Array
    band: float


_NEAREST = 1e-3
"""Metres before the camera; what lies nearer is taken to lie there, where no depth is measured."""

Integrator = Callable[[Depths, Camera, Grid, float], Fused]


def integrate(depths: Depths, camera: Camera, grid: Grid, band: float) -> Fused:
    """Average the distances that depth images measure, in numpy.

    Args:
        depths: images and poses.
        camera: pinhole.
        grid: where.
        band: metres; what lies farther behind a surface than this is not known.
    """
    points = grid.points()
    total, weight = np.zeros(len(points)), np.zeros(len(points))
    for depth, camera_from_object in depths:
        height, width = depth.shape
        # With a border of pixels without depth, what projects beside the picture finds nothing there.
        bordered = np.pad(depth, 1).reshape(-1)
        at = points @ camera_from_object[:3, :3].T + camera_from_object[:3, 3]
        at[:, 2] = np.maximum(at[:, 2], _NEAREST)
        pixel = np.rint(camera.project(at)).astype(np.int64) + 1
        np.clip(pixel, 0, (width + 1, height + 1), out=pixel)
        measured = bordered[pixel[:, 1] * (width + 2) + pixel[:, 0]]
        distance = measured - at[:, 2]
        use = np.nonzero((measured > 0) & (distance > -band))[0]
        total[use] += np.minimum(distance[use], band)
        weight[use] += 1.0
    mean = total / np.maximum(weight, 1.0)
    return Fused(grid, mean.reshape(grid.shape), weight.reshape(grid.shape), band)
