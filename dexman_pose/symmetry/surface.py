"""A mesh's surface as evenly spread samples, and how far it is from itself after a motion.

Everything here is in units of the object's diameter, about the centre of its support function, so that thresholds
are fractions of the diameter and a hole or a dense patch in the triangulation does not move the frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError, cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import MeshError
from dexman_pose.geometry import se3_exp
from dexman_pose.symmetry.options import SURFACE

_GOLDEN_CUT = 3.0 - 5.0**0.5  # of half a turn: the golden angle
_TINY_AREA = 1e-300  # so that a face without area divides nothing by zero
_PLASTIC = (0.7548776662466927, 0.5698402909980532)  # steps of Roberts' R2 sequence


@dataclass(frozen=True)
class Surface:
    """Samples of a surface, centred and divided by the diameter.

    Attributes:
        points: (N, 3).
        normals: (N, 3) unit, of the faces.
        color: (N, 3) smoothed colour 0..1, or None.
        probes: (M,) indices of the samples that are moved in tests.
        spacing: distance between neighbouring samples.
        center: (3,) metres, in the mesh's frame.
        diameter: metres.
    """

    points: Array
    normals: Array
    color: Array | None
    probes: NDArray[np.int64]
    spacing: float
    center: Array
    diameter: float
    tree: cKDTree = field(repr=False)

    def distance(self, motion: Array, probes: NDArray[np.int64] | None = None) -> Array:
        """How far the moved probes (M,) are from the surface."""
        return self._residual(self._moved(motion, probes), flat=False)[0]

    def color_difference(self, motion: Array, probes: NDArray[np.int64] | None = None) -> Array:
        """Difference of each probe's colour (M,) from the colour where the motion brings it; 0 without colour.

        The most similar of the samples next to it counts: an edge of print may be off by a sample or two.
        """
        chosen = self.probes if probes is None else probes
        if self.color is None:
            return np.zeros(len(chosen))
        _, nearest = self.tree.query(self._moved(motion, chosen), k=SURFACE.color_neighbors)
        return color_distance(self.color[chosen][:, None], self.color[nearest]).min(1)

    def aligned(self, motion: Array, steps: int = 6, reach: float = 0.06) -> Array:
        """The motion (4, 4) near a given one that brings the surface best onto itself (point-to-plane ICP).

        Directions in which the surface does not care, as about an axis of revolution, are left alone. Probes
        farther than ``reach`` from the surface have no say.
        """
        for _ in range(steps):
            moved = self._moved(motion, self.probes[:: SURFACE.aligned_step])
            residual, normals = self._residual(moved, flat=True)
            weight = np.where(
                np.abs(residual) < reach, 1.0 / (1.0 + (residual / SURFACE.aligned_sigma) ** 2), 0.0
            )
            jacobian = np.concatenate([normals, np.cross(moved, normals)], 1)
            damping = SURFACE.damping_share * weight.sum() * np.diag(SURFACE.damping)
            hessian = jacobian.T @ (weight[:, None] * jacobian) + damping
            twist = -np.linalg.solve(hessian, jacobian.T @ (weight * residual))
            motion = se3_exp(twist) @ motion
            if np.abs(twist).max() < SURFACE.at_rest:
                break
        return motion

    def _moved(self, motion: Array, probes: NDArray[np.int64] | None) -> Array:
        points = self.points[self.probes if probes is None else probes]
        moved: Array = points @ motion[:3, :3].T + motion[:3, 3]
        return moved

    def _residual(self, moved: Array, *, flat: bool) -> tuple[Array, Array]:
        """Distance to the nearest sample's tangent plane (signed, when ``flat``) and that plane's normal."""
        _, nearest = self.tree.query(moved)
        offset, normals = moved - self.points[nearest], self.normals[nearest]
        along = np.einsum("ni,ni->n", offset, normals)
        if flat:
            return along, normals
        # Beside a sample the surface goes on for one spacing; beyond that the samples have ended.
        beside = np.sqrt(np.maximum((offset**2).sum(1) - along**2, 0.0))
        return np.hypot(along, np.maximum(0.0, beside - SURFACE.beside * self.spacing)), normals


def color_distance(a: Array, b: Array) -> Array:
    """Difference (...) of colours (..., 3) in 0..1: brightness counts half, since light is baked into scans."""
    gray = a.mean(-1) - b.mean(-1)
    chroma = (a - b) - gray[..., None]
    return np.sqrt((0.5 * gray) ** 2 + (chroma**2).sum(-1))


def sample_surface(mesh: Mesh, *, count: int = 12000, probes: int = 2000, use_color: bool = True) -> Surface:
    """Spread ``count`` samples over a mesh, the same ones every time.

    Raises:
        MeshError: the mesh has no area.
    """
    corners = mesh.vertices[mesh.faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = 0.5 * np.linalg.norm(cross, axis=1)
    if not area.sum() > SURFACE.least_area * mesh.radius**2:
        raise MeshError("the mesh has no area: all its triangles are lines or points; repair it")
    center, diameter = _frame(mesh.vertices[np.unique(mesh.faces)])
    faces, weights = _spread(area, count)
    points = (np.einsum("nk,nkj->nj", weights, corners[faces]) - center) / diameter
    normals = cross[faces] / np.maximum(2 * area[faces], _TINY_AREA)[:, None]
    tree = cKDTree(points)
    spacing = float(np.sqrt(area.sum() / count)) / diameter
    color = _smoothed_color(mesh, area, points, tree, center, diameter) if use_color else None
    chosen = np.unique(np.linspace(0, count - 1, probes).astype(np.int64))
    return Surface(points, normals, color, chosen, spacing, center, diameter, tree)


def _spread(area: Array, count: int) -> tuple[NDArray[np.int64], Array]:
    """Faces (N,) and barycentric weights (N, 3): evenly along the list of faces, low discrepancy within them."""
    edges = np.cumsum(area)
    faces = np.searchsorted(edges, (np.arange(count) + 0.5) / count * edges[-1])
    faces = np.minimum(faces, len(area) - 1)
    # Roberts' R2 sequence; its two irrational steps never line up with the steps along the faces.
    u, v = (np.arange(count)[:, None] * _PLASTIC % 1.0).T
    root = np.sqrt(u)
    return faces, np.stack([1 - root, root * (1 - v), root * v], 1)


def _frame(vertices: Array) -> tuple[Array, float]:
    """The Steiner point of the vertices, which every symmetry of the hull keeps, and their diameter."""
    hull = vertices
    if len(vertices) > SURFACE.hull_vertices:
        try:
            hull = vertices[ConvexHull(vertices).vertices]
        except QhullError:  # flat: all vertices take part
            count = min(len(vertices), SURFACE.flat_vertices)
            hull = vertices[np.linspace(0, len(vertices) - 1, count).astype(np.int64)]
    middle = 0.5 * (hull.min(0) + hull.max(0))
    directions = even_directions(SURFACE.frame_directions)
    support = ((hull - middle) @ directions.T).max(0)
    center = middle + 3.0 * (support[:, None] * directions).mean(0)
    half = len(directions) // 2
    width = support[:half] + ((hull - middle) @ -directions[:half].T).max(0)
    return center, float(width.max())


def even_directions(count: int) -> Array:
    """(count, 3) unit vectors on a Fibonacci spiral, from +z to -z."""
    z = 1.0 - 2.0 * (np.arange(count) + 0.5) / count
    turn = np.arange(count) * np.pi * _GOLDEN_CUT
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], 1)


def _smoothed_color(
    mesh: Mesh, area: Array, points: Array, tree: cKDTree, center: Array, diameter: float
) -> Array | None:
    """Colour (N, 3) of the samples, the mean over about 4 % of the diameter around each: print, but no grain."""
    if mesh.texture is None and mesh.vertex_colors is None:
        return None
    faces, weights = _spread(area, 4 * len(points))
    fine = _color_at(mesh, faces, weights)
    where = np.einsum("nk,nkj->nj", weights, mesh.vertices[mesh.faces[faces]])
    _, owner = tree.query((where - center) / diameter)
    total = np.stack([np.bincount(owner, fine[:, k], len(points)) for k in range(3)], 1)
    number = np.bincount(owner, minlength=len(points)).astype(np.float64)
    _, around = tree.query(points, k=SURFACE.smoothed)
    out: Array = total[around].sum(1) / np.maximum(number[around].sum(1), 1.0)[:, None]
    return out


def _color_at(mesh: Mesh, faces: NDArray[np.int64], weights: Array) -> Array:
    if mesh.texture is not None and mesh.uv is not None:
        height, width = mesh.texture.shape[:2]
        uv = np.einsum("nk,nkj->nj", weights, mesh.uv[faces].astype(np.float64))
        column = np.clip((uv[:, 0] % 1.0 * width).astype(np.int64), 0, width - 1)
        row = np.clip(((1.0 - uv[:, 1] % 1.0) * height).astype(np.int64), 0, height - 1)
        return mesh.texture[row, column] / 255.0
    assert mesh.vertex_colors is not None
    out: Array = np.einsum("nk,nkj->nj", weights, mesh.vertex_colors[mesh.faces[faces]] / 255.0)
    return out
