"""Building and asking the octree of candidate lists behind :mod:`dexman_pose.metrics.nearest`."""

from __future__ import annotations

import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._warp import wp
from dexman_pose.arrays import Array
from dexman_pose.metrics import _nearest_kernels as kernels

Indices = NDArray[np.int32]

GROWTH = 4
"""Each cube is this many times as wide as the one before; the kernels count on it."""

MOST_CUBES = 3
DEPTH = 8
"""Levels of each cube: cells of the inner one are at least 2 / 256 units wide."""

_FEW = (16, 128)  # candidates: a cell of the inner or an outer cube with no more is not divided
_MANY = 15_000_000  # candidates in a level: its cells are not divided, they would take too much memory
# The same in relation to the vertices, inner and outer cubes: for sets that leave many to every cell, as lines do.
_MANY_PER_VERTEX = (600, 200)
_MANY_ANYWAY = 300_000
_WORKERS = min(4, os.cpu_count() or 1)
_loading = threading.Lock()
_PARALLEL = 2048  # items below which threads cost more than they save


@dataclass
class _Level:
    """Cells of one level that are divided further: integer position, and where their candidates lie."""

    coords: Indices
    starts: NDArray[np.int64]
    counts: Indices
    lists: Indices


class CandidateTree:
    """The octree, cubes added from the inside out.

    Args:
        vertices: (V, 3) distinct points in the tree's unit, all in the inner cube [-1, 1]^3.
    """

    def __init__(self, vertices: Array) -> None:
        self.vertices = np.ascontiguousarray(vertices)
        self.top_bits = int(np.clip(np.ceil(np.log2(max(len(vertices), 1)) / 2), 2, 6))
        self.cubes = 0
        self._top: list[Indices] = []
        self._children: list[Indices] = []
        self._leaves: list[Indices] = []
        self._sizes = [0, 0]
        self._joined: Any = None
        with _loading:
            _load()
        self.grow()

    @property
    def entries(self) -> int:
        """Numbers in all candidate lists."""
        return self._sizes[1]

    @property
    def grows(self) -> bool:
        """Whether another cube may be added."""
        return self.cubes < MOST_CUBES

    def grow(self) -> None:
        """Add the next larger cube."""
        bits, half = self.top_bits, float(GROWTH**self.cubes)
        hole = float(GROWTH ** (self.cubes - 1)) if self.cubes else 0.0
        top = np.zeros(8**bits, np.int32)
        n = len(self.vertices)
        level = _Level(
            np.zeros((1, 3), np.int32),
            np.zeros(1, np.int64),
            np.array([n], np.int32),
            np.arange(n, dtype=np.int32),
        )
        # Codes of the top level's cells go into a table, those of the cells below it to their parents'.
        for depth in range(1, DEPTH + 1):
            cells = _child_coords(level.coords)
            level, codes = self._divide(level, depth, half, hole)
            if depth == bits:
                x, y, z = cells.T
                top[((x << bits) + y << bits) + z] = codes
            elif depth > bits:
                self._children.append(codes)
                self._sizes[0] += len(codes)
            if len(level.coords) == 0:
                break
        self._top.append(top)
        self.cubes += 1
        self._join()

    def _divide(self, level: _Level, depth: int, half: float, hole: float) -> tuple[_Level, Indices]:
        """Children of a level's cells: those to divide again, and the code of each."""
        n = 8 * len(level.coords)
        side = 2.0 * half / (1 << depth)
        nearest, kept = np.zeros(n, np.int32), np.zeros(n, np.int32)
        parents = kernels.Level()
        parents.coords = _wp(level.coords, wp.vec3i)
        parents.starts = _wp(level.starts, wp.int64)
        parents.counts = _wp(level.counts, wp.int32)
        parents.lists = _wp(level.lists, wp.int32)
        parents.vertices = _wp(self.vertices, wp.vec3d)
        parents.side, parents.half = side, half
        run(
            kernels.count_candidates,
            n,
            (parents, hole, _wp(nearest, wp.int32), _wp(kept, wp.int32)),
        )
        total = int(kept.sum(dtype=np.int64))
        many = min(_MANY, _MANY_ANYWAY + _MANY_PER_VERTEX[self.cubes > 0] * len(self.vertices))
        deepest = depth == DEPTH or total > many
        few = _FEW[self.cubes > 0]
        is_leaf = (kept <= few) | deepest if depth >= self.top_bits else np.zeros(n, np.bool_)
        targets = np.where(
            is_leaf, _before(np.where(is_leaf, kept + 1, 0)), _before(np.where(is_leaf, 0, kept))
        )
        leaves = np.zeros(int(np.where(is_leaf, kept + 1, 0).sum(dtype=np.int64)), np.int32)
        onward = np.zeros(int(np.where(is_leaf, 0, kept).sum(dtype=np.int64)), np.int32)
        run(
            kernels.write_candidates,
            n,
            (
                parents,
                _wp(nearest, wp.int32),
                _wp(kept, wp.int32),
                _wp(is_leaf.astype(np.uint8), wp.uint8),
                _wp(targets, wp.int64),
                _wp(leaves, wp.int32),
                _wp(onward, wp.int32),
            ),
        )
        inner = ~is_leaf
        # Children of the cells to divide come after all codes so far, those of this level included.
        below = self._sizes[0] + (n if depth > self.top_bits else 0)
        codes = np.where(
            is_leaf, -1 - (targets + self._sizes[1]), below + 8 * _before(inner.astype(np.int64))
        )
        self._leaves.append(leaves)
        self._sizes[1] += len(leaves)
        following = _Level(
            np.ascontiguousarray(_child_coords(level.coords)[inner]), targets[inner], kept[inner], onward
        )
        return following, codes.astype(np.int32)

    def _join(self) -> None:
        """One array of each kind, for the kernels."""
        self._top = [np.concatenate(self._top)]
        self._children = [np.concatenate([*self._children, np.zeros(0, np.int32)])]
        self._leaves = [np.concatenate(self._leaves)]
        tree = kernels.Octree()
        tree.cubes, tree.top_bits, tree.depth = self.cubes, self.top_bits, DEPTH
        tree.top = _wp(self._top[0], wp.int32)
        tree.children = _wp(self._children[0], wp.int32)
        tree.leaves = _wp(self._leaves[0], wp.int32)
        tree.vertices = _wp(self.vertices, wp.vec3d)
        self._joined = tree

    def mean_distances(self, transforms: Array, points: Array) -> Array:
        """(P,) mean distance of points (N, 3) moved by each of (P, 4, 4); -1 where one leaves the cubes."""
        out = np.zeros(len(transforms))
        arguments = (_wp(transforms, wp.mat44d), _wp(points, wp.vec3d), self._joined, _wp(out, wp.float64))
        run(kernels.mean_distances, len(out), arguments, work=len(points))
        return out

    def distances(self, points: Array) -> Array:
        """(N,) distances of points (N, 3); -1 outside the cubes."""
        out = np.zeros(len(points))
        run(
            kernels.point_distances,
            len(out),
            (_wp(points, wp.vec3d), self._joined, _wp(out, wp.float64)),
        )
        return out


