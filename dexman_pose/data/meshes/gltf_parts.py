"""A glTF file in the making: arrays into one buffer, and lists of nodes, meshes, materials that refer to them.

Layout by the glTF 2.0 specification (Khronos): little-endian, +Y up, metres, seconds, quaternions xyzw.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COMPONENTS = {"f4": 5126, "u4": 5125, "u2": 5123, "u1": 5121}
_KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_ALIGN = 4
_MAGIC, _VERSION = 0x46546C67, 2
_JSON, _BIN = 0x4E4F534A, 0x004E4942
_LISTS = (
    "nodes",
    "meshes",
    "materials",
    "textures",
    "images",
    "samplers",
    "accessors",
    "bufferViews",
    "skins",
    "cameras",
)
ARRAY_BUFFER, ELEMENT_BUFFER = 34962, 34963
"""What vertices and what indices are for."""


class GltfParts:
    """Collects the parts of one file."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self.content: dict[str, list[Any]] = {key: [] for key in _LISTS}
        self.channels: list[dict[str, Any]] = []
        self.samplers: list[dict[str, Any]] = []

    def add(self, kind: str, entry: dict[str, Any]) -> int:
        """Append an entry to one of the lists; returns its index."""
        self.content[kind].append(entry)
        return len(self.content[kind]) - 1

    def blob(self, data: bytes, target: int | None = None) -> int:
        """Append bytes; returns the index of their view."""
        self._bytes += b"\0" * (-len(self._bytes) % _ALIGN)
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self._bytes), "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self._bytes += data
        return self.add("bufferViews", view)

    def array(self, values: Any, dtype: str = "f4", target: int | None = None) -> int:
        """Append rows (N,) or (N, k) as ``f4``, ``u4``, ``u2`` or ``u1``; returns the index of their accessor."""
        rows: NDArray[Any] = np.ascontiguousarray(values, dtype=f"<{dtype}")
        flat = rows.reshape(len(rows), -1)
        entry = {
            "bufferView": self.blob(rows.tobytes(), target),
            "componentType": _COMPONENTS[dtype],
            "count": len(rows),
            "type": _KINDS[flat.shape[1]],
        }
        if flat.shape[1] <= 3:  # needed of positions and times, helpful elsewhere
            entry |= {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
        return self.add("accessors", entry)

    def node(self, name: str, parent: int | None = None, **entries: Any) -> int:
        """Append a node, as a child where a parent is given; returns its index."""
        index = self.add("nodes", {"name": name, **entries})
        if parent is not None:
            self.content["nodes"][parent].setdefault("children", []).append(index)
        return index

    def animate(self, node: int, path: str, times: int, values: Any, how: str = "LINEAR") -> None:
        """Let a property of a node follow values, one per time of an accessor."""
        self.samplers.append({"input": times, "output": self.array(values), "interpolation": how})
        target = {"node": node, "path": path}
        self.channels.append({"sampler": len(self.samplers) - 1, "target": target})

    def glb(self, root: int, extras: dict[str, Any], name: str) -> bytes:
        """The file, with one scene and one animation."""
        document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "dexman_pose", "extras": extras},
            "scene": 0,
            "scenes": [{"name": name, "nodes": [root]}],
            **{key: value for key, value in self.content.items() if value},
            "buffers": [{"byteLength": len(self._bytes)}],
        }
        if self.channels:
            document["animations"] = [{"name": "clip", "channels": self.channels, "samplers": self.samplers}]
        text = json.dumps(document, allow_nan=False).encode()
        chunks = _chunk(_JSON, text, b" ") + _chunk(_BIN, bytes(self._bytes), b"\0")
        return struct.pack("<III", _MAGIC, _VERSION, 12 + len(chunks)) + chunks


def _chunk(kind: int, data: bytes, fill: bytes) -> bytes:
    data += fill * (-len(data) % _ALIGN)
    return struct.pack("<II", len(data), kind) + data
