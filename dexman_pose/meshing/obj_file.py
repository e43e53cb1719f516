"""Wavefront OBJ files with their materials, read so that vertices stay those of the file.

A library that keeps one texture coordinate per vertex has to split the vertices at texture seams; here they
belong to the corners of the faces, so the vertex count is that of the ``v`` lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from logging import getLogger
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.errors import MeshError
from dexman_pose.meshing.parts import Part, RawMesh, rgb_array

log = getLogger(__name__)

_Corner = tuple[int, int]  # indices of vertex and texture coordinate from 0, -1 for none


@dataclass
class _Material:
    image: Path | None = None
    color: tuple[int, int, int] | None = None


@dataclass
class _Reader:
    """The state of reading one file line by line."""

    path: Path
    vertices: list[list[float]] = field(default_factory=list)
    uv: list[list[float]] = field(default_factory=list)
    faces: dict[str, list[tuple[_Corner, _Corner, _Corner]]] = field(default_factory=dict)
    material: str = ""
    libraries: list[str] = field(default_factory=list)
    known: dict[str, _Corner] = field(default_factory=dict)

    def line(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind == "v":
            self.vertices.append([float(x) for x in rest.split()])
        elif kind == "vt":
            u, v, *_ = [*map(float, rest.split()), 0.0, 0.0]
            self.uv.append([u, v])
        elif kind == "f":
            corners = [self.corner(text) for text in rest.split()]
            fan = pairwise(corners[1:])  # a polygon as a fan around its first corner
            self.faces.setdefault(self.material, []).extend((corners[0], b, c) for b, c in fan)
        elif kind == "usemtl":
            self.material = rest.strip()
        elif kind == "mtllib":
            self.libraries.append(rest.strip())

    def corner(self, text: str) -> _Corner:
        """``v``, ``v/vt``, ``v//vn`` or ``v/vt/vn``; counted from 1, or backwards from the last when negative."""
        found = self.known.get(text)
        if found is None:
            v, vt, *_ = [*text.split("/"), "", ""]
            found = (_index(v, len(self.vertices)), _index(vt, len(self.uv)) if vt else -1)
            if "-" not in text:
                self.known[text] = found
        return found


def _index(text: str, count: int) -> int:
    value = int(text)
    index = value - 1 if value > 0 else count + value
    if value == 0 or index < 0:
        raise ValueError(f"face index {value} is none of the file's")
    return index


def read_obj(path: Path) -> RawMesh:
    """Vertices, faces and materials of an OBJ file, in the file's own unit.

    Polygons are split into triangles. Texture images and colours come from the material files; one that is
    missing is reported in the log, and its faces are left without.

    Raises:
        MeshError: a line that is no OBJ.
    """
    reader = _Reader(path)
    with path.open(encoding="utf-8", errors="replace") as stream:
        text = stream.read().replace("\\\n", " ")
    for number, line in enumerate(text.splitlines(), 1):
        try:
            reader.line(line.strip().replace("\t", " "))
        except ValueError as error:
            raise MeshError(
                f"{path}, line {number}: {line.strip()[:80]!r} is no OBJ line ({error})"
            ) from error
    vertices, colors = _vertices(reader)
    materials = _materials(path, reader.libraries)
    parts = [_part(faces, name, materials.get(name), reader) for name, faces in reader.faces.items()]
    return RawMesh(vertices, parts, colors)


def _vertices(reader: _Reader) -> tuple[NDArray[np.float64], NDArray[np.uint8] | None]:
    """Positions, and the colours some programs append to them (x y z r g b, 0 to 1)."""
    if any(len(v) < 3 for v in reader.vertices):
        raise MeshError(f"{reader.path}: a vertex has fewer than 3 coordinates")
    xyz = np.array([v[:3] for v in reader.vertices], dtype=np.float64).reshape(-1, 3)
    if not reader.vertices or any(len(v) < 6 for v in reader.vertices):
        return xyz, None
    rgb = np.array([v[3:6] for v in reader.vertices])
    return xyz, np.rint(np.clip(rgb, 0.0, 1.0) * 255.0).astype(np.uint8)


def _part(
    faces: list[tuple[_Corner, _Corner, _Corner]], name: str, material: _Material | None, reader: _Reader
) -> Part:
    corners = np.array(faces, dtype=np.int64).reshape(-1, 3, 2)
    uv_index = corners[..., 1]
    if uv_index.max(initial=-1) >= len(reader.uv):
        raise MeshError(
            f"{reader.path}: a face asks for texture coordinate {uv_index.max() + 1} of {len(reader.uv)}"
        )
    part = Part(corners[..., 0], color=material.color if material else None)
    if material and material.image and (uv_index >= 0).all():
        part.image = _image(material.image, name)
        part.uv = np.array(reader.uv)[uv_index] if part.image is not None else None
    return part


def _image(path: Path, name: str) -> NDArray[np.uint8] | None:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return rgb_array(image)
    except (OSError, SyntaxError, ValueError) as error:
        log.warning("material %s goes without its texture: %s", name or "(unnamed)", error)
        return None


def _materials(path: Path, libraries: list[str]) -> dict[str, _Material]:
    found: dict[str, _Material] = {}
    for library in libraries:
        file = path.parent / library.replace("\\", "/")
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            log.warning("%s goes without its materials: %s", path, error)
            continue
        current = _Material()
        for line in text.splitlines():
            kind, _, rest = line.strip().replace("\t", " ").partition(" ")
            if kind == "newmtl":
                current = found.setdefault(rest.strip(), _Material())
            elif kind == "Kd":
                current.color = _color(rest)
            elif kind == "map_Kd":
                name = rest.split()[-1] if rest.startswith("-") else rest.strip()
                current.image = file.parent / name.replace("\\", "/")
    return found


def _color(text: str) -> tuple[int, int, int] | None:
    try:
        r, g, b = (round(min(max(float(x), 0.0), 1.0) * 255) for x in text.split()[:3])
    except ValueError:
        return None
    return r, g, b
