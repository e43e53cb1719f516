"""Vertex errors of one pose a call: a kernel that is packed once per mesh, for a call of numpy costs a microsecond."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose._warp import wp
from dexman_pose.arrays import Array
from dexman_pose.metrics.mesh_points import _single_kernels as kernels
from dexman_pose.metrics.mesh_points.limits import NEAR, RIGID
from dexman_pose.render.commands import Command

MOST_PAIRED = 200
"""Vertices up to which all pairs are tried sooner than a search structure is asked."""

_POSE = (4, 4)
_FLOAT64 = np.dtype(np.float64)


class SinglePose:
    """Errors of one pose of one set of vertices; safe to be shared between threads.

    Args:
        vertices: (V, 3) metres, contiguous; not copied.
    """

    def __init__(self, vertices: Array) -> None:
        self._numbers = np.zeros(kernels.NUMBERS)
        self._estimate, self._truth = self._numbers[: kernels.FOCAL].reshape(2, 4, 4)
        self._out = np.zeros(1)
        self._count = len(vertices)
        self._fixed = (
            wp.array(self._numbers, dtype=wp.float64, device="cpu", copy=False),
            wp.array(vertices, dtype=wp.vec3d, device="cpu", copy=False),
            wp.array(_blocks(vertices), dtype=wp.vec4d, device="cpu", copy=False),
            len(vertices),
            RIGID,
            NEAR,
            wp.array(self._out, dtype=wp.float64, device="cpu", copy=False),
        )
        self._packed: dict[int, Callable[[], object]] = {}
        self._lock = threading.Lock()

    def mean_distance(self, estimated: ArrayLike, true: ArrayLike) -> Array | None:
        """Mean distance () in metres between each vertex under one pose and the same under the other.

        Returns:
            None where something needs a closer look: several poses, other numbers than float64, no rigid transforms.
        """
        return self._ask(kernels.MEAN_DISTANCE, estimated, true)

    def largest_distance(self, estimated: ArrayLike, true: ArrayLike) -> Array | None:
        """Largest such distance; None as for :meth:`mean_distance`."""
        return self._ask(kernels.LARGEST_DISTANCE, estimated, true)

    def mean_nearest(self, estimated: ArrayLike, true: ArrayLike) -> Array | None:
        """Mean distance () in metres from each vertex under the truth to the nearest under the estimate.

        Returns:
            None as for :meth:`mean_distance`, and where there are too many vertices to try all pairs.
        """
        return self._ask(kernels.MEAN_NEAREST, estimated, true) if self._count <= MOST_PAIRED else None

    def largest_pixels(self, estimated: ArrayLike, true: ArrayLike, k: Array) -> Array | None:
        """Largest distance () in pixels under intrinsics (3, 3).

        Returns:
            None as for :meth:`mean_distance`, and where a vertex lies nearer than :data:`NEAR`.
        """
        return self._ask(kernels.LARGEST_PIXELS, estimated, true, k)

    def _ask(self, asked: int, estimated: ArrayLike, true: ArrayLike, k: Array | None = None) -> Array | None:
        if not (_is_plain(estimated) and _is_plain(true)):
            return None
        with self._lock:
            self._estimate[:], self._truth[:] = estimated, true
            if k is not None:
                self._numbers[kernels.FOCAL :] = k[0, 0], k[1, 1]
            again = self._packed.get(asked)
            if again is None:
                command = Command(kernels.single_error, "cpu")
                command((1,), asked, *self._fixed)
                self._packed[asked] = command.again
            else:
                again()
            found = self._out.item()
        return np.array(found) if found >= 0.0 else None


def _is_plain(pose: ArrayLike) -> bool:
    """Whether it is one matrix of float64, which needs no conversion."""
    return type(pose) is np.ndarray and pose.shape == _POSE and pose.dtype == _FLOAT64


def _blocks(vertices: Array) -> Array:
    """(3 B, 4) x, y and z of four vertices (V, 3) at a time, the last one repeated until four are full."""
    filled = np.concatenate([vertices, np.repeat(vertices[-1:], -len(vertices) % 4, 0)])
    return np.ascontiguousarray(filled.reshape(-1, 4, 3).swapaxes(1, 2)).reshape(-1, 4)
