"""OFF files (Geomview) in text, with colours of vertices or faces where there are any."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.mesh import as_bytes
from dexman_pose.errors import MeshError
from dexman_pose.meshing.parts import Part, RawMesh
from dexman_pose.meshing.polygons import split_polygons

_HEAD = re.compile(r"^(ST)?(C)?(N)?(4)?(n)?OFF$")


def read_off(path: Path) -> RawMesh:
    """Vertices and faces of an OFF file, in the file's own unit. Polygons are split into triangles.

    Raises:
        MeshError: no OFF in text, or fewer rows than its head promises.
    """
    text = path.read_bytes().decode("latin-1")
    rows = [words for line in text.splitlines() if (words := line.partition("#")[0].split())]
    head = _HEAD.match(rows[0][0]) if rows else None
    if head is None or rows[0][1:2] == ["BINARY"] or head[4] or head[5]:
        raise MeshError(
            f"{path} cannot be read as OFF: it must be text that begins with OFF, COFF, NOFF or STOFF"
        )
    rows = [rows[0][1:], *rows[1:]] if len(rows[0]) > 1 else rows[1:]
    try:
        count, polygons = (int(word) for word in rows[0][:2])
        if count < 0 or polygons < 0:
            raise ValueError("negative")
    except (ValueError, IndexError) as error:
        raise MeshError(
            f"{path} cannot be read as OFF: its head must be numbers of vertices and faces"
        ) from error
    body = rows[1:]
    if len(body) < count + polygons:
        what = f"{count} vertices and {polygons} faces"
        raise MeshError(
            f"{path} is cut short: its head promises {what}, but {len(body)} rows follow; copy it again"
        )
    vertices, colors = _vertices(path, body[:count], skip=6 if head[3] else 3, colored=head[2] is not None)
    raw = RawMesh(vertices, [], colors)
    faces, shown = _faces(path, body[count : count + polygons], vertices)
    if len(faces):
        raw.parts.append(Part(faces, corners=shown if colors is None else None))
    return raw


def _vertices(
    path: Path, rows: list[list[str]], skip: int, colored: bool
) -> tuple[
    np.ndarray[tuple[int, ...], np.dtype[np.float64]], np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None
]:
    """Positions (V, 3), and colours (V, 3) where the head says so."""
    try:
        xyz = np.array([[float(word) for word in row[:3]] for row in rows], dtype=np.float64).reshape(-1, 3)
        rgb = [_numbers(row[skip : skip + 3]) for row in rows] if colored and rows else None
    except ValueError as error:
        raise MeshError(f"{path} cannot be read as OFF: a vertex must be three numbers ({error})") from error
    if rgb is None or any(len(c) < 3 for c in rgb):
        return xyz, None
    return xyz, as_bytes(np.array(rgb), f"{path}: colours")


def _faces(
    path: Path, rows: list[list[str]], vertices: Array
) -> tuple[
    np.ndarray[tuple[int, ...], np.dtype[np.int64]], np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None
]:
    """Triangles (F, 3), and the colours of their corners (F, 3, 3) where every face has one."""
    polygons: list[list[int]] = []
    given: list[list[float] | list[int] | None] = []
    for number, row in enumerate(rows):
        try:
            size = int(row[0])
            corners = [int(word) for word in row[1 : 1 + size]]
            color = _numbers(row[1 + size : 4 + size])
        except ValueError as error:
            raise MeshError(f"{path} cannot be read as OFF: face {number} ({error})") from error
        if len(corners) != size:
            raise MeshError(f"{path} is cut short: face {number} has {len(corners)} of its {size} corners")
        polygons.append(corners)
        given.append(color if len(color) == 3 else None)
    indices = np.array([i for corners in polygons for i in corners], dtype=np.int64)
    starts = np.cumsum([0, *map(len, polygons)])
    place, face = split_polygons(starts, indices, vertices)
    out = indices[starts[face][:, None] + place]
    colors = [given[k] for k in face]
    if not colors or any(c is None for c in colors):
        return out, None
    return out, np.repeat(as_bytes(np.array(colors), f"{path}: colours")[:, None], 3, axis=1)


def _numbers(words: list[str]) -> list[float] | list[int]:
    """Whole numbers (bytes) or floats (shares of white), by how they are written."""
    if any("." in word or "e" in word.lower() for word in words):
        return [float(word) for word in words]
    return [int(word) for word in words]
