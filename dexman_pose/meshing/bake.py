"""A texture for a mesh out of the colours of a finer one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Mesh
from dexman_pose.errors import MeshError


@dataclass(frozen=True)
class BakeOptions:
    """How a texture is laid out.

    Attributes:
        largest: texels along the longer side of the whole texture at most.
        least: texels along a side of a face's tile, at least.
        most: at most.
        neighbors: vertices of the finer mesh whose colours a texel mixes.
    """

    largest: int = 2048
    least: int = 4
    most: int = 128
    neighbors: int = 3


_DEFAULTS = BakeOptions()


def baked(coarse: Mesh, fine: Mesh, options: BakeOptions = _DEFAULTS) -> Mesh:
    """The coarse mesh with a texture; each of its faces has a tile of its own, as fine as the finer mesh is.

    Args:
        coarse: to be textured, metres.
        fine: the same surface with vertex colours, in the same frame.
        options: of the texture.

    Raises:
        MeshError: the finer mesh has no vertex colours.
    """
    if fine.vertex_colors is None:
        raise MeshError("a texture is baked from vertex colours, but the finer mesh has none")
    count = len(coarse.faces)
    across = int(np.ceil(np.sqrt(count)))
    tile = int(np.clip(_wanted(coarse, fine), options.least, min(options.most, options.largest // across)))
    tile = max(tile, 2)
    steps = np.arange(tile) / (tile - 1)
    right, down = np.meshgrid(steps, steps)
    corners = coarse.vertices[coarse.faces]
    # Texels beyond the long side belong to the point mirrored in it: the tile has no seam there.
    over = right + down > 1.0
    u, v = np.where(over, 1.0 - down, right), np.where(over, 1.0 - right, down)
    points = (
        corners[:, 0, None, None]
        + u[..., None] * (corners[:, 1] - corners[:, 0])[:, None, None]
        + v[..., None] * (corners[:, 2] - corners[:, 0])[:, None, None]
    )
    colors = _mixed(points.reshape(-1, 3), fine, options).reshape(count, tile, tile, 3)
    rows = -(-count // across)
    sheet = np.zeros((across * rows, tile, tile, 3), np.uint8)
    sheet[:count] = colors
    texture = sheet.reshape(rows, across, tile, tile, 3).swapaxes(1, 2).reshape(rows * tile, across * tile, 3)
    which = np.arange(count)
    place = np.stack([which % across, which // across], -1)[:, None] * tile
    pixel = place + 0.5 + (tile - 1) * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    uv = np.stack([pixel[..., 0] / texture.shape[1], 1.0 - pixel[..., 1] / texture.shape[0]], -1)
    return replace(
        coarse, uv=uv.astype(np.float32), texture=texture, vertex_colors=None, seen=_seen(coarse, fine)
    )


def _wanted(coarse: Mesh, fine: Mesh) -> float:
    """Texels along a side of a tile that keep what the finer mesh's colours tell."""
    edges = [
        np.linalg.norm(m.vertices[m.faces] - m.vertices[np.roll(m.faces, 1, 1)], axis=2)
        for m in (coarse, fine)
    ]
    return float(np.quantile(edges[0], 0.9) / max(np.median(edges[1]), 1e-9)) + 1.0


def _mixed(points: Array, fine: Mesh, options: BakeOptions) -> Array:
    """(N, 3) colours, those of the nearest vertices weighted by nearness."""
    assert fine.vertex_colors is not None
    count = min(options.neighbors, len(fine.vertices))
    far, near = cKDTree(fine.vertices).query(points, k=count)
    far, near = far.reshape(len(points), count), near.reshape(len(points), count)
    weight = 1.0 / (far + 1e-6)
    weight /= weight.sum(1, keepdims=True)
    mixed = np.einsum("nk,nki->ni", weight, fine.vertex_colors[near].astype(float))
    return np.rint(mixed).clip(0, 255)


def _seen(coarse: Mesh, fine: Mesh) -> Bools | None:
    """(F,) faces of the coarse mesh whose middle was seen, by the nearest face of the finer one."""
    if fine.seen is None:
        return None
    middles = [m.vertices[m.faces].mean(1) for m in (coarse, fine)]
    near = cKDTree(middles[1]).query(middles[0])[1]
    seen: Bools = fine.seen[near]
    return seen
