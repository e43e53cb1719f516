"""Mass, centre and inertia of an object, from the volume that its mesh encloses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import MeshError

DENSITY = 500.0
"""kg/m3 of a thing of which nothing is known: between a full tin and an empty box."""
_LEAST_SHARE = 0.02  # of the hull's volume that a mesh encloses at least, or it is no solid


@dataclass(frozen=True)
class MassProperties:
    """How heavy an object is, and how hard to turn.

    Attributes:
        mass: kg.
        center: (3,) metres, the mesh's frame.
        inertia: (3, 3) kg m2 about the centre, axes of the mesh's frame.
        source: what it rests on, in words.
    """

    mass: float
    center: Array
    inertia: Array
    source: str

    def principal(self) -> tuple[Array, Array]:
        """Moments (3,), and the rotation (3, 3) whose columns are their axes."""
        moments, axes = np.linalg.eigh(self.inertia)
        axes[:, 2] *= np.sign(np.linalg.det(axes))
        return moments, axes


def mass_properties(
    mesh: Mesh, pieces: Sequence[Array], *, mass: float | None = None, density: float = DENSITY
) -> MassProperties:
    """Mass, centre and inertia of an evenly filled object.

    The volume is the mesh's own where it is closed, else that of its convex pieces.

    Args:
        mesh: metres.
        pieces: corners of its convex pieces.
        mass: kg, where it is known.
        density: kg/m3, else.

    Raises:
        MeshError: it encloses nothing.
    """
    volume, first, second, of = _moments(mesh, pieces)
    if not volume > 0.0:
        raise MeshError("the mesh encloses no volume, so that it has no mass; a solid object is needed")
    center = first / volume
    spread = second / volume - np.outer(center, center)
    total = density * volume if mass is None else mass
    inertia = total * (np.trace(spread) * np.eye(3) - spread)
    said = f"{density:g} kg/m3 in {of}" if mass is None else f"given, spread evenly over {of}"
    return MassProperties(
        float(total), center, inertia, f"{total:.3f} kg: {said} of {1e3 * volume:.2f} litres"
    )


def _moments(mesh: Mesh, pieces: Sequence[Array]) -> tuple[float, Array, Array, str]:
    """Volume, first (3,) and second (3, 3) moments about the origin, and what they are of."""
    hull = float(ConvexHull(mesh.vertices[np.unique(mesh.faces)]).volume)
    if _is_closed(mesh):
        volume, first, second = solid_moments(mesh.vertices, np.asarray(mesh.faces))
        if volume > _LEAST_SHARE * hull:
            return volume, first, second, "the mesh's own volume"
    volume, first, second = 0.0, np.zeros(3), np.zeros((3, 3))
    for piece in pieces:
        part = solid_moments(piece, _outward(piece))
        volume, first, second = volume + part[0], first + part[1], second + part[2]
    return volume, first, second, "the volume of its convex pieces (the mesh is open)"


def _is_closed(mesh: Mesh) -> bool:
    """Whether every edge belongs to two faces that run along it in opposite ways, seams of texture aside."""
    _, same = np.unique(mesh.vertices, axis=0, return_inverse=True)
    faces = same.reshape(-1)[mesh.faces]
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64)
    size = int(faces.max()) + 1
    there, back = edges @ [size, 1], edges @ [1, size]
    return bool(np.array_equal(np.sort(there), np.sort(back)))


def _outward(points: Array) -> Array:
    """Faces (F, 3) of the convex hull of its corners, counter-clockwise seen from outside."""
    hull = ConvexHull(points)
    faces = hull.simplices.copy()
    a, b, c = np.moveaxis(points[faces], 1, 0)
    inward = np.einsum("fi,fi->f", np.cross(b - a, c - a), hull.equations[:, :3]) < 0
    faces[inward] = faces[inward][:, ::-1]
    return faces


def solid_moments(vertices: Array, faces: Array) -> tuple[float, Array, Array]:
    """Volume, and first (3,) and second (3, 3) moments about the origin, of what closed faces enclose.

    Sums over the tetrahedra between the origin and each face, whose moments are exact.
    """
    middle = vertices.mean(0)
    corners = vertices[faces] - middle  # near the origin, or large numbers cancel
    volumes = np.linalg.det(corners) / 6.0
    sums = corners.sum(1)
    volume = float(volumes.sum())
    first = np.einsum("f,fi->i", volumes, sums) / 4.0
    second = np.einsum("f,fi,fj->ij", volumes, sums, sums) + np.einsum(
        "f,fki,fkj->ij", volumes, corners, corners
    )
    second /= 20.0
    moved = second + np.outer(middle, first) + np.outer(first, middle) + volume * np.outer(middle, middle)
    return volume, first + volume * middle, moved
