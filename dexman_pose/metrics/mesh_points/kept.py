"""Vertices with what was prepared of them, found again by their values.

Metrics are often asked for one pose a call, each time with the same vertices. What is found again is compared number by
number with what was given: an array that was written into is another set of vertices.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose._optional import has_engine
from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.metrics import _given
from dexman_pose.metrics.mesh_points.hull import far_apart, hull_of, longest_distance
from dexman_pose.metrics.mesh_points.unpacked import Unpacked

if TYPE_CHECKING:
    from dexman_pose.metrics.mesh_points.single import SinglePose

_MOST_KEPT = 64  # sets of vertices
_MOST_NUMBERS = 30_000_000  # in all of them together
_MOST_SAMPLES = 16  # symmetries of one set
_ENDS = 48  # bytes at the beginning, in the middle and at the end by which a set is looked for
_SCOUTS = 24  # vertices that tell first how good a symmetry can be at best


class MeshPoints:
    """Vertices of one object, and what metrics need of them, made when it is first asked for.

    Told apart by identity.

    Args:
        vertices: (V, 3) finite, at least one; copied.

    Attributes:
        vertices: (V, 3), not to be written into.
        raw: their bytes.
    """

    def __init__(self, vertices: Array) -> None:
        self.raw = vertices.tobytes()
        self.vertices: Array = np.frombuffer(self.raw, np.float64).reshape(-1, 3)
        self._samples: OrderedDict[bytes, Array] = OrderedDict()

    def __len__(self) -> int:
        return len(self.vertices)

    @cached_property
    def columns(self) -> Array:
        """(4, V): x, y, z, 1 of every vertex, so that one product with a (3, 4) matrix moves them all."""
        return np.ascontiguousarray(np.vstack([self.vertices.T, np.ones(len(self.vertices))]))

    @cached_property
    def single(self) -> SinglePose | Unpacked:
        """Errors of one pose a call."""
        if not has_engine():
            return Unpacked()
        from dexman_pose.metrics.mesh_points.single import SinglePose

        return SinglePose(self.vertices)

    @cached_property
    def hull(self) -> MeshPoints:
        """The vertices of the convex hull."""
        corners = hull_of(self.vertices)
        return self if len(corners) == len(self.vertices) else MeshPoints(corners)

    @cached_property
    def scouts(self) -> Array:
        """(4, S): a few vertices far from each other, as :attr:`columns`."""
        return MeshPoints(far_apart(self.vertices, _SCOUTS)).columns

    @cached_property
    def diameter(self) -> float:
        """Largest distance between two vertices."""
        return longest_distance(self.hull.vertices)

    def sample(self, key: bytes) -> Array | None:
        """Symmetries that were kept under ``key``."""
        return self._samples.get(key)

    def keep_sample(self, key: bytes, transforms: Array) -> Array:
        """Keep symmetries (S, 4, 4), from now on not to be written into, under ``key``."""
        transforms.setflags(write=False)
        self._samples[key] = transforms
        while len(self._samples) > _MOST_SAMPLES:
            self._samples.popitem(last=False)
        return transforms


_kept: OrderedDict[tuple[int, bytes, bytes, bytes], MeshPoints] = OrderedDict()
_last: list[MeshPoints] = []  # the set asked for last: mostly the next one, too
_keeping = threading.Lock()


def mesh_points(vertices: ArrayLike | MeshPoints) -> MeshPoints:
    """:class:`MeshPoints` of vertices (V, 3), kept for the next call with the same values; what is one already passes.

    Raises:
        InputError: no finite (V, 3) array with at least one vertex.
    """
    if isinstance(vertices, MeshPoints):
        return vertices
    v = _vertices(vertices)
    raw = v.tobytes()
    if _last and _last[0].raw == raw:
        return _last[0]
    middle = len(raw) // 2
    key = len(raw), raw[:_ENDS], raw[middle : middle + _ENDS], raw[-_ENDS:]
    found = _kept.get(key)
    if found is not None and found.raw == raw:
        _last[:] = [found]
        return found
    found = MeshPoints(_finite(v))
    with _keeping:
        _last[:] = [found]
        _kept[key] = found
        _kept.move_to_end(key)
        while len(_kept) > 1 and (
            len(_kept) > _MOST_KEPT or sum(p.vertices.size for p in _kept.values()) > _MOST_NUMBERS
        ):
            _kept.popitem(last=False)
    return found


def checked_vertices(vertices: ArrayLike) -> Array:
    """Vertices as a contiguous (V, 3) array of finite numbers with V >= 1, or an :class:`InputError`."""
    return _finite(_vertices(vertices))


def _vertices(vertices: ArrayLike) -> Array:
    v = np.ascontiguousarray(_given.real(vertices, "vertices"))
    if v.ndim != 2 or v.shape[1] != 3 or len(v) == 0:
        raise InputError(
            f"vertices must have shape (V, 3) with V at least 1, metres, but got {v.shape}: give Mesh.vertices"
        )
    return v


def _finite(v: Array) -> Array:
    if not np.isfinite(v).all():
        raise InputError("vertices must be finite, but some are NaN or infinite: repair the mesh first")
    return v
