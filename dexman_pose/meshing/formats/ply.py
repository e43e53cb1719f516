"""PLY files with their textures and colours: per vertex, per face, or per corner of a face.

The vertices stay those of the file: texture coordinates belong to the corners of the faces, so that a seam splits
nothing.
"""

from __future__ import annotations

from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.mesh import as_bytes
from dexman_pose.errors import MeshError
from dexman_pose.meshing.colors import Bytes
from dexman_pose.meshing.formats.pictures import picture_beside
from dexman_pose.meshing.formats.ply_table import Lists, PlyTable, read_table
from dexman_pose.meshing.parts import Part, RawMesh
from dexman_pose.meshing.polygons import split_polygons

log = getLogger(__name__)

_INDEX = ("vertex_indices", "vertex_index")


def read_ply(path: Path) -> RawMesh:
    """Vertices, faces, texture and colours of a PLY file, in the file's own unit.

    Polygons are split into triangles. A texture that is named and not there is told in the log.

    Raises:
        MeshError: no PLY, cut short, or values that are no geometry.
    """
    table = read_table(path)
    axes = [table.column("vertex", axis) for axis in "xyz"]
    if any(axis is None for axis in axes):
        raise MeshError(f"{path} cannot be read as PLY: its vertices have no x, y, z")
    vertices = np.stack([np.asarray(axis, np.float64) for axis in axes], 1)
    raw = RawMesh(vertices, [], _colors(table, "vertex", path))
    polygons = table.lists("face", *_INDEX)
    if polygons is None:
        polygons = _strips(table)
        if polygons is None:
            return raw
        table.columns["face"] = {}
    indices = _whole(polygons.values, path)
    place, face = split_polygons(polygons.starts, indices, vertices)
    faces = indices[polygons.starts[face][:, None] + place]
    colors = None if raw.vertex_colors is not None else _colors(table, "face", path)
    shown = None if colors is None else np.repeat(colors[face][:, None], 3, axis=1)
    uv, mapped = _coordinates(table, path, faces, polygons, face, place)
    number = table.column("face", "texnumber")
    which = np.where(mapped, 0 if number is None else np.asarray(number, np.int64)[face], -1)
    raw.parts = _by_picture(table, path, faces, uv, which, shown)
    return raw


def _strips(table: PlyTable) -> Lists | None:
    """Triangles of strips (every further vertex makes one, turned about each time; -1 begins anew) as polygons."""
    strips = table.lists("tristrips", *_INDEX)
    if strips is None:
        return None
    v = strips.values.astype(np.int64)
    three = np.stack([v[:-2], v[1:-1], v[2:]], 1) if len(v) > 2 else np.zeros((0, 3), np.int64)
    begin = np.zeros(len(v) + 1, np.int64)
    begin[strips.starts[:-1]] = strips.starts[:-1]
    begin[1:][v == -1] = np.nonzero(v == -1)[0] + 1
    since = np.arange(len(three)) - np.maximum.accumulate(begin)[: len(three)]
    three[since % 2 == 1] = three[since % 2 == 1][:, [1, 0, 2]]
    ends = np.zeros(len(v) + 1, bool)
    ends[strips.starts[1:-1]] = True  # a strip of the next row does not go on with this one's
    crosses = ends[1 : 1 + len(three)] | ends[2 : 2 + len(three)]
    good = (three >= 0).all(1) & ~crosses & (three[:, 0] != three[:, 1])
    good &= (three[:, 1] != three[:, 2]) & (three[:, 2] != three[:, 0])
    return Lists(three[good].reshape(-1), np.arange(good.sum() + 1) * 3)


def _by_picture(
    table: PlyTable,
    path: Path,
    faces: NDArray[np.int64],
    uv: Array | None,
    which: NDArray[np.int64],
    shown: Bytes | None,
) -> list[Part]:
    """Faces (F, 3) with their texture coordinates, apart where there are several pictures; else with their colours."""
    said = [c.split(None, 1) for c in table.comments]
    names = [words[1] for words in said if len(words) > 1 and words[0].lower() == "texturefile"]
    if names and uv is None:
        log.warning("%s names the texture %s but has no texture coordinates", path, names[0])
    if not names or uv is None:
        return [Part(faces, corners=shown)]
    which = which.clip(-1, len(names) - 1)
    parts = []
    for k in range(-1, len(names)):
        mine = which == k
        if not mine.any():
            continue
        image = picture_beside(path.parent, names[k], str(path)) if k >= 0 else None
        colors = None if shown is None or image is not None else shown[mine]
        parts.append(Part(faces[mine], None if image is None else uv[mine], image, corners=colors))
    return parts


def _coordinates(
    table: PlyTable,
    path: Path,
    faces: NDArray[np.int64],
    polygons: Lists,
    face: NDArray[np.int64],
    place: NDArray[np.int64],
) -> tuple[Array | None, NDArray[np.bool_]]:
    """(F, 3, 2) texture coordinates and (F,) which faces have them; those of corners come before those of vertices."""
    everything = np.ones(len(faces), np.bool_)
    wedges = table.lists("face", "texcoord", "texture_coordinates")
    if wedges is not None and len(wedges.values):
        counts, corners = np.diff(wedges.starts), np.diff(polygons.starts)
        fits = counts == 2 * corners
        if not (fits | (counts == 0)).all():
            bad = int(np.argmin(fits | (counts == 0)))
            raise MeshError(
                f"{path}: face {bad} has {corners[bad]} corners and {counts[bad]} numbers in texcoord; "
                "two for each corner are expected"
            )
        mapped = fits[face]
        at = np.where(mapped[:, None], wedges.starts[face][:, None] + 2 * place, 0)
        values = np.append(wedges.values.astype(np.float64), 0.0)
        return np.stack([values[at], values[at + 1]], -1), mapped
    pairs = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))
    for a, b in pairs:
        s, t = table.column("vertex", a), table.column("vertex", b)
        if s is not None and t is not None and faces.max(initial=0) < len(s) and faces.min(initial=0) >= 0:
            uv = np.stack([np.asarray(s, np.float64), np.asarray(t, np.float64)], -1)
            return uv[faces], everything
    return None, everything


def _colors(table: PlyTable, element: str, path: Path) -> Bytes | None:
    """(rows, 3) colours: bytes, 16-bit numbers or shares of white, as their type says; None without."""
    for prefix in ("", "diffuse_"):
        channels = [table.column(element, prefix + name) for name in ("red", "green", "blue")]
        if all(c is not None and len(c) for c in channels):
            return as_bytes(np.stack([np.asarray(c) for c in channels], 1), f"{path}: colours")
    return None


def _whole(indices: NDArray[Any], path: Path) -> NDArray[np.int64]:
    if indices.dtype.kind == "f" and not (np.isfinite(indices).all() and (indices == np.rint(indices)).all()):
        raise MeshError(f"{path}: indices of faces are no whole numbers")
    return indices.astype(np.int64)
