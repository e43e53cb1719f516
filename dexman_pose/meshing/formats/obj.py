"""Wavefront OBJ files with their materials, read so that vertices stay those of the file.

A library that keeps one texture coordinate per vertex has to split the vertices at texture seams; here they
belong to the corners of the faces, so the vertex count is that of the ``v`` lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.mesh import as_bytes
from dexman_pose.errors import MeshError
from dexman_pose.meshing.colors import Bytes
from dexman_pose.meshing.formats.mtl import Material, decoded, read_materials
from dexman_pose.meshing.parts import GREY, Part, RawMesh
from dexman_pose.meshing.polygons import split_polygons

log = getLogger(__name__)

_Corner = tuple[int, int]  # indices of vertex and texture coordinate from 0, -1 for none


@dataclass
class _Reader:
    """The state of reading one file line by line."""

    vertices: list[list[float]] = field(default_factory=list)
    uv: list[list[float]] = field(default_factory=list)
    faces: dict[str, list[list[_Corner]]] = field(default_factory=dict)
    material: str = ""
    libraries: list[str] = field(default_factory=list)
    known: dict[str, _Corner] = field(default_factory=dict)

    def line(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind == "v":
            self.vertices.append([float(x) for x in _values(rest)])
        elif kind == "vt":
            u, v, *_ = [*map(float, _values(rest)), 0.0, 0.0]
            self.uv.append([u, v])
        elif kind == "f":
            corners = [self.corner(text) for text in _values(rest)]
            self.faces.setdefault(self.material, []).append(corners)
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


def _values(text: str) -> list[str]:
    """The values of a line, without a comment behind them."""
    return text.partition("#")[0].split()


def _index(text: str, count: int) -> int:
    value = int(text)
    index = value - 1 if value > 0 else count + value
    if value == 0 or index < 0 or index > 0x7FFFFFFF:
        raise ValueError(f"face index {value} is none of the file's")
    return index


def read_obj(path: Path) -> RawMesh:
    """Vertices, faces and materials of an OBJ file, in the file's own unit.

    Polygons are split into triangles. Texture images and colours come from the material files; one that is
    missing is reported in the log, and its faces are left without. Vertices may carry colours, all or some of them.

    Raises:
        MeshError: a line that is no OBJ.
    """
    reader = _Reader()
    text = decoded(path.read_bytes()).replace("\r\n", "\n").replace("\\\n", " ")
    for number, line in enumerate(text.split("\n"), 1):
        try:
            reader.line(line.strip().replace("\t", " "))
        except (ValueError, OverflowError) as error:
            raise MeshError(
                f"{path}, line {number}: {line.strip()[:80]!r} is no OBJ line ({error})"
            ) from error
    raw = _raw_vertices(reader, path)
    materials = read_materials(path, reader.libraries)
    _settle_materials(reader, materials, path)
    for name, polygons in reader.faces.items():
        raw.parts += _parts(polygons, name, materials.get(name), reader, raw.vertices, path)
    return raw


def _raw_vertices(reader: _Reader, path: Path) -> RawMesh:
    """Positions, and the colours some programs append to them: x y z r g b, shares of white or bytes."""
    if any(len(v) < 3 for v in reader.vertices):
        raise MeshError(f"{path}: a vertex has fewer than 3 coordinates")
    xyz = np.array([v[:3] for v in reader.vertices], dtype=np.float64).reshape(-1, 3)
    colored = np.array([len(v) >= 6 for v in reader.vertices], dtype=np.bool_)
    if not colored.any():
        return RawMesh(xyz)
    colors = np.tile(np.array(GREY, np.uint8), (len(xyz), 1))
    try:
        colors[colored] = as_bytes([v[3:6] for v in reader.vertices if len(v) >= 6], "vertex colours")
    except MeshError as error:
        raise MeshError(f"{path}: {error}") from error
    return RawMesh(xyz, [], colors, None if colored.all() else colored)


def _settle_materials(reader: _Reader, materials: dict[str, Material], path: Path) -> None:
    """Faces before any ``usemtl`` take the only material there is; names that no library holds are told."""
    loose = [name for name in reader.faces if name not in materials]
    if loose == [""] == list(reader.faces) and len(materials) == 1:
        reader.faces = {next(iter(materials)): reader.faces[""]}
    elif materials and loose:
        names = ", ".join(name or "(none)" for name in loose)
        log.warning(
            "%s: faces use the material %s, but its libraries hold %s", path, names, ", ".join(materials)
        )
    elif loose not in ([], [""]) and not reader.libraries:
        log.warning("%s uses materials but names no material library (mtllib): it goes without them", path)


def _parts(
    polygons: list[list[_Corner]],
    name: str,
    material: Material | None,
    reader: _Reader,
    vertices: Array,
    path: Path,
) -> list[Part]:
    """The faces of one material; those without texture coordinates apart."""
    given = np.array([corner for corners in polygons for corner in corners], dtype=np.int64).reshape(-1, 2)
    starts = np.cumsum([0, *map(len, polygons)])
    place, face = split_polygons(starts, given[:, 0], vertices)
    corners: NDArray[np.int64] = given[starts[face][:, None] + place]
    uv_index = corners[..., 1]
    if uv_index.max(initial=-1) >= len(reader.uv):
        raise MeshError(
            f"{path}: a face asks for texture coordinate {uv_index.max() + 1} of {len(reader.uv)}"
        )
    color = material.color if material else None
    mapped: NDArray[np.bool_] = np.all(uv_index >= 0, axis=1)
    image: Bytes | None = material.image(name) if material and mapped.any() else None
    if material is None or image is None:
        return [Part(corners[..., 0], color=color)]
    uv: Array = np.array(reader.uv)[uv_index[mapped]]
    uv, image = material.placed(uv, image)
    parts = [Part(corners[mapped, :, 0], uv, image)]
    if not mapped.all():
        log.warning("%s: %d faces of material %s have no texture coordinates", path, (~mapped).sum(), name)
        parts.append(Part(corners[~mapped, :, 0], color=color))
    return parts
