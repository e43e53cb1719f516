"""Texture coordinates per vertex, as most formats want them: a vertex is doubled where its corners differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dexman_pose.data.mesh import Mesh


def split_corners(mesh: Mesh) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float32] | None]:
    """Give every vertex one texture coordinate.

    Args:
        mesh: of V vertices and F faces.

    Returns:
        (N,) the mesh's vertex that each new one is, (F, 3) faces of new vertices, and (N, 2) texture coordinates of
        each, (0, 0) at the bottom left; without texture the vertices themselves, the mesh's faces, and None.
    """
    if mesh.uv is None:
        return np.arange(len(mesh.vertices)), mesh.faces, None
    index = mesh.faces.reshape(-1)
    uv = mesh.uv.reshape(-1, 2)
    # Bit patterns are compared: corners of one place came from one number.
    keys = np.column_stack([index.astype(np.int64), np.ascontiguousarray(uv).view(np.int32).astype(np.int64)])
    _, first, back = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return index[first].astype(np.intp), back.reshape(-1, 3).astype(np.int32), uv[first]
