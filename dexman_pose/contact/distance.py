"""Signed distance from points to a mesh surface, by BVH queries on the CPU or a CUDA device."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.accept import MeshLike
from dexman_pose.data.numbers import cast, plain
from dexman_pose.errors import InputError, MeshError
from dexman_pose.meshing.convert import as_mesh
from dexman_pose.render.devices import device_name

_ONE_AT_A_TIME = Lock()
"""Kernels are loaded by the first launch, and a launch fills the core of its thread."""


@dataclass(frozen=True)
class SurfaceQuery:
    """Answer of :func:`signed_distance` for N points.

    Attributes:
        distance: (N,) metres, negative inside.
        nearest: (N, 3) nearest surface point, frame of the mesh, metres.
        face: (N,) index of the face it lies on, into ``mesh.faces``.
    """

    distance: Array
    nearest: Array
    face: NDArray[np.int64]


def signed_distance(mesh: MeshLike, points: ArrayLike, *, device: str = "cpu") -> SurfaceQuery:
    """Signed distance and nearest surface point of points, in the frame of the mesh.

    A closed mesh in one piece decides inside and outside by a vote of three rays: outside is where two of them meet
    no face or the front of one. That is right for thin sheets, slots and hollows, where the normals of the nearest
    faces cancel, and on the axes of turned shapes, where no face is nearest. Any other mesh (open, in several pieces,
    which may overlap, or with edges of more than two faces) does so by the generalised winding number (Jacobson et
    al. 2013): inside is what it surrounds more than half. Of an open mesh this means: a hole that is small for the
    shape changes nothing; a point in the hollow of a single-walled cup is inside as long as the walls and the bottom
    fill more than half of its view; beside a single sheet everything is outside, on both sides. A mesh whose faces
    point inwards is turned over first. On slivers the nearest point may be some 0.05 mm off along them.

    Args:
        mesh: the surface, metres.
        points: (N, 3) metres, in the frame of the mesh.
        device: Warp device, ``"cpu"`` or ``"cuda:0"``.

    Raises:
        InputError: points are not (N, 3) finite numbers.
        MeshError: every face of the mesh has zero area.
    """
    mesh, device = as_mesh(mesh), device_name(device)
    where = cast(plain(points, "points"), np.float64, "points")
    if where.ndim != 2 or where.shape[1] != 3 or not np.isfinite(where).all():
        raise InputError(f"points must be finite and of shape (any, 3), but got shape {where.shape}")
    # Queries run in single precision: around the mesh's centre, where its digits are.
    center = mesh.center
    with _ONE_AT_A_TIME:
        surface = _surface_of(mesh, device)
        if len(where) == 0:
            return SurfaceQuery(np.zeros(0), np.zeros((0, 3)), np.zeros(0, np.int64))
        nearest, distance, face = surface.query(where - center)
    return SurfaceQuery(
        distance.astype(np.float64), nearest.astype(np.float64) + center, surface.faces_of_mesh[face]
    )


class _Surface:
    """A mesh made ready for queries on a device."""

    def __init__(self, mesh: Mesh, device: str) -> None:
        from dexman_pose._warp import wp

        vertices, faces, self.faces_of_mesh = _usable_faces(mesh)
        single = (vertices - mesh.center).astype(np.float32)
        self._device, self._by_rays = device, is_closed(faces) and _in_one_piece(faces)
        self._surface = wp.Mesh(
            points=wp.array(single, dtype=wp.vec3, device=device),
            indices=wp.array(faces.astype(np.int32).ravel(), dtype=wp.int32, device=device),
            support_winding_number=not self._by_rays,
        )
        corners = single[np.unique(faces)]
        self._low, self._high = wp.vec3(*corners.min(0)), wp.vec3(*corners.max(0))

    def query(self, points: Array) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
        """One launch over points (N, 3) about the mesh's centre: nearest (N, 3), distance (N,), face (N,)."""
        from dexman_pose._warp import wp
        from dexman_pose.contact import _kernels

        n, device = len(points), self._device
        nearest = wp.zeros(n, dtype=wp.vec3, device=device)
        distance = wp.zeros(n, dtype=wp.float32, device=device)
        face = wp.zeros(n, dtype=wp.int32, device=device)
        wp.launch(
            _kernels.query,
            dim=n,
            inputs=[
                self._surface.id,
                wp.array(points.astype(np.float32), dtype=wp.vec3, device=device),
                self._by_rays,
                self._low,
                self._high,
            ],
            outputs=[nearest, distance, face],
            device=device,
        )
        return nearest.numpy(), distance.numpy(), face.numpy()


_surfaces: dict[tuple[int, str], tuple[ReferenceType[Mesh], _Surface]] = {}


def _surface_of(mesh: Mesh, device: str) -> _Surface:
    """The surface of a mesh, told by identity, made at its first use and kept as long as the mesh is."""
    key = id(mesh), device
    kept = _surfaces.get(key)
    if kept is not None and kept[0]() is mesh:
        return kept[1]
    made = _Surface(mesh, device)
    _surfaces[key] = ref(mesh, lambda _: _surfaces.pop(key, None)), made
    return made


def _usable_faces(mesh: Mesh) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """Vertices with doubles merged, faces of non-zero area wound outwards, and their indices in the mesh."""
    vertices, index = np.unique(mesh.vertices, axis=0, return_inverse=True)
    faces = index.reshape(-1)[mesh.faces].astype(np.int64)
    a, b, c = (vertices[faces[:, k]] - mesh.center for k in range(3))
    normal = np.cross(b - a, c - a)
    kept = np.flatnonzero(np.linalg.norm(normal, axis=1) > 1e-12 * mesh.radius**2)
    if len(kept) == 0:
        raise MeshError(f"none of the {len(faces)} faces of the mesh has an area; a surface is needed")
    faces = faces[kept]
    volume = np.einsum("ij,ij->", a[kept] + b[kept] + c[kept], normal[kept])
    return vertices, faces[:, ::-1] if volume < 0 else faces, kept


def is_closed(faces: NDArray[np.int64]) -> bool:
    """Whether every edge is shared by exactly two faces that run through it in opposite directions."""
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    key = edges[:, 0] * (int(faces.max()) + 1) + edges[:, 1]
    back = edges[:, 1] * (int(faces.max()) + 1) + edges[:, 0]
    return len(np.unique(key)) == len(key) and bool(np.isin(key, back).all())


def _in_one_piece(faces: NDArray[np.int64]) -> bool:
    """Whether all faces hang together by their vertices: separate pieces may lie within each other."""
    used, index = np.unique(faces, return_inverse=True)
    corner = index.reshape(faces.shape)
    ends = np.concatenate([corner[:, :2], corner[:, 1:]])
    links = coo_array((np.ones(len(ends), np.bool_), (ends[:, 0], ends[:, 1])), shape=(len(used), len(used)))
    return bool(connected_components(links, directed=False, return_labels=False) == 1)
