"""Meshes of other kinds (paths, meshes of the library trimesh) as :class:`~dexman_pose.data.Mesh`."""

from __future__ import annotations

from os import PathLike
from typing import Any

from dexman_pose.data.mesh import Mesh
from dexman_pose.errors import MeshError
from dexman_pose.meshing.load import load_mesh, mesh_of_trimesh


def as_mesh(value: Any, unit: str = "auto") -> Mesh:
    """A :class:`~dexman_pose.data.Mesh` from whatever a caller has.

    Args:
        value: a mesh, which is given back as it is; the path of a mesh file; or a mesh or scene of trimesh.
        unit: of a file or a mesh of trimesh, as :func:`~dexman_pose.meshing.load_mesh` has it.

    Raises:
        MeshError: something else, or a mesh that cannot be used.
    """
    if isinstance(value, Mesh):
        return value
    if isinstance(value, (str, PathLike)):
        return load_mesh(str(value), unit)
    if any(kind.__module__.partition(".")[0] == "trimesh" for kind in type(value).__mro__):
        return mesh_of_trimesh(value)
    raise MeshError(
        f"a mesh must be a Mesh, the path of a mesh file, or a trimesh.Trimesh, but got {type(value).__name__}"
    )
