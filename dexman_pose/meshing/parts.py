"""A mesh as files hold it (several materials, images, colours) and its assembly into one :class:`Mesh`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.mesh import Mesh
from dexman_pose.meshing.colors import Bytes, corner_tiles

Color = tuple[int, int, int]
GREY: Color = (204, 204, 204)
"""The colour of what has none beside parts that have one."""

_MANY = 1024  # different faces from which colours that meet at a vertex are averaged rather than kept apart
_SHEET = 1 << 26  # most pixels of a picture that is repeated in place


@dataclass
class Part:
    """Faces of one material.

    Attributes:
        faces: (F, 3) indices.
        uv: (F, 3, 2) where there is an ``image``; (0, 0) is its bottom left, beyond 0 to 1 it repeats.
        image: (H, W, 3), or None.
        color: of all faces, or None.
        corners: (F, 3, 3) colours of the face corners, or None. They come before ``color``.
    """

    faces: NDArray[np.int64]
    uv: Array | None = None
    image: Bytes | None = None
    color: Color | None = None
    corners: Bytes | None = None


@dataclass
class RawMesh:
    """Vertices in the unit of the file, shared by all parts.

    Attributes:
        vertices: (V, 3).
        parts: by material.
        vertex_colors: (V, 3), or None.
        colored: (V,) vertices that ``vertex_colors`` speaks of; None for all.
        standard: the unit that the format prescribes, or None.
    """

    vertices: Array
    parts: list[Part] = field(default_factory=list)
    vertex_colors: Bytes | None = None
    colored: NDArray[np.bool_] | None = None
    standard: str | None = None

    @property
    def num_faces(self) -> int:
        """Number of triangles of all parts."""
        return sum(len(part.faces) for part in self.parts)


def assemble(raw: RawMesh, unit_m: float) -> Mesh:
    """One mesh in metres: images of several materials become one texture, colours of faces tiles of it.

    Where no part has an image, and no two faces give a vertex different colours, the mesh has vertex colours instead.
    """
    faces = np.concatenate([part.faces for part in raw.parts])
    vertices = raw.vertices * unit_m
    uv, texture, colors = None, None, None
    shown = [_corners(raw, part) for part in raw.parts]
    if any(part.image is not None for part in raw.parts):
        uv, texture = _atlas(raw.parts, shown)
    elif any(corners is not None for corners in shown):
        corners = np.concatenate(
            [_plain(part, GREY) if c is None else c for part, c in zip(raw.parts, shown)]
        )
        colors = _by_vertex(raw, faces, corners)
        if colors is None:
            uv, texture = corner_tiles(corners)
    return Mesh(
        vertices, faces.astype(np.int32), None if uv is None else uv.astype(np.float32), texture, colors
    )


def _corners(raw: RawMesh, part: Part) -> Bytes | None:
    """(F, 3, 3) colours of a part's face corners, or None where it has none."""
    if part.corners is not None:
        return part.corners
    if raw.vertex_colors is not None and (raw.colored is None or raw.colored[part.faces].any()):
        own = raw.vertex_colors[part.faces]
        return (
            own
            if raw.colored is None
            else np.where(raw.colored[part.faces][..., None], own, _plain(part, GREY))
        )
    return None if part.color is None else _plain(part, GREY)


def _plain(part: Part, missing: Color) -> Bytes:
    return np.tile(np.array(part.color or missing, np.uint8), (len(part.faces), 3, 1))


def _by_vertex(raw: RawMesh, faces: NDArray[np.int64], corners: Bytes) -> Bytes | None:
    """(V, 3) colours when all faces agree on them at every vertex, or when keeping them apart would take too much."""
    flat, values = faces.reshape(-1), corners.reshape(-1, 3)
    colors = np.tile(np.array(GREY, np.uint8), (len(raw.vertices), 1))
    if raw.vertex_colors is not None:
        colors = raw.vertex_colors.copy()  # of vertices without a face too
    colors[flat] = values
    if (colors[flat] == values).all():
        return colors
    if len(np.unique(corners.reshape(-1, 9), axis=0)) <= _MANY:
        return None
    count = np.bincount(flat, minlength=len(colors))
    sums = np.stack([np.bincount(flat, values[:, i], len(colors)) for i in range(3)], 1)
    used = count > 0
    colors[used] = np.rint(sums[used] / count[used, None]).astype(np.uint8)
    return colors


def _atlas(parts: list[Part], shown: list[Bytes | None]) -> tuple[Array, Bytes]:
    """Texture coordinates (F, 3, 2) and one image: the parts' tiles above each other, the first on top."""
    if len(parts) == 1 and parts[0].uv is not None and parts[0].image is not None:
        return parts[0].uv, parts[0].image
    pieces = [_piece(part, corners) for part, corners in zip(parts, shown)]
    height, width = sum(p.shape[0] for _, p in pieces), max(p.shape[1] for _, p in pieces)
    sheet = np.zeros((height, width, 3), np.uint8)
    uv, top = [], 0
    for own, tile in pieces:
        h, w = tile.shape[:2]
        sheet[top : top + h, :w] = tile
        u = own[..., 0] * w / width
        v = 1.0 - (top + (1.0 - own[..., 1]) * h) / height
        uv.append(np.stack([u, v], -1))
        top += h
    return np.concatenate(uv), sheet


def _piece(part: Part, corners: Bytes | None) -> tuple[Array, Bytes]:
    """Texture coordinates in 0 to 1 and the picture of one part, half a pixel away from its neighbours."""
    if part.uv is None or part.image is None:
        return corner_tiles(_plain(part, GREY) if corners is None else corners)
    own, image = repeated(part.uv, part.image)
    half = 0.5 / np.array(image.shape[1::-1])
    return np.clip(own, half, 1.0 - half), image


def repeated(uv: Array, image: Bytes) -> tuple[Array, Bytes]:
    """Texture coordinates in 0 to 1, of the picture repeated beside itself as often as a face needs it.

    Whole turns of a face are taken off first. Where the repeated picture would grow beyond all measure, each corner is
    taken modulo 1.
    """
    own = uv - np.floor(uv.min(axis=1, keepdims=True) + 1e-6)
    turns = np.maximum(np.ceil(own.reshape(-1, 2).max(0, initial=1.0) - 1e-6), 1)
    if turns.max() == 1:
        return own.clip(0.0, 1.0), image
    if not turns.prod() * image.shape[0] * image.shape[1] <= _SHEET:  # NaN too
        return np.where((own > 1.0).any(axis=(1, 2), keepdims=True), own % 1.0, own), image
    return own / turns, np.tile(image, (int(turns[1]), int(turns[0]), 1))
