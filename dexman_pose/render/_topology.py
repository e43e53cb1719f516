"""The edges of a mesh and what lies on their two sides; whether it is closed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def edges_of(faces: NDArray[np.int32]) -> NDArray[np.int32]:
    """Every edge of a mesh once, with the corners opposite to it.

    Args:
        faces: (F, 3) vertex indices.

    Returns:
        (E, 4) int32: the edge's two vertices, then the third vertices of its two faces. Both of the latter are -1
        for an edge that does not have exactly two faces: a border, or where three or more faces meet.
    """
    f = np.asarray(faces, dtype=np.int64)
    ends = np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]])
    opposite = np.concatenate([f[:, 2], f[:, 0], f[:, 1]])
    ends.sort(1)
    code = ends[:, 0] * (int(f.max()) + 1) + ends[:, 1]
    order = np.argsort(code, kind="stable")
    _, first, count = np.unique(code[order], return_index=True, return_counts=True)
    out = np.full((len(first), 4), -1, np.int32)
    out[:, :2] = ends[order[first]]
    two = count == 2
    out[two, 2] = opposite[order[first[two]]]
    out[two, 3] = opposite[order[first[two] + 1]]
    return out[out[:, 0] != out[:, 1]]


def looks_outwards(vertices: NDArray[np.float64], faces: NDArray[np.int32]) -> bool:
    """Whether a mesh is closed and all its faces look outwards, so that from outside no back of a face is seen.

    Every connected part must be closed, its faces must agree on what is outside, and it must enclose a positive volume.
    Vertices at equal places count as one: a seam of the texture is no border.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) vertex indices.
    """
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    f = np.asarray(faces, dtype=np.int64)
    if not _closed(f):
        _, place = np.unique(vertices + 0.0, axis=0, return_inverse=True)
        f = place.reshape(-1)[f]
        if not _closed(f):
            return False
    count = int(f.max()) + 1
    links = sparse.coo_matrix(
        (np.ones(len(f) * 2), (f[:, [0, 1]].T.ravel(), f[:, [1, 2]].T.ravel())), (count, count)
    )
    _, part = connected_components(links, directed=False)
    corners = (vertices - vertices.mean(0))[np.asarray(faces)]
    volumes = np.bincount(
        part[f[:, 0]], np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    )
    return bool((volumes[np.unique(part[f[:, 0]])] > 0.0).all())


def _closed(f: NDArray[np.int64]) -> bool:
    """Whether every edge is walked once in either direction; faces without area are left out."""
    f = f[(f[:, 0] != f[:, 1]) & (f[:, 1] != f[:, 2]) & (f[:, 2] != f[:, 0])]
    if len(f) == 0:
        return False
    ends = np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]])
    count = int(f.max()) + 1
    ahead, back = np.sort(ends @ [count, 1]), np.sort(ends @ [1, count])
    return bool((ahead[1:] != ahead[:-1]).all() and (ahead == back).all())
