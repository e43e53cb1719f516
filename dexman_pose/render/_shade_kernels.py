"""Warp kernel that turns the nearest face of a pixel into what is asked: barycentrics, normal."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.render._raster_kernels import ONE, ZERO, face_of, homogeneous

HALF = wp.constant(wp.float64(0.5))
COLOR_GREY = wp.constant(0)
COLOR_VERTEX = wp.constant(1)
COLOR_TEXTURE = wp.constant(2)


@wp.func
def wrap(t: wp.float64) -> wp.float64:
    """A texture coordinate brought into [0, 1] by repetition; both ends of that interval stay."""
    if t < ZERO or t > ONE:
        return t - wp.floor(t)
    return t


@wp.func
def barycentric_at(
    vertices: wp.array(dtype=wp.vec3d),
    projection: wp.array(dtype=wp.float64),
    b: int,
    f: wp.vec3i,
    u: wp.float64,
    v: wp.float64,
) -> wp.vec3d:
    """Barycentric coordinates, in space, of where the ray of pixel (u, v) meets a face.

    With homogeneous corners h_i and d = (u, v, 1), the weight of corner i is proportional to d . (h_j x h_k);
    that needs no division by depth and holds for faces that reach behind the camera.
    """
    h0 = homogeneous(projection, b, vertices[f[0]])
    h1 = homogeneous(projection, b, vertices[f[1]])
    h2 = homogeneous(projection, b, vertices[f[2]])
    # Relative to the pixel the first two components are small: the products below do not cancel.
    g0 = wp.vec3d(h0[0] - u * h0[2], h0[1] - v * h0[2], h0[2])
    g1 = wp.vec3d(h1[0] - u * h1[2], h1[1] - v * h1[2], h1[2])
    g2 = wp.vec3d(h2[0] - u * h2[2], h2[1] - v * h2[2], h2[2])
    w0 = g1[0] * g2[1] - g1[1] * g2[0]
    w1 = g2[0] * g0[1] - g2[1] * g0[0]
    w2 = g0[0] * g1[1] - g0[1] * g1[0]
    if w0 + w1 + w2 < ZERO:
        w0 = -w0
        w1 = -w1
        w2 = -w2
    # The rasteriser widens faces by a hair: keep the weights a convex combination.
    w0 = wp.max(w0, ZERO)
    w1 = wp.max(w1, ZERO)
    w2 = wp.max(w2, ZERO)
    total = w0 + w1 + w2
    if total == ZERO:
        return wp.vec3d(ONE, ZERO, ZERO)
    return wp.vec3d(w0 / total, w1 / total, w2 / total)


@wp.func
def face_normal(
    normals: wp.array(dtype=wp.vec3d), poses: wp.array(dtype=wp.float64), b: int, face: int, ray: wp.vec3d
) -> wp.vec3d:
    """Unit normal of a face in the camera frame, on the side that the camera sees."""
    n = normals[face]
    o = b * 15
    m = wp.vec3d(
        poses[o] * n[0] + poses[o + 1] * n[1] + poses[o + 2] * n[2],
        poses[o + 3] * n[0] + poses[o + 4] * n[1] + poses[o + 5] * n[2],
        poses[o + 6] * n[0] + poses[o + 7] * n[1] + poses[o + 8] * n[2],
    )
    m = wp.normalize(m)
    if wp.dot(m, ray) > ZERO:
        m = -m
    return m


@wp.func
def pixel_ray(poses: wp.array(dtype=wp.float64), b: int, u: wp.float64, v: wp.float64) -> wp.vec3d:
    """The viewing direction K^-1 (u, v, 1) of a pixel; K is upper triangular."""
    o = b * 15 + 9
    return wp.vec3d(poses[o] * u + poses[o + 1] * v + poses[o + 2], poses[o + 4] * v + poses[o + 5], ONE)


@wp.kernel(enable_backward=False)
def shade(
    vertices: wp.array(dtype=wp.vec3d),
    faces: wp.array(dtype=wp.vec3i),
    normals: wp.array(dtype=wp.vec3d),
    projection: wp.array(dtype=wp.float64),
    poses: wp.array(dtype=wp.float64),
    keys: wp.array(dtype=wp.uint64),
    width: int,
    height: int,
    stride: int,
    face_out: wp.array(dtype=wp.int32),
    bary_out: wp.array(dtype=wp.vec3f),
    normal_out: wp.array(dtype=wp.vec3f),
) -> None:
    """Fill the images whose arrays are not empty; a pixel without surface gets face -1 and zeros."""
    b, start = wp.tid()
    pixels = width * height
    for i in range(start, pixels, stride):
        p = b * pixels + i
        face = face_of(keys[p])
        c = wp.vec3d(ZERO, ZERO, ZERO)
        n = wp.vec3d(ZERO, ZERO, ZERO)
        if face >= 0:
            u = wp.float64(i % width)
            v = wp.float64(i // width)
            f = faces[face]
            if bary_out.shape[0] > 0:
                c = barycentric_at(vertices, projection, b, f, u, v)
            if normal_out.shape[0] > 0:
                n = face_normal(normals, poses, b, face, pixel_ray(poses, b, u, v))
        if face_out.shape[0] > 0:
            face_out[p] = face
        if bary_out.shape[0] > 0:
            bary_out[p] = wp.vec3f(float(c[0]), float(c[1]), float(c[2]))
        if normal_out.shape[0] > 0:
            normal_out[p] = wp.vec3f(float(n[0]), float(n[1]), float(n[2]))
