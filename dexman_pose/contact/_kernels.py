# mypy: disable-error-code="valid-type, untyped-decorator, no-untyped-def"
"""Warp kernels: one thread per query point, nearest surface point and inside/outside of one mesh."""

from __future__ import annotations

from dexman_pose._warp import wp

FAR = wp.constant(1.0e9)
# Orthogonal, and along no axis or diagonal: people model in axes, and a ray that runs through an edge may miss it.
RAY_0 = wp.constant(wp.vec3(0.3606, 0.8515, 0.3807))
RAY_1 = wp.constant(wp.vec3(-0.8634, 0.1503, 0.4817))
RAY_2 = wp.constant(wp.vec3(0.3529, -0.5024, 0.7893))


@wp.func
def _leaves(mesh: wp.uint64, point: wp.vec3, direction: wp.vec3):
    """1 where the first face that a ray meets is met from inside, else 0."""
    hit = wp.mesh_query_ray(mesh, point, direction, FAR)
    if hit.result and hit.sign < 0.0:
        return 1
    return 0


@wp.func
def _store(
    mesh: wp.uint64,
    i: int,
    point: wp.vec3,
    sign: float,
    found: wp.MeshQueryPoint,
    nearest: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=float),
    face: wp.array(dtype=int),
):
    if found.result:
        p = wp.mesh_eval_position(mesh, found.face, found.u, found.v)
        nearest[i] = p
        distance[i] = sign * wp.length(point - p)
        face[i] = found.face


@wp.kernel
def query(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    by_rays: bool,
    low: wp.vec3,
    high: wp.vec3,
    nearest: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=float),
    face: wp.array(dtype=int),
):
    """Nearest surface point and signed distance of every point.

    With ``by_rays`` two of three rays decide which side a point is on, for which a surface without a gap that does
    not overlap itself is enough; a point beyond the corners ``low`` and ``high`` of such a surface is outside without
    them. Else the generalised winding number decides.
    """
    i = wp.tid()
    point = points[i]
    if by_rays:
        plain = wp.mesh_query_point_no_sign(mesh, point, FAR)
        sign = wp.float32(1.0)
        if wp.min(point - low) >= 0.0 and wp.min(high - point) >= 0.0:
            votes = _leaves(mesh, point, RAY_0) + _leaves(mesh, point, RAY_1) + _leaves(mesh, point, RAY_2)
            sign = wp.where(votes >= 2, -1.0, 1.0)
        _store(mesh, i, point, sign, plain, nearest, distance, face)
    else:
        wound = wp.mesh_query_point_sign_winding_number(mesh, point, FAR)
        _store(mesh, i, point, wound.sign, wound, nearest, distance, face)
