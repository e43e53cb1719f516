"""Meshes of other kinds (paths, meshes of the library trimesh) as :class:`~dexman_pose.data.Mesh`."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.mesh import Mesh, MeshUnit
from dexman_pose.data.meshes.light import linear_light
from dexman_pose.errors import MeshError
from dexman_pose.meshing.colors import encoded_light, rgb_array
from dexman_pose.meshing.load import load_mesh, mesh_of_raw
from dexman_pose.meshing.parts import Part, RawMesh
from dexman_pose.meshing.units import unit_of


def as_mesh(value: Any, unit: str = "auto") -> Mesh:
    """A :class:`~dexman_pose.data.Mesh` from whatever a caller has.

    Args:
        value: a mesh, which is given back as it is; the path of a mesh file; or a mesh or scene of trimesh.
        unit: of a file or a mesh of trimesh, as :func:`~dexman_pose.meshing.load_mesh` has it.

    Returns:
        The mesh in metres.

    Raises:
        MeshError: something else, or a mesh that cannot be used.
    """
    if isinstance(value, Mesh):
        return value
    if isinstance(value, (str, PathLike)):
        return load_mesh(str(value), unit)
    if any(kind.__module__.partition(".")[0] == "trimesh" for kind in type(value).__mro__):
        return from_trimesh(value, unit)
    raise MeshError(
        f"a mesh must be a Mesh, the path of a mesh file, or a trimesh.Trimesh, but got {type(value).__name__}"
    )


def from_trimesh(value: Any, unit: str = "auto") -> Mesh:
    """A mesh of trimesh, or a scene of them put together, with its vertices, texture and colours.

    Args:
        value: ``trimesh.Trimesh`` or ``trimesh.Scene``.
        unit: unit of its numbers. ``"auto"`` takes the mesh's own ``units`` where they are set, else judges by size.

    Raises:
        MeshError: no faces, or values that are no geometry.
    """
    import trimesh

    pieces = value.dump() if isinstance(value, trimesh.Scene) else [value]
    meshes = [piece for piece in pieces if isinstance(piece, trimesh.Trimesh)]
    if not meshes:
        raise MeshError(f"a {type(value).__name__} of trimesh without triangles is no mesh")
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes])
    parts = [_part_of(m, int(start)) for m, start in zip(meshes, starts)]
    vertices = np.concatenate([np.asarray(m.vertices, dtype=np.float64) for m in meshes])
    own = unit_of(str(getattr(value, "units", None) or "")) if unit == "auto" else None
    found = mesh_of_raw(RawMesh(vertices, parts), f"the {type(value).__name__} of trimesh", own or unit)
    return found if own is None else replace(found, unit=MeshUnit(own, "standard"))


def _part_of(mesh: Any, start: int) -> Part:
    """Faces, counted from ``start``, with the texture or the colours of a mesh."""
    faces = np.asarray(mesh.faces, dtype=np.int64).reshape(-1, 3)
    part = Part(faces + start)
    if getattr(mesh.visual, "kind", None) == "vertex":
        part.corners = np.asarray(mesh.visual.vertex_colors)[:, :3].astype(np.uint8)[faces]
    elif getattr(mesh.visual, "kind", None) == "face":
        part.corners = np.repeat(np.asarray(mesh.visual.face_colors)[:, None, :3].astype(np.uint8), 3, axis=1)
    else:
        _set_material(part, faces, mesh)
    return part


def _set_material(part: Part, faces: NDArray[np.int64], mesh: Any) -> None:
    """The picture or colour of a material. The library hands out the linear factors of glTF as display bytes."""
    material, uv = getattr(mesh.visual, "material", None), getattr(mesh.visual, "uv", None)
    physical = hasattr(material, "baseColorTexture")
    image = getattr(material, "baseColorTexture" if physical else "image", None)
    factor = getattr(material, "baseColorFactor", None) if physical else None
    light = None if factor is None else np.asarray(factor, dtype=np.float64)[:3] / 255.0
    if image is not None and uv is not None and len(uv) == len(mesh.vertices):
        part.image, part.uv = rgb_array(image), np.asarray(uv, dtype=np.float64)[faces]
        if light is not None and light.min() < 1.0:
            part.image = encoded_light(linear_light(part.image) * light)
    elif light is not None:
        r, g, b = (int(x) for x in encoded_light(light))
        part.color = (r, g, b)
    elif material is not None and not physical:
        r, g, b = (int(x) for x in np.asarray(material.main_color)[:3])
        part.color = (r, g, b)
