"""A mesh as one of trimesh, and as a file of any format that trimesh writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dexman_pose.data.files import write_bytes
from dexman_pose.data.meshes.corners import split_corners
from dexman_pose.data.meshes.glb import write_glb
from dexman_pose.data.meshes.obj import write_obj
from dexman_pose.data.meshes.ply import write_ply
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    import trimesh

    from dexman_pose.data.mesh import Mesh

SUFFIXES = (".obj", ".glb", ".ply", ".stl", ".off")
"""Of the files that :func:`save_mesh` writes."""


def trimesh_of(mesh: Mesh) -> trimesh.Trimesh:
    """Make trimesh's mesh of ours: same axes, metres; colours or texture kept, vertices doubled along seams."""
    import trimesh

    index, faces, uv = split_corners(mesh)
    visual: Any = None
    if uv is not None:
        from PIL import Image

        look = trimesh.visual.material.PBRMaterial(
            baseColorTexture=Image.fromarray(np.asarray(mesh.texture)),
            baseColorFactor=[255, 255, 255, 255],
            metallicFactor=0.0,
            roughnessFactor=1.0,
        )
        visual = trimesh.visual.TextureVisuals(uv=uv, material=look)
    elif mesh.vertex_colors is not None:
        visual = trimesh.visual.ColorVisuals(vertex_colors=mesh.vertex_colors)
    return trimesh.Trimesh(mesh.vertices[index], faces, visual=visual, process=False)


def save_mesh(mesh: Mesh, path: str | Path) -> Path:
    """Write a mesh file, atomically; returns its path.

    Axes and metres stay as they are: OBJ with all digits, texture and material beside it; GLB with texture inside; PLY
    with colours of vertices or a texture beside it; GLB and PLY in float32; STL and OFF of the shape alone.

    Args:
        mesh: what to write.
        path: ends in one of :data:`SUFFIXES`.

    Raises:
        InputError: another suffix, or a place that cannot be written.
    """
    path = Path(path).expanduser()
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise InputError(f"a mesh is saved as {', '.join(SUFFIXES)}, but the path is {path}")
    if kind == ".obj":
        return write_obj(path, mesh)
    if kind == ".glb":
        return write_glb(path, mesh)
    if kind == ".ply":
        return write_ply(path, mesh)
    data = trimesh_of(mesh).export(file_type=kind[1:])
    return write_bytes(path, data.encode() if isinstance(data, str) else data)
