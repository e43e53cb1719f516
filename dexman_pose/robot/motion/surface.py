"""The nearest points of a mesh's surface, by many samples of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh


@dataclass(frozen=True)
class Surface:
    """Samples of a surface.

    Attributes:
        points: (N, 3) metres, object frame.
        normals: (N, 3) unit, outward.
        tree: of the points.
    """

    points: Array
    normals: Array
    tree: cKDTree

    def nearest(self, points: Array) -> tuple[Array, Array, Array]:
        """Nearest samples of points (..., 3): distances (...,), places and outward normals (..., 3)."""
        distance, index = self.tree.query(points)
        return np.asarray(distance), self.points[index], self.normals[index]


def surface_of(mesh: Mesh, count: int = 12000, seed: int = 0) -> Surface:
    """Sample a mesh's surface evenly: neighbours are a millimetre or two apart on a thing of the kitchen."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces], 1, 0)
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    rng = np.random.default_rng(seed)
    face = rng.choice(len(area), count, p=area / area.sum())
    u, v = rng.random((2, count, 1))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    points = a[face] + u * (b - a)[face] + v * (c - a)[face]
    return Surface(points, cross[face] / area[face, None], cKDTree(points))
