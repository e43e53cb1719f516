"""Binary PLY files with colours of vertices or a texture, named as MeshLab and BOP name it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dexman_pose.data.files import write_bytes
from dexman_pose.data.meshes.corners import split_corners
from dexman_pose.data.meshes.obj import texture_file

if TYPE_CHECKING:
    from dexman_pose.data.mesh import Mesh


def write_ply(path: str | Path, mesh: Mesh) -> Path:
    """Write a mesh as binary little-endian PLY in float32; its texture becomes a PNG beside it; returns the path.

    Raises:
        InputError: a place that cannot be written.
    """
    path = Path(path)
    index, faces, uv = split_corners(mesh)
    fields = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    columns = list(mesh.vertices[index].T)
    comment = []
    if uv is not None:
        comment = [f"comment TextureFile {texture_file(path.with_suffix(''), mesh, png=True).name}"]
        fields += [("texture_u", "<f4"), ("texture_v", "<f4")]
        columns += list(uv.T)
    elif mesh.vertex_colors is not None:
        fields += [("red", "u1"), ("green", "u1"), ("blue", "u1")]
        columns += list(mesh.vertex_colors[index].T)
    rows = np.zeros(len(index), fields)
    for (name, _), column in zip(fields, columns):
        rows[name] = column
    corners = np.zeros(len(faces), [("count", "u1"), ("corners", "<i4", 3)])
    corners["count"], corners["corners"] = 3, faces
    words = {"<f4": "float", "u1": "uchar"}
    header = [
        "ply",
        "format binary_little_endian 1.0",
        *comment,
        f"element vertex {len(rows)}",
        *(f"property {words[kind]} {name}" for name, kind in fields),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header",
    ]
    return write_bytes(path, ("\n".join(header) + "\n").encode() + rows.tobytes() + corners.tobytes())
