"""STL files, binary and in text: three positions for every face, equal ones not yet merged."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import MeshError
from dexman_pose.meshing.parts import Part, RawMesh

_HEAD, _FACET = 84, 50  # bytes: 80 of anything and the number of facets; 12 floats and 2 bytes


def read_stl(path: Path) -> RawMesh:
    """Faces of an STL file, in the file's own unit.

    Whether it is binary is told by its length: binary files too may begin with the word "solid".

    Raises:
        MeshError: neither kind, or cut short.
    """
    data = path.read_bytes()
    promised = int.from_bytes(data[80:_HEAD], "little") if len(data) >= _HEAD else -1
    text = data[:512].lstrip()[:5].lower() == b"solid" and b"\0" not in data[:512]
    if promised >= 0 and len(data) >= _HEAD + _FACET * promised and not (text and b"facet" in data[:1024]):
        return _raw(_binary(data, promised))
    if text:
        return _raw(_text(path, data))
    if promised > 0:
        there = (len(data) - _HEAD) // _FACET
        raise MeshError(
            f"{path} is cut short or no STL: a binary STL of its head would hold {promised} facets, but there are "
            f"bytes for {there}; copy or export it again"
        )
    raise MeshError(
        f"{path} cannot be read as STL: it is neither binary STL nor text that begins with 'solid'"
    )


def _raw(corners: Array) -> RawMesh:
    """A mesh of corners (F, 3, 3)."""
    faces = np.arange(3 * len(corners)).reshape(-1, 3)
    return RawMesh(corners.reshape(-1, 3), [Part(faces)] if len(faces) else [])


def _binary(data: bytes, count: int) -> Array:
    kind = np.dtype([("normal", "<f4", (3,)), ("corners", "<f4", (3, 3)), ("more", "<u2")])
    out: Array = np.frombuffer(data, kind, count, _HEAD)["corners"].astype(np.float64)
    return out


def _text(path: Path, data: bytes) -> Array:
    text = data.decode("latin-1").lower()
    if "endsolid" not in text.rstrip().rpartition("\n")[2]:
        raise MeshError(f"{path} is cut short: it has no endsolid at its end; copy or export it again")
    found = re.findall(r"vertex\s+(\S+)\s+(\S+)\s+(\S+)", text)
    if len(found) != 3 * len(re.findall(r"endfacet", text)):
        raise MeshError(f"{path} cannot be read as STL: its facets do not have three vertices each")
    try:
        return np.array(found, dtype=np.float64).reshape(-1, 3, 3)
    except ValueError as error:
        raise MeshError(f"{path} cannot be read as STL: a vertex must be three numbers ({error})") from error
