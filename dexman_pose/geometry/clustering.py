"""Triangle meshes made coarser: all vertices in a cell of a grid become one, where the planes around it meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array

_LEAST_FACES = 4
_TINY = 1e-12  # metres and shares of areas below which there is nothing to divide by
_FLAT = 0.02  # share of a cell's area that must face another way for a vertex to be moved along it

Faces = NDArray[np.int32]


def clustered(vertices: Array, faces: Faces, cells: int) -> tuple[Array, Faces] | None:
    """Merge all vertices that share a cell of a grid.

    The merged vertex lies where the planes of the faces around it meet (Rossignac and Borrel, 1993; Lindstrom, 2000):
    corners stay sharp, and a plane costs no more error in a coarse grid than in a fine one.

    Args:
        vertices: (V, 3).
        faces: (F, 3) indices into them.
        cells: of the grid along the mesh's longest side; a vertex moves by less than two cells.

    Returns:
        Vertices and faces, without the faces that became lines or points; None where hardly any face is left.
    """
    used = vertices[np.unique(faces)]
    low, size = used.min(0), max(float(np.ptp(used, axis=0).max()) / cells, _TINY)
    at = np.clip(np.floor((vertices - low) / size).astype(np.int64), 0, cells)
    _, group = np.unique(at @ [(cells + 1) ** 2, cells + 1, 1], return_inverse=True)
    group = group.reshape(-1)
    joined = group[faces]
    alive = (joined[:, 0] != joined[:, 1]) & (joined[:, 1] != joined[:, 2]) & (joined[:, 2] != joined[:, 0])
    if np.count_nonzero(alive) < _LEAST_FACES:
        return None
    places = _merged(vertices, faces, group, joined, size)
    joined = joined[alive]
    count, corners = len(places), np.sort(joined, 1)
    _, first = np.unique((corners[:, 0] * count + corners[:, 1]) * count + corners[:, 2], return_index=True)
    return places, joined[np.sort(first)].astype(np.int32)


def _merged(
    vertices: Array, faces: Faces, group: NDArray[np.int64], joined: NDArray[np.int64], reach: float
) -> Array:
    """(G, 3) places of the merged vertices, within ``reach`` of the mean of their group.

    Args:
        vertices: (V, 3) before the merging.
        faces: (F, 3) before it.
        group: (V,) of each vertex.
        joined: (F, 3) groups of each face's corners.
        reach: in the unit of the vertices.
    """
    count = int(group.max()) + 1
    members = np.bincount(group)
    mean = np.stack([np.bincount(group, vertices[:, i]) / members for i in range(3)], 1)
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    normal = cross / np.maximum(area, np.finfo(float).tiny)[:, None]
    squares = area[:, None, None] * normal[:, :, None] * normal[:, None, :]
    hessian, right = np.zeros((count, 3, 3)), np.zeros((count, 3))
    for corner in joined.T:
        off = area * np.einsum("fi,fi->f", normal, a - mean[corner])
        for i in range(3):
            right[:, i] += np.bincount(corner, off * normal[:, i], count)
            for j in range(3):
                hessian[:, i, j] += np.bincount(corner, squares[:, i, j], count)
    values, vectors = np.linalg.eigh(hessian)
    fixed = values > np.maximum(_FLAT * values[:, -1:], np.finfo(float).tiny)
    inverse = np.where(fixed, 1.0 / np.where(fixed, values, 1.0), 0.0)
    shift = np.einsum("nij,nj,nkj,nk->ni", vectors, inverse, vectors, right)
    length = np.linalg.norm(shift, axis=1, keepdims=True)
    out: Array = mean + shift * np.minimum(1.0, reach / np.maximum(length, _TINY))
    return out
