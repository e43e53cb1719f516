"""Building blocks of the stress suite's shapes: surfaces of revolution, grid boxes, tubes, and their joining."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix

from dexman_pose.arrays import Array


@dataclass(frozen=True)
class Part:
    """A piece of a mesh with texture coordinates in the unit square.

    Attributes:
        vertices: (V, 3) metres.
        faces: (F, 3) counter-clockwise from outside.
        uv: (F, 3, 2).
    """

    vertices: Array
    faces: NDArray[np.int64]
    uv: Array

    def placed(self, rotation: ArrayLike, shift: ArrayLike = (0.0, 0.0, 0.0)) -> Part:
        """The part mapped by a (3, 3) matrix of positive determinant and a shift."""
        vertices = self.vertices @ np.asarray(rotation, np.float64).T + np.asarray(shift, np.float64)
        return Part(vertices, self.faces, self.uv)

    def within(self, u0: float, v0: float, u1: float, v1: float) -> Part:
        """The part with its unit square of texture squeezed into a rectangle of the texture."""
        return Part(self.vertices, self.faces, self.uv * [u1 - u0, v1 - v0] + [u0, v0])


def joined(parts: list[Part]) -> Part:
    """All parts as one; where they overlap, the inner faces stay (no renderer sees them)."""
    starts = np.cumsum([0, *(len(p.vertices) for p in parts[:-1])])
    return Part(
        np.concatenate([p.vertices for p in parts]),
        np.concatenate([p.faces + s for p, s in zip(parts, starts)]),
        np.concatenate([p.uv for p in parts]),
    )


def lathe(profile: ArrayLike, segments: int = 64) -> Part:
    """A surface of revolution about z.

    Args:
        profile: (P, 2) of (radius, z), from the bottom's middle outwards and up; solid to the left of its way.
        segments: around the axis.

    Returns:
        The part; u runs once around, v along the profile by arc length.
    """
    p = np.asarray(profile, np.float64)
    angle = 2 * np.pi * np.arange(segments) / segments
    ring = np.stack([np.cos(angle), np.sin(angle)], -1)
    rings = [np.column_stack([r * ring, np.full(segments, z)]) for r, z in p]
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
    return _grid(np.array(rings), length / length[-1], wrap=True)


def tube(centers: Array, normals: Array, binormals: Array, radius: float, sides: int = 12) -> Part:
    """A tube (open at both ends) around a curve (N, 3) with two unit vectors (N, 3) across it."""
    angle = 2 * np.pi * np.arange(sides) / sides
    across = np.cos(angle)[:, None] * normals[:, None] + np.sin(angle)[:, None] * binormals[:, None]
    rings = centers[:, None] + radius * across
    return _grid(rings, np.linspace(0, 1, len(centers)), wrap=True)


def grid_box(size: ArrayLike, cells: int = 12) -> Part:
    """A box about the origin, each side a grid; the sides take a 3 x 2 table of the texture.

    The order of the table, from its lower left: +x, -x, +y, -y, +z, -z.
    """
    half = 0.5 * np.asarray(size, np.float64)
    sides = []
    for k in range(6):
        axis, sign = k // 2, 1.0 - 2.0 * (k % 2)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        if sign < 0:
            a, b = b, a
        line = np.linspace(-1, 1, cells + 1)
        grid = np.zeros((cells + 1, cells + 1, 3))
        grid[..., a], grid[..., b], grid[..., axis] = line[None, :], line[:, None], sign
        flat = _grid(grid * half, np.linspace(0, 1, cells + 1), wrap=False)
        u, v = (k % 3) / 3, (k // 3) / 2
        sides.append(flat.within(u + 0.002, v + 0.002, u + 1 / 3 - 0.002, v + 0.498))
    return joined(sides)


def _grid(points: Array, rows: Array, *, wrap: bool) -> Part:
    """A grid of points (R, C, 3) as triangles; rows grow with v, columns with u; slivers at poles are dropped."""
    count_r, count_c = points.shape[:2]
    columns = count_c if wrap else count_c - 1
    i, j = (x.ravel() for x in np.meshgrid(np.arange(count_r - 1), np.arange(columns), indexing="ij"))
    k = (j + 1) % count_c
    a, b, c, d = i * count_c + j, i * count_c + k, (i + 1) * count_c + k, (i + 1) * count_c + j
    u0, u1, v0, v1 = j / columns, (j + 1) / columns, rows[i], rows[i + 1]
    corners = [np.stack(x, -1) for x in ((u0, v0), (u1, v0), (u1, v1), (u0, v1))]
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    uv = np.concatenate(
        [np.stack([corners[n] for n in (0, 1, 2)], 1), np.stack([corners[n] for n in (0, 2, 3)], 1)]
    )
    flat = points.reshape(-1, 3)
    t = flat[faces]
    area = np.linalg.norm(np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0]), axis=1)
    good = area > 1e-12
    return Part(flat, faces[good], uv[good])


def corner_normals(vertices: Array, faces: NDArray[np.integer], crease: float = 0.7) -> Array:
    """Unit normals (F, 3, 3) at face corners, smooth where neighbouring faces bend by less than ``crease`` radians.

    Neighbours are faces that share a position, so that texture seams do not show.
    """
    t = vertices[faces]
    weighted = np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0])
    unit = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-15)
    _, place = np.unique(np.round(vertices, 7), axis=0, return_inverse=True)
    corner = np.arange(3 * len(faces))
    at = place.ravel()[faces].ravel()
    shape = (len(corner), int(at.max()) + 1)
    touches = coo_matrix((np.ones(len(corner)), (corner, at)), shape).tocsr()
    pairs = (touches @ touches.T).tocoo()
    f, g = pairs.row // 3, pairs.col // 3
    near = np.sum(unit[f] * unit[g], 1) > np.cos(crease)
    total = np.zeros((len(corner), 3))
    np.add.at(total, pairs.row[near], weighted[g[near]])
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-15)
    out: Array = total.reshape(-1, 3, 3)
    return out
