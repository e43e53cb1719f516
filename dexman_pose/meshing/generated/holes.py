"""Holes of a surface filled: every loop of open edges gets a fan of triangles about its middle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh


def filled(mesh: Mesh) -> Mesh:
    """The mesh with its holes filled; one without holes is returned as it is.

    Only loops that meet themselves nowhere are filled. Texture coordinates are dropped, for what is new has none.

    Args:
        mesh: vertices in one place must be one vertex, see :func:`joined`.
    """
    vertices, colors, faces = [mesh.vertices], [mesh.vertex_colors], [mesh.faces]
    count = len(mesh.vertices)
    for loop in open_loops(mesh.faces):
        vertices.append(mesh.vertices[loop].mean(0, keepdims=True))
        if mesh.vertex_colors is not None:
            colors.append(np.rint(mesh.vertex_colors[loop].mean(0, keepdims=True)).astype(np.uint8))
        after = np.roll(loop, -1)
        faces.append(np.stack([after, loop, np.full(len(loop), count)], 1).astype(np.int32))
        count += 1
    if len(faces) == 1:
        return mesh
    shade = None if mesh.vertex_colors is None else np.concatenate([c for c in colors if c is not None])
    return Mesh(np.concatenate(vertices), np.concatenate(faces), vertex_colors=shade, source=mesh.source)


def open_loops(faces: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """Vertices of the loops of edges that have one face, in the direction of that face."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    _, which, counts = np.unique(np.sort(edges, 1), axis=0, return_inverse=True, return_counts=True)
    border = edges[counts[which.reshape(-1)] == 1]
    starts, times = np.unique(border[:, 0], return_counts=True)
    follows = {int(a): int(b) for a, b in border}
    loops = []
    left = set(starts[times == 1].tolist())
    while left:
        first = left.pop()
        loop, at = [first], follows[first]
        while at in left:
            left.discard(at)
            loop.append(at)
            at = follows[at]
        if at == first and len(loop) > 2:
            loops.append(np.array(loop))
    return loops


def joined(mesh: Mesh, near: float = 1e-6) -> Mesh:
    """The mesh with vertices in one place made one, those along the seams of a texture say; colours are averaged.

    Args:
        mesh: with or without vertex colours; texture coordinates are dropped.
        near: share of its longest side within which two vertices are one.
    """
    step = near * max(float(mesh.extents.max()), 1e-12)
    _, index = np.unique(np.round(mesh.vertices / step), axis=0, return_inverse=True)
    index = index.reshape(-1)
    faces = index[mesh.faces]
    real = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    colors = None if mesh.vertex_colors is None else _mean(mesh.vertex_colors.astype(float), index)
    return Mesh(
        _mean(mesh.vertices, index),
        faces[real].astype(np.int32),
        vertex_colors=None if colors is None else np.rint(colors).astype(np.uint8),
        source=mesh.source,
    )


def _mean(values: Array, index: NDArray[np.int64]) -> Array:
    count = np.bincount(index)
    return np.stack([np.bincount(index, values[:, i]) for i in range(values.shape[1])], 1) / count[:, None]
