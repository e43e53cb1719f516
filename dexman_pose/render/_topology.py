"""The edges of a mesh and what lies on their two sides."""

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
