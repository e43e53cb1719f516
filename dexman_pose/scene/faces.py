"""The faces of its convex hull that an object can stand on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from dexman_pose.arrays import Array
from dexman_pose.data.mesh import Mesh
from dexman_pose.scene.options import FaceOptions


@dataclass(frozen=True)
class StandingFaces:
    """Faces an object can stand on, the most likely first.

    Attributes:
        down: (N, 3) unit, object frame, out of each face.
        sigma: (N,) radians, by how much the table's normal differs from the face's.
        share: (N,) probabilities.
        corners: (H, 3) vertices of the hull, metres.
    """

    down: Array
    sigma: Array
    share: Array
    corners: Array


def standing_faces(mesh: Mesh, options: FaceOptions | None = None) -> StandingFaces:
    """Find the faces of the convex hull of a mesh that it can stand on.

    Facets that differ little are one face. The middle of the surface stands for the centre of mass: of solid and hollow
    things alike it lies near it. A face supports the object where its foot lies around that middle. The foot are the
    corners that touch a table, its normal is that of the plane through them; where they lie in a line, as on the side
    of a can, it is the mean of the facets, weighted by area, and as uncertain as they scatter. Likely are broad faces
    under a low middle: the probability is the share of the hull's area times the angle by which the object has to be
    tipped to fall.

    Args:
        mesh: metres.
        options: what is one face.

    Returns:
        The faces; none for a mesh without volume.
    """
    o = options or FaceOptions()
    try:
        hull = _hull(mesh.vertices[np.unique(mesh.faces)], o.corners)
    except QhullError:
        return StandingFaces(np.zeros((0, 3)), np.zeros(0), np.zeros(0), mesh.vertices)
    points = hull.points
    a, b, c = np.moveaxis(points[hull.simplices], 1, 0)
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    normals = hull.equations[:, :3]
    member = normals @ normals.T > np.cos(o.same)
    mean = (member * area) @ normals
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    whole = (member * area).sum(1)
    middle = _middle_of_surface(mesh)
    found: list[tuple[float, Array, float]] = []
    for k in np.argsort(-whole):
        if any(float(d @ mean[k]) > np.cos(o.apart) for _, d, _ in found):
            continue
        members = np.flatnonzero(member[k])
        foot, down = points[np.unique(hull.simplices[members])], mean[k]
        off = np.arccos(np.clip(normals[members] @ down, -1, 1))
        unsure = float(np.sqrt((area[members] * off**2).sum() / whole[k]))
        touching = _touching(hull, members[np.argsort(-area[members])], middle, o)
        if touching is not None:
            foot, down = touching
            unsure = 0.5 * float(np.arccos(np.clip(down @ mean[k], -1, 1)))
        tip, breadth = _tipping(foot, down, middle, o.foot * mesh.radius)
        if tip <= 0:
            continue
        sigma = min(float(np.hypot(unsure, o.mesh / max(breadth, o.mesh))), o.curved)
        found.append((float(whole[k] / area.sum()) * tip, down, sigma))
    found = sorted(found, key=lambda f: -f[0])[: o.most]
    weights = np.array([f[0] for f in found])
    return StandingFaces(
        np.array([f[1] for f in found]).reshape(-1, 3),
        np.array([f[2] for f in found]),
        weights / weights.sum() if len(found) else weights,
        points[hull.vertices],
    )


def hull_corners(mesh: Mesh, options: FaceOptions | None = None) -> Array:
    """(H, 3) corners of the convex hull of a mesh, metres, as in :class:`StandingFaces`; all points of a flat one."""
    o = options or FaceOptions()
    points = mesh.vertices[np.unique(mesh.faces)]
    try:
        hull = _hull(points, o.corners)
    except QhullError:
        return points
    out: Array = hull.points[hull.vertices]
    return out


def _hull(points: Array, most: int) -> ConvexHull:
    """The convex hull of points; of a finely rounded one, that of its outermost points in many directions."""
    hull = ConvexHull(points)
    if len(hull.vertices) <= most:
        return hull
    outer = points[hull.vertices]
    k = np.arange(most) + 0.5
    height, turn = 1 - 2 * k / most, np.pi * (1 + 5**0.5) * k  # Fibonacci's points on a sphere
    ring = np.sqrt(1 - height**2)
    ways = np.stack([ring * np.cos(turn), ring * np.sin(turn), height])
    return ConvexHull(outer[np.unique((outer @ ways).argmax(0))])


def _touching(
    hull: ConvexHull, facets: NDArray[np.intp], middle: Array, o: FaceOptions
) -> tuple[Array, Array] | None:
    """The corners (N, 3) that touch a table under the first facet that carries the middle, and the way down there.

    None where no facet carries it, or the corners lie in a line.
    """
    outer = hull.points[hull.vertices]
    for facet in facets:
        normal, offset = hull.equations[facet, :3], float(hull.equations[facet, 3])
        a, b, c = hull.points[hull.simplices[facet]]
        under = middle - (float(normal @ middle) + offset) * normal
        frame = np.stack([b - a, c - a, normal], 1)
        if abs(np.linalg.det(frame)) < o.mesh**2 * o.mesh:
            continue
        u, v = np.linalg.solve(frame, under - a)[:2]
        if min(u, v, 1 - u - v) < -o.beside:
            continue
        foot = outer[outer @ normal + offset > -o.touch]
        _, spread, ways = np.linalg.svd(foot - foot.mean(0))
        if spread[1] < o.narrow * np.sqrt(len(foot)):
            return None
        return foot, ways[2] if ways[2] @ normal > 0 else -ways[2]
    return None


def _middle_of_surface(mesh: Mesh) -> Array:
    """(3,) the middle of a mesh's surface: its centroid, weighted by area."""
    corners = mesh.vertices[mesh.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    total = float(area.sum())
    out: Array = (area[:, None] * corners.mean(1)).sum(0) / total if total > 0 else corners.mean((0, 1))
    return out


def _tipping(foot: Array, down: Array, middle: Array, loose: float) -> tuple[float, float]:
    """Angle (radians) by which an object on a foot (N, 3) has to be tipped to fall, and the foot's breadth, metres.

    Not positive where the middle does not lie above the foot, ``loose`` metres counted in.
    """
    x = np.cross(down, np.eye(3)[int(np.argmin(np.abs(down)))])
    x /= np.linalg.norm(x)
    axes = np.stack([x, np.cross(down, x)], 1)
    flat, at = foot @ axes, middle @ axes
    try:
        edges = ConvexHull(flat).equations
    except QhullError:
        return 0.0, 0.0
    inside = -(edges[:, :2] @ at + edges[:, 2])
    height = float((foot @ down).max() - middle @ down)
    center = flat.mean(0)
    breadth = float(-(edges[:, :2] @ center + edges[:, 2]).max())
    return float(np.arctan2(inside.min() + loose, max(height, 1e-9))), max(breadth, 0.0)
