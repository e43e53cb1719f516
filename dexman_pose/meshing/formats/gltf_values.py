"""The document of a glTF 2.0 file, its buffers, and the numbers and pictures in them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import MeshError
from dexman_pose.meshing.formats.pictures import beside

_KINDS = {5120: "i1", 5121: "u1", 5122: "i2", 5123: "u2", 5125: "u4", 5126: "f4"}
_SIZES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_JSON, _BIN = 0x4E4F534A, 0x004E4942
_MOST = 1 << 24  # numbers of an accessor without bytes of its own


@dataclass
class Document:
    """A glTF file.

    Attributes:
        path: the file.
        content: its JSON.
        blob: the binary chunk of a GLB, or nothing.
    """

    path: Path
    content: dict[str, Any]
    blob: bytes = b""
    _buffers: dict[int, bytes] = field(default_factory=dict)

    def items(self, kind: str) -> list[dict[str, Any]]:
        """All entries of one kind: nodes, meshes, materials."""
        found = self.content.get(kind, [])
        return found if isinstance(found, list) else []

    def item(self, kind: str, index: Any) -> dict[str, Any]:
        """One entry.

        Raises:
            MeshError: the file has none of that index.
        """
        found = self.items(kind)
        if not isinstance(index, int) or not 0 <= index < len(found) or not isinstance(found[index], dict):
            raise self.wrong(f"it asks for {index!r} of {len(found)} {kind}")
        return found[index]

    def wrong(self, what: str) -> MeshError:
        """The error of a file that is no glTF, or damaged."""
        return MeshError(f"{self.path} cannot be read as {self.path.suffix[1:].upper()}: {what}")

    def view(self, index: int) -> tuple[bytes, int]:
        """The bytes of a buffer view, and its stride (0: tightly packed)."""
        view = self.item("bufferViews", index)
        for name in view.get("extensions", {}):
            if "compression" in name:
                raise self.wrong(
                    f"it needs the extension {name}, which is not understood; export it without compression"
                )
        buffer = self._buffer(view["buffer"])
        start, length = int(view.get("byteOffset", 0)), int(view["byteLength"])
        if start < 0 or length < 0 or start + length > len(buffer):
            raise MeshError(f"{self.path} is cut short: a buffer has {len(buffer)} bytes of {start + length}")
        return buffer[start : start + length], int(view.get("byteStride", 0))

    def _buffer(self, index: int) -> bytes:
        if index not in self._buffers:
            buffer = self.item("buffers", index)
            uri = buffer.get("uri")
            self._buffers[index] = self.blob if uri is None else self.resource(str(uri))
            there, promised = len(self._buffers[index]), int(buffer["byteLength"])
            if there < promised:
                raise MeshError(f"{self.path} is cut short: a buffer has {there} bytes of {promised}")
        return self._buffers[index]

    def resource(self, uri: str) -> bytes:
        """The bytes behind an address: inside the file, or in a file beside it."""
        if uri.startswith("data:"):
            head, _, body = uri.partition(",")
            return base64.b64decode(body) if head.endswith(";base64") else unquote_to_bytes(body)
        file = beside(self.path.parent, unquote(uri))
        try:
            return file.read_bytes()
        except (OSError, ValueError) as error:
            raise self.wrong(f"the file {uri} that it names is not beside it") from error

    def values(self, index: int) -> Array:
        """The numbers of an accessor (count, components) as float64; normalised integers in 0 to 1 or -1 to 1."""
        accessor = self.item("accessors", index)
        raw = self.raw(index)
        out: Array = raw.astype(np.float64)
        if accessor.get("normalized") and raw.dtype.kind in "iu":
            out = np.maximum(out / np.iinfo(raw.dtype).max, -1.0)
        return out

    def raw(self, index: int) -> NDArray[Any]:
        """The numbers of an accessor (count, components) in their own type."""
        accessor = self.item("accessors", index)
        width = self._width(accessor)
        kind, count = np.dtype("<" + self._kind(accessor)), int(accessor["count"])
        if "bufferView" in accessor:
            out = self._read(accessor["bufferView"], int(accessor.get("byteOffset", 0)), kind, count, width)
        else:
            if not 0 <= count * width <= _MOST:
                raise self.wrong(f"an accessor of {count} values")
            out = np.zeros((count, width), kind)
        sparse = accessor.get("sparse")
        if sparse:
            out = self._replaced(out, sparse)
        return out

    def _replaced(self, base: NDArray[Any], sparse: dict[str, Any]) -> NDArray[Any]:
        count, at, values = int(sparse["count"]), sparse["indices"], sparse["values"]
        kind = np.dtype("<" + self._kind(at))
        rows = self._read(at["bufferView"], int(at.get("byteOffset", 0)), kind, count, 1)[:, 0]
        if count and rows.max() >= len(base):
            raise self.wrong(f"a sparse accessor replaces entry {rows.max()} of {len(base)}")
        out = base.copy()
        out[rows] = self._read(
            values["bufferView"], int(values.get("byteOffset", 0)), base.dtype, count, base.shape[1]
        )
        return out

    def _read(self, view: int, offset: int, kind: np.dtype[Any], count: int, width: int) -> NDArray[Any]:
        data, stride = self.view(view)
        row = kind.itemsize * width
        stride = stride or row
        if count < 0 or offset < 0 or (count and offset + (count - 1) * stride + row > len(data)):
            raise MeshError(
                f"{self.path} is cut short: {count} values of {row} bytes do not fit into {len(data)} bytes"
            )
        if count == 0:
            return np.zeros((0, width), kind)
        return np.ndarray((count, width), kind, data, offset, (stride, kind.itemsize)).copy()

    def _kind(self, accessor: dict[str, Any]) -> str:
        found = _KINDS.get(accessor.get("componentType", -1))
        if found is None:
            raise self.wrong(f"componentType {accessor.get('componentType')!r} is none of glTF's")
        return found

    def _width(self, accessor: dict[str, Any]) -> int:
        found = _SIZES.get(str(accessor.get("type")))
        if found is None:
            raise self.wrong(f"the accessor type {accessor.get('type')!r} is none of glTF's")
        return found


def read_document(path: Path) -> Document:
    """The document of a GLB or glTF file, whichever it is called.

    Raises:
        MeshError: neither, of another version than 2, or cut short.
    """
    data = path.read_bytes()
    document = Document(path, {})
    text, document.blob = _chunks(document, data) if data[:4] == b"glTF" else (data, b"")
    try:
        content = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise document.wrong("it holds no JSON") from error
    if not isinstance(content, dict) or not isinstance(content.get("asset"), dict):
        raise document.wrong("it has no asset")
    if not str(content["asset"].get("version", "")).startswith("2."):
        raise document.wrong(f"it is glTF {content['asset'].get('version')}; export it as glTF 2.0")
    document.content = content
    return document


def _chunks(document: Document, data: bytes) -> tuple[bytes, bytes]:
    """The JSON and the binary chunk of a GLB."""
    version, length = (int(x) for x in np.frombuffer(data[4:12].ljust(8, b"\0"), "<u4"))
    if version != 2:
        raise document.wrong(f"it is glTF {version}; export it as glTF 2.0")
    if length > len(data):
        raise MeshError(
            f"{document.path} is cut short: {len(data)} of its {length} bytes are there; copy it again"
        )
    found, at = dict[int, bytes](), 12
    while at + 8 <= length:
        size, kind = (int(x) for x in np.frombuffer(data, "<u4", 2, at))
        if at + 8 + size > length:
            raise document.wrong("a chunk is longer than the file")
        found.setdefault(kind, data[at + 8 : at + 8 + size])
        at += 8 + size
    if _JSON not in found:
        raise document.wrong("it has no JSON chunk")
    return found[_JSON], found.get(_BIN, b"")
