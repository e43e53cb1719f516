"""A coarse stand-in for a fine mesh, for pictures too small to show the difference."""

from __future__ import annotations

from dexman_pose.data import Mesh
from dexman_pose.geometry.clustering import clustered


def simplified(mesh: Mesh, cells: int = 24, enough: int = 1500) -> Mesh:
    """Merge all vertices that share a cell of a grid; shape only, colours are dropped.

    Args:
        mesh: any mesh, metres.
        cells: grid cells along the mesh's longest side; a vertex moves by less than two cells.
        enough: a mesh with at most this many faces is returned as it is.

    Returns:
        The mesh with merged vertices (:func:`~dexman_pose.geometry.clustering.clustered`), without the faces that
        became lines or points.
    """
    if len(mesh.faces) <= enough:
        return mesh
    coarse = clustered(mesh.vertices, mesh.faces, cells)
    return mesh if coarse is None else Mesh(*coarse, source=mesh.source)
