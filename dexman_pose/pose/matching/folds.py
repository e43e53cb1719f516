"""Creases and inner occlusions of rendered shapes, found on the CPU by a compiled kernel.

The plain twin, which also serves GPUs, is ``edges.folds_of``.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from dexman_pose._warp import wp
from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.pose.matching._fold_kernels import PLANES, Fold, FoldLimits, find_folds
from dexman_pose.pose.matching.options import CREASES, EDGES, CreaseOptions, EdgeOptions
from dexman_pose.render import Rasterizer
from dexman_pose.render._buffers import Buffers
from dexman_pose.render.commands import Command

_PIXELS_PER_FOLD = 4
"""A fold has no other beside it along its normal, and few along it: one pixel in three at most, seldom one in ten."""


class FoldFinder:
    """Finds the folds of a rasteriser's images; buffers are kept. Not to be shared between threads."""

    def __init__(self) -> None:
        self._buffers = Buffers("cpu")
        self._command = Command(find_folds, "cpu")
        self._limits: dict[tuple[float, EdgeOptions, CreaseOptions], FoldLimits] = {}

    def find(
        self,
        nearest: wp.array,
        images: int,
        camera: Camera,
        size: tuple[int, int],
        radius: float,
        options: EdgeOptions = EDGES,
        creases: CreaseOptions = CREASES,
    ) -> list[Array]:
        """The folds of images that lie one after the other in a buffer.

        Args:
            nearest: images * height * width float32, 1 / metres, 0 where nothing is drawn.
            images: how many.
            camera: that they were rendered by.
            size: (height, width).
            radius: of the object, metres.
            options: what a fold is.
            creases: where its crease is.

        Returns:
            Per image (N, 6): x, y, unit direction across, shift along it to the crease in pixels, 1 / metres there; row
            by row.
        """
        height, width = size
        room, at = height * width // _PIXELS_PER_FOLD, self._buffers
        folds = at.get("folds", wp.float64, images * room * Fold.SIZE)
        counts = at.get("counts", wp.int32, images)
        scratch = at.get("scratch", wp.float32, height * width * PLANES)
        fx, fy, cx, cy = (float(v) for v in (camera.fx, camera.fy, camera.cx, camera.cy))
        limits = self._limits_of(radius, options, creases)
        place = (fx, fy, cx, cy, limits, room, scratch, folds, counts)
        self._command((1,), nearest, images, width, height, *place)
        rows = at.host("folds", images * room * Fold.SIZE).reshape(images, room, Fold.SIZE)
        return [np.array(rows[i, :n]) for i, n in enumerate(at.host("counts", images).tolist())]

    def _limits_of(self, radius: float, options: EdgeOptions, creases: CreaseOptions) -> FoldLimits:
        key = radius, options, creases
        if key not in self._limits:
            out = FoldLimits()
            out.step, out.crease, out.rim = 1.0 / (options.step * radius), 1.0 / options.crease, options.rim
            out.near, out.far, out.farthest = creases.near, creases.far, creases.farthest
            out.tolerance, out.flat = creases.tolerance, creases.flat
            self._limits[key] = out
        return self._limits[key]


_FINDERS: WeakKeyDictionary[Rasterizer, FoldFinder] = WeakKeyDictionary()


def folds_by_kernel(
    rasterizer: Rasterizer,
    poses: Array,
    camera: Camera,
    size: tuple[int, int],
    options: EdgeOptions = EDGES,
) -> tuple[NDArray[np.float32], list[Array]]:
    """Images of 1 / z (B, h, w) of poses (B, 4, 4), and the folds in each as :meth:`FoldFinder.find` gives them."""
    finder = _FINDERS.get(rasterizer)
    if finder is None:
        finder = _FINDERS[rasterizer] = FoldFinder()
    nearest = rasterizer.inverse_depth(poses, camera.K, size[1], size[0])
    found = finder.find(nearest, len(poses), camera, size, rasterizer.mesh.radius, options)
    inverse: NDArray[np.float32] = nearest.numpy()[: len(poses) * size[0] * size[1]]
    return inverse.reshape(len(poses), *size), found
