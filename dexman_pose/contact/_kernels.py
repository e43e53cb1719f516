# mypy: disable-error-code="valid-type, untyped-decorator, no-untyped-def"
"""Warp kernels: one thread per query point, nearest surface point and inside/outside of one mesh."""

from __future__ import annotations

from dexman_pose.render._warp import wp

FAR = wp.constant(1.0e9)


@wp.func
def _store(
    mesh: wp.uint64,
    i: int,
    point: wp.vec3,
    query: wp.MeshQueryPoint,
    nearest: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=float),
    face: wp.array(dtype=int),
):
    p = wp.mesh_eval_position(mesh, query.face, query.u, query.v)
    nearest[i] = p
    distance[i] = query.sign * wp.length(point - p)
    face[i] = query.face


@wp.kernel
def query_closed(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    nearest: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=float),
    face: wp.array(dtype=int),
):
    """Sign from the angle-weighted normal at the nearest point: exact for closed meshes."""
    i = wp.tid()
    query = wp.mesh_query_point_sign_normal(mesh, points[i], FAR)
    if query.result:
        _store(mesh, i, points[i], query, nearest, distance, face)


@wp.kernel
def query_open(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    nearest: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=float),
    face: wp.array(dtype=int),
):
    """Sign from the generalised winding number: sensible for open and self-intersecting meshes."""
    i = wp.tid()
    query = wp.mesh_query_point_sign_winding_number(mesh, points[i], FAR)
    if query.result:
        _store(mesh, i, points[i], query, nearest, distance, face)
