"""A mesh in glTF's terms, and as a GLB file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dexman_pose.data.files import write_bytes
from dexman_pose.data.frames.texture_png import coded_texture
from dexman_pose.data.meshes.corners import split_corners
from dexman_pose.data.meshes.gltf_parts import ARRAY_BUFFER, ELEMENT_BUFFER, GltfParts
from dexman_pose.data.meshes.light import linear_light

if TYPE_CHECKING:
    from dexman_pose.data.mesh import Mesh

WHITE = (255, 255, 255)
_JPEG = b"\xff\xd8"


def write_glb(path: str | Path, mesh: Mesh) -> Path:
    """Write a mesh as GLB, its axes as they are, float32; returns the path.

    Colours are linear light, as the standard has it; trimesh's writer puts display bytes there, too bright elsewhere.

    Raises:
        InputError: a place that cannot be written.
    """
    path, parts = Path(path), GltfParts()
    node = parts.node(path.stem, mesh=add_mesh(parts, path.stem, mesh))
    return write_bytes(path, parts.glb(node, {}, path.stem))


def add_mesh(parts: GltfParts, name: str, mesh: Mesh, color: tuple[int, int, int] = WHITE) -> int:
    """Add a mesh with its texture or colours to a file in the making; returns its index.

    Args:
        parts: the file.
        name: of mesh and material.
        mesh: metres.
        color: display bytes of a mesh that has no colours.
    """
    index, faces, uv = split_corners(mesh)
    attributes = {"POSITION": parts.array(mesh.vertices[index], target=ARRAY_BUFFER)}
    look: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 1.0}
    if uv is not None:
        attributes["TEXCOORD_0"] = parts.array(uv * [1.0, -1.0] + [0.0, 1.0], target=ARRAY_BUFFER)
        look["baseColorTexture"] = {"index": _texture(parts, mesh)}
    elif mesh.vertex_colors is not None:
        attributes["COLOR_0"] = parts.array(linear_light(mesh.vertex_colors[index]), target=ARRAY_BUFFER)
    else:
        look["baseColorFactor"] = [*linear_light(np.array(color, np.uint8)).tolist(), 1.0]
    material = parts.add("materials", {"name": name, "pbrMetallicRoughness": look, "doubleSided": True})
    primitive = {
        "attributes": attributes,
        "indices": parts.array(faces.reshape(-1), "u4", ELEMENT_BUFFER),
        "material": material,
    }
    return parts.add("meshes", {"name": name, "primitives": [primitive]})


def _texture(parts: GltfParts, mesh: Mesh) -> int:
    assert mesh.texture is not None
    data = coded_texture(mesh.texture).tobytes()
    kind = "image/jpeg" if data.startswith(_JPEG) else "image/png"
    image = parts.add("images", {"bufferView": parts.blob(data), "mimeType": kind})
    if not parts.content["samplers"]:
        parts.add("samplers", {})  # repeats, as our textures do
    return parts.add("textures", {"source": image, "sampler": 0})
