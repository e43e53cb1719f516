"""Points of a surface with normals and grey values: of one frame, and of all that is known of an object."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.meshing.fusion.options import FusionOptions
from dexman_pose.meshing.fusion.views import View, trusted_depth

_WHITE = 255.0


@dataclass(frozen=True)
class Cloud:
    """Points of a surface.

    Attributes:
        points: (N, 3) metres.
        normals: (N, 3) unit.
        grey: (N,) from 0 to 1.
    """

    points: Array
    normals: Array
    grey: Array

    def __len__(self) -> int:
        return len(self.points)

    def moved(self, b_from_a: Array) -> Cloud:
        """The same points in another frame."""
        return Cloud(
            self.points @ b_from_a[:3, :3].T + b_from_a[:3, 3], self.normals @ b_from_a[:3, :3].T, self.grey
        )

    def thinned(self, count: int, rng: np.random.Generator) -> Cloud:
        """At most ``count`` of the points."""
        if len(self) <= count:
            return self
        kept = rng.choice(len(self), count, replace=False)
        return Cloud(self.points[kept], self.normals[kept], self.grey[kept])


def cloud_of(view: View, camera: Camera, options: FusionOptions) -> Cloud:
    """The points that one frame measures of the object, in the camera frame."""
    depth, normals = trusted_depth(view.depth, view.mask, camera, options)
    v, u = np.nonzero(depth)
    points = camera.unproject(np.stack([u, v], 1), depth[v, u])
    grey = cv2.GaussianBlur(cv2.cvtColor(view.image, cv2.COLOR_RGB2GRAY), (0, 0), 1) / _WHITE
    return Cloud(points, normals[v, u], grey[v, u])


@dataclass
class Known:
    """What is known of an object so far: means of measured points per cell of a grid, in the object frame.

    Attributes:
        spacing: metres, side of a cell.
        neighbors: points from which a colour gradient is made.
    """

    spacing: float
    neighbors: int
    _sums: dict[tuple[int, int, int], Array] = field(default_factory=dict, repr=False)

    def add(self, cloud: Cloud) -> None:
        """Add points that are in the object frame."""
        cells = np.floor(cloud.points / self.spacing).astype(np.int64)
        unique, which = np.unique(cells, axis=0, return_inverse=True)
        values = np.concatenate(
            [cloud.points, cloud.normals, cloud.grey[:, None], np.ones((len(cloud), 1))], 1
        )
        sums = np.zeros((len(unique), values.shape[1]))
        np.add.at(sums, which.reshape(-1), values)
        for cell, row in zip(map(tuple, unique.tolist()), sums):
            self._sums[cell] = self._sums[cell] + row if cell in self._sums else row

    def target(self) -> Target:
        """The mean points, ready to be matched with."""
        rows = np.array(list(self._sums.values()))
        mean = rows[:, :-1] / rows[:, -1:]
        normals = mean[:, 3:6] / np.maximum(np.linalg.norm(mean[:, 3:6], axis=1, keepdims=True), 1e-12)
        return Target(Cloud(mean[:, :3], normals, mean[:, 6]), self.neighbors)


@dataclass(frozen=True)
class Target:
    """Points to match with.

    Attributes:
        cloud: in the object frame.
        neighbors: points from which a colour gradient is made.
    """

    cloud: Cloud
    neighbors: int

    @cached_property
    def tree(self) -> cKDTree:
        """Finds the nearest of them."""
        return cKDTree(self.cloud.points)

    @cached_property
    def gradient(self) -> Array:
        """(N, 3) of the grey value along the surface, 1/m, by least squares over neighbours."""
        c = self.cloud
        count = min(self.neighbors, len(c))
        _, near = self.tree.query(c.points, k=count)
        near = near.reshape(len(c), count)
        off = c.points[near] - c.points[:, None]
        off -= np.einsum("nki,ni->nk", off, c.normals)[..., None] * c.normals[:, None]
        rise = c.grey[near] - c.grey[:, None]
        # What lies across the surface is held at zero by one more equation.
        size = np.einsum("nki,nki->n", off, off)
        a = np.einsum("nki,nkj->nij", off, off) + np.einsum("n,ni,nj->nij", size, c.normals, c.normals)
        a += (1e-6 * size + 1e-18)[:, None, None] * np.eye(3)
        b = np.einsum("nki,nk->ni", off, rise)
        return np.linalg.solve(a, b[..., None])[..., 0]
