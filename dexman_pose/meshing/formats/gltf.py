"""glTF 2.0 files (GLB and glTF): the default scene put together, in its own axes, with the looks of its faces.

After the Khronos Group's glTF 2.0 specification. Animations, skins and morph targets are left at rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import MeshError
from dexman_pose.meshing.formats.gltf_look import Looks
from dexman_pose.meshing.formats.gltf_values import Document, read_document
from dexman_pose.meshing.parts import RawMesh

log = getLogger(__name__)

_UNDERSTOOD = {
    "EXT_texture_webp",
    "KHR_lights_punctual",
    "KHR_mesh_quantization",
    "KHR_texture_transform",
    "KHR_xmp",
    "KHR_xmp_json_ld",
}
"""Required extensions that are read, or that change nothing but light; all of ``KHR_materials_`` besides."""

_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_DEEPEST = 256  # storeys of a scene


def read_gltf(path: Path) -> RawMesh:
    """Vertices, faces, texture and colours of a glTF file, in metres by its standard.

    Raises:
        MeshError: no glTF 2.0, damaged, or it needs an extension that is not understood.
    """
    document = read_document(path)
    _refuse_extensions(document)
    looks = Looks(document)
    vertices, raw = [np.zeros((0, 3))], RawMesh(np.zeros((0, 3)), standard="m")
    for scene_from_mesh, mesh in _placed_meshes(document):
        for primitive in document.item("meshes", mesh).get("primitives", []):
            points, faces = _geometry(document, primitive)
            if len(faces) == 0:
                vertices.append(points)
                continue
            if np.linalg.det(scene_from_mesh[:3, :3]) < 0:
                faces = faces[:, ::-1]  # a mirror image, seen from its outside again
            start = sum(len(v) for v in vertices)
            vertices.append(points @ scene_from_mesh[:3, :3].T + scene_from_mesh[:3, 3])
            part = looks.part(primitive, faces, len(points))
            part.faces = faces + start
            raw.parts.append(part)
    raw.vertices = np.concatenate(vertices)
    return raw


def _refuse_extensions(document: Document) -> None:
    needed = document.content.get("extensionsRequired", [])
    strange = [
        str(name) for name in needed if name not in _UNDERSTOOD and not str(name).startswith("KHR_materials_")
    ]
    if strange:
        raise document.wrong(
            f"it needs the extension {', '.join(strange)}, which is not understood; export it without compression "
            "and other extensions"
        )


def _placed_meshes(document: Document) -> Iterator[tuple[Array, int]]:
    """scene_from_mesh (4, 4) and the index of every mesh of the default scene; of all nodes where there is none."""
    scenes, nodes = document.items("scenes"), document.items("nodes")
    if scenes:
        roots = document.item("scenes", document.content.get("scene", 0)).get("nodes", [])
    else:
        below = {child for node in nodes for child in node.get("children", [])}
        roots = [i for i in range(len(nodes)) if i not in below]
    if not nodes:
        yield from ((np.eye(4), i) for i in range(len(document.items("meshes"))))
    waiting = [(root, np.eye(4), 0) for root in reversed(roots)]
    met: set[int] = set()
    while waiting:
        index, scene_from_parent, depth = waiting.pop()
        node = document.item("nodes", index)
        if index in met or depth > _DEEPEST:
            raise document.wrong(f"node {index} is its own child, or the child of two nodes")
        met.add(index)
        scene_from_node = scene_from_parent @ _transform(document, node)
        if "mesh" in node:
            yield scene_from_node, node["mesh"]
        waiting += [(child, scene_from_node, depth + 1) for child in reversed(node.get("children", []))]


def _transform(document: Document, node: dict[str, Any]) -> Array:
    """parent_from_node (4, 4), of its matrix (by columns) or of translation, rotation xyzw and scale."""
    if "matrix" in node:
        return _numbers(document, node["matrix"], 16).reshape(4, 4).T
    x, y, z, w = _numbers(document, node.get("rotation", [0, 0, 0, 1]), 4)
    norm = x * x + y * y + z * z + w * w
    if norm < 1e-12:
        raise document.wrong("a node's rotation is all zeros")
    s = 2.0 / norm
    out = np.eye(4)
    out[:3, :3] = [
        [1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)],
        [s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x)],
        [s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y)],
    ]
    out[:3, :3] *= _numbers(document, node.get("scale", [1, 1, 1]), 3)
    out[:3, 3] = _numbers(document, node.get("translation", [0, 0, 0]), 3)
    return out


def _numbers(document: Document, values: Any, count: int) -> Array:
    out = np.array(values, dtype=np.float64).reshape(-1)
    if len(out) != count or not np.isfinite(out).all():
        raise document.wrong(f"a node's transform must be {count} finite numbers")
    return out


def _geometry(document: Document, primitive: dict[str, Any]) -> tuple[Array, NDArray[np.int64]]:
    """Positions (V, 3) and triangles (F, 3) of one primitive; no triangles for points and lines."""
    attributes = primitive.get("attributes", {})
    none = np.zeros((0, 3), np.int64)
    if "POSITION" not in attributes:
        return np.zeros((0, 3)), none
    packed = [name for name in primitive.get("extensions", {}) if "compression" in name]
    if packed and "bufferView" not in document.item("accessors", attributes["POSITION"]):
        raise document.wrong(
            f"it needs the extension {packed[0]}, which is not understood; export it without compression"
        )
    points = document.values(attributes["POSITION"])
    if points.shape[1] != 3:
        raise document.wrong("positions must have three coordinates")
    order = np.arange(len(points))
    if "indices" in primitive:
        order = document.raw(primitive["indices"])[:, 0].astype(np.int64)
    mode = primitive.get("mode", _TRIANGLES)
    if order.max(initial=-1) >= len(points):
        raise MeshError(f"{document.path}: faces use vertex {order.max()}, but there are {len(points)}")
    if mode == _TRIANGLES:
        if len(order) % 3:
            raise document.wrong(f"{len(order)} indices make no triangles")
        return points, order.reshape(-1, 3)
    if len(order) < 3 or mode not in (_STRIP, _FAN):
        return points, none
    if mode == _FAN:
        return points, np.stack([np.full(len(order) - 2, order[0]), order[1:-1], order[2:]], 1)
    faces = np.stack([order[:-2], order[1:-1], order[2:]], 1)
    faces[1::2] = faces[1::2][:, [0, 2, 1]]
    return points, faces
