"""A mesh as files hold it (several materials, images, colours) and its assembly into one :class:`Mesh`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.mesh import Mesh

Color = tuple[int, int, int]
_GREY: Color = (204, 204, 204)
_SOLID = 4  # pixels along a side of the tile of a plain colour: interpolation in its middle stays inside


@dataclass
class Part:
    """Faces of one material: ``uv`` (F, 3, 2) and ``image`` (H, W, 3), or a plain ``color``, or neither."""

    faces: NDArray[np.int64]
    uv: NDArray[np.float64] | None = None
    image: NDArray[np.uint8] | None = None
    color: Color | None = None


@dataclass
class RawMesh:
    """Vertices in the unit of the file, shared by all parts, with colours (V, 3) where the file has them."""

    vertices: NDArray[np.float64]
    parts: list[Part] = field(default_factory=list)
    vertex_colors: NDArray[np.uint8] | None = None

    @property
    def num_faces(self) -> int:
        """Number of triangles of all parts."""
        return sum(len(part.faces) for part in self.parts)


def rgb_array(image: Any) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of a PIL image of any mode; transparency is dropped."""
    return np.array(image.convert("RGB"), dtype=np.uint8)


def assemble(raw: RawMesh, unit_m: float) -> Mesh:
    """One mesh in metres: images of several materials become one texture, plain colours tiles of it."""
    faces = np.concatenate([part.faces for part in raw.parts])
    uv, texture, colors = None, None, raw.vertex_colors
    painted = {part.color for part in raw.parts}
    if any(part.image is not None for part in raw.parts):
        uv, texture = _atlas(raw.parts)
        colors = None
    elif colors is None and len(painted) > 1:
        uv, texture = _atlas(raw.parts)
    elif colors is None and painted != {None}:
        colors = np.tile(np.array(painted.pop(), np.uint8), (len(raw.vertices), 1))
    return Mesh(
        raw.vertices * unit_m,
        faces.astype(np.int32),
        None if uv is None else uv.astype(np.float32),
        texture,
        colors,
    )


def _atlas(parts: list[Part]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Texture coordinates (F, 3, 2) and one image: the parts' tiles above each other, the first on top."""
    if len(parts) == 1 and parts[0].uv is not None and parts[0].image is not None:
        return parts[0].uv, parts[0].image
    tiles = [_tile(part) for part in parts]
    width, height = max(t.shape[1] for t in tiles), sum(t.shape[0] for t in tiles)
    sheet = np.zeros((height, width, 3), np.uint8)
    uv, top = [], 0
    for part, tile in zip(parts, tiles):
        h, w = tile.shape[:2]
        sheet[top : top + h, :w] = tile
        uv.append(_placed(part, top, (h, w), (height, width)))
        top += h
    return np.concatenate(uv), sheet


def _tile(part: Part) -> NDArray[np.uint8]:
    if part.image is not None:
        return part.image
    return np.full((_SOLID, _SOLID, 3), part.color or _GREY, np.uint8)


def _placed(part: Part, top: int, tile: tuple[int, int], sheet: tuple[int, int]) -> NDArray[np.float64]:
    """The part's texture coordinates in the sheet. A tile cannot repeat there: whole turns are taken off."""
    if part.uv is None or part.image is None:
        own = np.full((len(part.faces), 3, 2), 0.5)
    else:
        own = part.uv - np.floor(part.uv.min(axis=1, keepdims=True))
        own = np.where((own > 1.0).any(axis=(1, 2), keepdims=True), own % 1.0, own)
    half = 0.5 / np.array(tile[::-1])  # stay half a pixel away from the neighbouring tile
    own = np.clip(own, half, 1.0 - half)
    u = own[..., 0] * tile[1] / sheet[1]
    v = 1.0 - (top + (1.0 - own[..., 1]) * tile[0]) / sheet[0]
    return np.stack([u, v], -1)
