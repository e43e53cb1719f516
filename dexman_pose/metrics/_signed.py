# mypy: disable-error-code="valid-type, untyped-decorator, no-untyped-def"
"""Signed distance to a triangle mesh for measuring: Warp BVH queries, sign by the generalised winding number.

Written apart from the contact detector's, so that what is measured and what it is measured with share no mistake.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose._warp import wp
from dexman_pose.arrays import Array
from dexman_pose.errors import InputError, MeshError
from dexman_pose.metrics import _given

FAR = wp.constant(1.0e9)
ACCURACY = wp.constant(3.0)
"""Of the winding number: clusters nearer than this many radii are opened up; 2 is Warp's default."""
INSIDE = wp.constant(0.5)


@wp.kernel(module="unique")
def _query(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    nearest: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=float),
):
    i = wp.tid()
    found = wp.mesh_query_point_sign_winding_number(mesh, points[i], FAR, ACCURACY, INSIDE)
    if found.result:
        p = wp.mesh_eval_position(mesh, found.face, found.u, found.v)
        nearest[i] = p
        distance[i] = found.sign * wp.length(points[i] - p)


@wp.kernel(module="unique")
def _query_unsigned(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    nearest: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=float),
):
    i = wp.tid()
    found = wp.mesh_query_point_no_sign(mesh, points[i], FAR)
    if found.result:
        p = wp.mesh_eval_position(mesh, found.face, found.u, found.v)
        nearest[i] = p
        distance[i] = wp.length(points[i] - p)


class Surface:
    """A triangle mesh that answers where points lie to it.

    A point counts as inside where the surface surrounds it for more than half (generalised winding number above
    0.5: Jacobson et al., "Robust inside-outside segmentation using generalized winding numbers", SIGGRAPH 2013), so
    that holes, a hand cut open at the wrist and pieces that overlap need no repair. A mesh whose faces point inwards
    is turned over first.
    """

    def __init__(self, vertices: ArrayLike, faces: ArrayLike, *, device: str = "cpu") -> None:
        """Build the tree.

        Args:
            vertices: (V, 3) metres.
            faces: (F, 3) indices, counter-clockwise seen from outside.
            device: Warp device, ``"cpu"`` or ``"cuda:0"``.

        Raises:
            InputError: wrong shapes, values that are not finite.
            MeshError: no face has an area.
        """
        v, f = _given.real(vertices, "mesh vertices"), np.asarray(faces)
        if v.ndim != 2 or v.shape[-1] != 3 or not np.isfinite(v).all():
            raise InputError(f"mesh vertices must be finite and of shape (any, 3), but got shape {v.shape}")
        if f.ndim != 2 or f.shape[-1] != 3 or not np.issubdtype(f.dtype, np.integer):
            raise InputError(f"faces must be whole numbers of shape (any, 3), but got {f.dtype} {f.shape}")
        if len(f) == 0 or f.min() < 0 or f.max() >= len(v):
            raise InputError(f"faces must index the {len(v)} vertices, and there must be some")
        # Queries run in single precision: around the mesh's middle, where its digits are.
        self.low, self.high = v[f].min((0, 1)), v[f].max((0, 1))
        self._middle, self._device = 0.5 * (self.low + self.high), device
        merged, f = _merged(v - self._middle, f)
        self.closed = is_closed(f)
        self._mesh = wp.Mesh(
            points=wp.array(merged.astype(np.float32), dtype=wp.vec3, device=device),
            indices=wp.array(f.astype(np.int32).ravel(), dtype=wp.int32, device=device),
            support_winding_number=True,
        )

    def nearest(self, points: ArrayLike) -> tuple[Array, Array]:
        """Distance (...,), never negative, and nearest surface point (..., 3) of points (..., 3), metres."""
        return self._launch(_query_unsigned, points)

    def distance(self, points: ArrayLike) -> Array:
        """Signed distance (...,) in metres, negative inside, of points (..., 3)."""
        return self._launch(_query, points)[0]

    def _launch(self, kernel: Any, points: ArrayLike) -> tuple[Array, Array]:
        p = _given.real(points, "points")
        flat = (p.reshape(-1, 3) - self._middle).astype(np.float32)
        if len(flat) == 0:
            return np.zeros(p.shape[:-1]), np.zeros(p.shape)
        nearest = wp.zeros(len(flat), dtype=wp.vec3, device=self._device)
        distance = wp.zeros(len(flat), dtype=wp.float32, device=self._device)
        where = wp.array(flat, dtype=wp.vec3, device=self._device)
        wp.launch(
            kernel,
            dim=len(flat),
            inputs=[self._mesh.id, where],
            outputs=[nearest, distance],
            device=self._device,
        )
        surface = nearest.numpy().astype(np.float64) + self._middle
        return distance.numpy().astype(np.float64).reshape(p.shape[:-1]), surface.reshape(p.shape)


def is_closed(faces: NDArray[np.int64]) -> bool:
    """Whether every edge of faces (F, 3) is run through as often one way as the other, so that a volume is enclosed."""
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64)
    count = int(edges.max()) + 1
    forward = np.sort(edges[:, 0] * count + edges[:, 1])
    return bool(np.array_equal(forward, np.sort(edges[:, 1] * count + edges[:, 0])))


def signed_volume(vertices: Array, faces: NDArray[np.int64]) -> float:
    """Volume in cubic metres by the divergence theorem; negative where faces point inwards."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def _merged(vertices: Array, faces: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """Doubles merged, faces without area dropped, wound outwards."""
    unique, index = np.unique(vertices, axis=0, return_inverse=True)
    f = index.reshape(-1)[faces].astype(np.int64)
    normal = np.cross(unique[f[:, 1]] - unique[f[:, 0]], unique[f[:, 2]] - unique[f[:, 0]])
    size = float(np.ptp(unique, axis=0).max(initial=0.0))
    f = f[np.linalg.norm(normal, axis=1) > 1e-12 * size**2]
    if len(f) == 0:
        raise MeshError(f"none of the {len(faces)} faces of the mesh has an area; a surface is needed")
    return unique, f[:, ::-1] if signed_volume(unique, f) < 0 else f