def run(kernel: Any, count: int, arguments: tuple[Any, ...], work: int = 1) -> None:
    """Launch a strided kernel over ``count`` items, a part on every core."""
    if count == 0:
        return
    workers = 1 if count * work < _PARALLEL else min(_WORKERS, count)

    def part(first: int) -> None:
        wp.launch(kernel, dim=1, inputs=[first, workers, count, *arguments], device="cpu")

    if workers == 1:
        part(0)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(part, range(workers)))


@functools.cache
def _load() -> None:
    """Compile or load the kernels, before any thread launches one."""
    wp.load_module(kernels, device="cpu")


def _wp(values: NDArray[Any], dtype: Any) -> Any:
    """A Warp array that shares the memory of a contiguous one."""
    return wp.array(np.ascontiguousarray(values), dtype=dtype, device="cpu", copy=False)


def _before(sizes: NDArray[Any]) -> NDArray[np.int64]:
    """Sums of the sizes before each."""
    out = np.cumsum(sizes, dtype=np.int64)
    return out - sizes


def _child_coords(coords: Indices) -> Indices:
    """(8 n, 3) positions of the children of cells (n, 3), in the order of the kernels."""
    octants = np.array([[o >> 2, (o >> 1) & 1, o & 1] for o in range(8)], np.int32)
    out: Indices = (2 * coords[:, None] + octants).reshape(-1, 3)
    return out
