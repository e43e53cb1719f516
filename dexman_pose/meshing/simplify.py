"""A coarse stand-in for a fine mesh, for pictures too small to show the difference."""

from __future__ import annotations

import numpy as np

from dexman_pose.data import Mesh


def simplified(mesh: Mesh, cells: int = 24, enough: int = 1500) -> Mesh:
    """Merge all vertices that share a cell of a grid (Rossignac and Borrel, 1993); shape only, colours are dropped.

    Args:
        mesh: any mesh, metres.
        cells: grid cells along the mesh's longest side; a vertex moves by less than one cell.
        enough: a mesh with at most this many faces is returned as it is.

    Returns:
        The mesh with merged vertices, without the faces that became lines or points.
    """
    if len(mesh.faces) <= enough:
        return mesh
    used = mesh.vertices[np.unique(mesh.faces)]
    low, size = used.min(0), float(np.ptp(used, axis=0).max()) / cells
    key = np.floor((mesh.vertices - low) / max(size, 1e-12)).astype(np.int64)
    _, group = np.unique(key, axis=0, return_inverse=True)
    group = group.reshape(-1)
    count = np.bincount(group)
    middle = np.stack([np.bincount(group, mesh.vertices[:, i]) / count for i in range(3)], 1)
    faces = group[mesh.faces]
    alive = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    faces = faces[alive]
    if len(faces) < 4:
        return mesh
    _, first = np.unique(np.sort(faces, 1), axis=0, return_index=True)
    return Mesh(middle, faces[np.sort(first)].astype(np.int32), source=mesh.source)
