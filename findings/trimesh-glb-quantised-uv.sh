#!/usr/bin/env bash
# trimesh and glTF texture coordinates stored as normalised 16-bit integers.
#
# Expected, by the glTF 2.0 specification (3.6.2.2, accessor data types; 3.7.2.1 allows TEXCOORD_n as normalised unsigned
# byte or short): an accessor with "normalized": true holds value / 65535, so 65535 means 1.0.
# Seen: the integers come out as they are stored, 0 to 65535, and every texel is looked up in the wrong place.
# Exit status: 0 while that is so, 1 when the coordinates come out between 0 and 1.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "trimesh==5.2.0" "numpy==2.3.5" "pillow==11.3.0"

"$work/venv/bin/python" - "$work" <<'PYTHON'
import io
import json
import struct
import sys
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

positions = np.array([[0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0], [0, 0.1, 0]], np.float32)
uv = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
indices = np.array([0, 1, 2, 0, 2, 3], np.uint16)
stream = io.BytesIO()
Image.new("RGB", (8, 8), (200, 30, 10)).save(stream, "PNG")


def glb(path: Path, coordinates: np.ndarray, kind: int) -> None:
    parts = (positions.tobytes(), coordinates.tobytes(), indices.tobytes(), stream.getvalue())
    blobs = [b + b"\0" * (-len(b) % 4) for b in parts]
    starts = np.cumsum([0] + [len(b) for b in blobs])
    normal = {"normalized": True} if kind != 5126 else {}
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2, "material": 0}]}
        ],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 3, "mimeType": "image/png"}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3",
             "min": [0, 0, 0], "max": [0.1, 0.1, 0]},
            {"bufferView": 1, "componentType": kind, "count": 4, "type": "VEC2", **normal},
            {"bufferView": 2, "componentType": 5123, "count": 6, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": int(a), "byteLength": len(b)} for a, b in zip(starts, blobs)
        ],
        "buffers": [{"byteLength": int(starts[-1])}],
    }
    text, blob = json.dumps(document).encode(), b"".join(blobs)
    text += b" " * (-len(text) % 4)
    path.write_bytes(
        struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(blob))
        + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(blob), b"BIN\0") + blob
    )


def largest(path: Path) -> float:
    scene = trimesh.load(path, process=False)
    (mesh,) = scene.geometry.values()
    return float(np.abs(mesh.visual.uv).max())


folder = Path(sys.argv[1])
glb(folder / "float.glb", uv, 5126)
glb(folder / "ushort.glb", np.rint(uv * 65535).astype(np.uint16), 5123)
plain, quantised = largest(folder / "float.glb"), largest(folder / "ushort.glb")
print(f"trimesh {trimesh.__version__}")
print("expected: largest texture coordinate 1 in both files")
print(f"seen: {plain:g} from floats, {quantised:g} from normalised 16-bit integers")
sys.exit(0 if plain <= 1 and quantised > 2 else 1)
PYTHON
