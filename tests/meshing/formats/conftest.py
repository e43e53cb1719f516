"""Writers of small mesh files, by the text of the formats and by no library."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.data import Mesh

KINDS = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
SHAPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}

WriteGlb = Callable[..., Path]
Sample = Callable[[Mesh, int, Any], list[int]]


def accessor(array: NDArray[Any], view: int, normalized: bool) -> dict[str, Any]:
    width = 1 if array.ndim == 1 else array.shape[1]
    return {
        "bufferView": view,
        "componentType": KINDS[array.dtype.name],
        "count": len(array),
        "type": SHAPES[width],
        "normalized": normalized,
    }


@pytest.fixture
def write_glb(tmp_path: Path) -> WriteGlb:
    """Writes one primitive with attributes, an optional picture, and changes to the document."""

    def write(
        attributes: dict[str, NDArray[Any]],
        faces: Any = ((0, 1, 2), (0, 2, 3)),
        *,
        picture: NDArray[np.uint8] | None = None,
        material: dict[str, Any] | None = None,
        change: Callable[[dict[str, Any]], None] | None = None,
        name: str = "a.glb",
    ) -> Path:
        arrays = {k: np.ascontiguousarray(v) for k, v in attributes.items()}
        blobs = [a.tobytes() for a in arrays.values()] + [np.asarray(faces, np.uint32).tobytes()]
        accessors = [
            accessor(a, i, k != "POSITION" and a.dtype.kind != "f") for i, (k, a) in enumerate(arrays.items())
        ]
        accessors.append(accessor(np.asarray(faces, np.uint32).reshape(-1), len(arrays), False))
        primitive: dict[str, Any] = {
            "attributes": {k: i for i, k in enumerate(arrays)},
            "indices": len(arrays),
        }
        document: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": [primitive]}],
            "accessors": accessors,
        }
        if material is not None:
            primitive["material"], document["materials"] = 0, [material]
        if picture is not None:
            stream = io.BytesIO()
            Image.fromarray(picture).save(stream, "PNG")
            blobs.append(stream.getvalue())
            document["images"] = [{"bufferView": len(blobs) - 1, "mimeType": "image/png"}]
            document["textures"] = [{"source": 0}]
        blobs = [b + b"\0" * (-len(b) % 4) for b in blobs]
        starts = np.cumsum([0] + [len(b) for b in blobs])
        document["bufferViews"] = [
            {"buffer": 0, "byteOffset": int(a), "byteLength": len(b)} for a, b in zip(starts, blobs)
        ]
        document["buffers"] = [{"byteLength": int(starts[-1])}]
        if change is not None:
            change(document)
        text, blob = json.dumps(document).encode(), b"".join(blobs)
        text += b" " * (-len(text) % 4)
        head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(blob))
        chunks = (
            struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(blob), b"BIN\0") + blob
        )
        path = tmp_path / name
        path.write_bytes(head + chunks)
        return path

    return write


@pytest.fixture
def sample() -> Sample:
    """Colour of the texture at barycentric weights of a face: nearest pixel of the picture, which repeats."""

    def at(mesh: Mesh, face: int, weights: Any) -> list[int]:
        assert mesh.uv is not None and mesh.texture is not None
        u, v = np.asarray(weights) @ mesh.uv[face]
        height, width = mesh.texture.shape[:2]
        row, column = int(np.floor((1 - v) * height)) % height, int(np.floor(u * width)) % width
        color: list[int] = mesh.texture[row, column].tolist()
        return color

    return at
