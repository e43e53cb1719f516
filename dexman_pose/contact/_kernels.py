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
    found: wp.MeshQueryPoint,
    nearest: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=float),
    face: wp.array(dtype=int),
):
    if found.result:
        p = wp.mesh_eval_position(mesh, found.face, found.u, found.v)
        nearest[i] = p
        distance[i] = found.sign * wp.length(point - p)
        face[i] = found.face


@wp.kernel
def query(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    closed: bool,
    nearest: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=float),
    face: wp.array(dtype=int),
):
    """Nearest surface point and signed distance of every point.

    The sign of a closed mesh comes from the angle-weighted normal at the nearest point, which is exact; that of any
    other from the generalised winding number, which is sensible for open and self-intersecting ones.
    """
    i = wp.tid()
    if closed:
        by_normal = wp.mesh_query_point_sign_normal(mesh, points[i], FAR)
        _store(mesh, i, points[i], by_normal, nearest, distance, face)
    else:
        by_winding = wp.mesh_query_point_sign_winding_number(mesh, points[i], FAR)
        _store(mesh, i, points[i], by_winding, nearest, distance, face)
