"""Warp kernels of depth, normal and colour at the pixels a mesh covers, and of their derivatives.

A pixel's values depend on the three corners of the face it shows. With homogeneous image points h_i = K x_i, seen from
the pixel as origin, the weight of corner i is w_i = h_j x h_k over the sum of the three (as in ``_shade_kernels``);
depth and colour are weighted sums, and the backward pass is this written in reverse. Everything is computed in double
precision; the images themselves are of either precision.

A row is walked from pixel to pixel. As long as they show the same face, its corners are read once and its gradients are
summed up before they are added to those of all.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from typing import Any

from dexman_pose.render._color_kernels import Paint, corner_colors, texture_color, texture_sensitivity
from dexman_pose.render._edge_kernels import Drawing, image_point, relative
from dexman_pose.render._precision import both_precisions
from dexman_pose.render._raster_kernels import ONE, ZERO, face_of
from dexman_pose.render._shade_kernels import COLOR_TEXTURE, HALF
from dexman_pose.render._warp import wp


@wp.func
def doubled_area(a: wp.vec3d, b: wp.vec3d):
    """Cross product of two image points taken as vectors of the plane."""
    return a[0] * b[1] - a[1] * b[0]


@wp.func
def corner_areas(g0: wp.vec3d, g1: wp.vec3d, g2: wp.vec3d):
    """Weights of a face's corners, not yet divided by their sum."""
    return wp.vec3d(doubled_area(g1, g2), doubled_area(g2, g0), doubled_area(g0, g1))


@wp.struct
class Patch:
    """One face in one image: its number, its corners among the points, their image points, its normal.

    ``normal`` is area-weighted, in the camera frame, on the side of the camera; ``side`` is -1 where it was turned.
    """

    face: int
    f: wp.vec3i
    i0: int
    i1: int
    i2: int
    h0: wp.vec3d
    h1: wp.vec3d
    h2: wp.vec3d
    normal: wp.vec3d
    side: wp.float64


@wp.func
def patch_of(d: Drawing, faces: wp.array(dtype=wp.vec3i), b: int, face: int):
    """Face number ``face`` of image ``b``."""
    out = Patch()
    out.face = face
    out.f = faces[face]
    out.i0 = b * d.vertices + out.f[0]
    out.i1 = b * d.vertices + out.f[1]
    out.i2 = b * d.vertices + out.f[2]
    out.h0 = image_point(d.points, d.intrinsics, b, out.i0)
    out.h1 = image_point(d.points, d.intrinsics, b, out.i1)
    out.h2 = image_point(d.points, d.intrinsics, b, out.i2)
    x0 = d.points[out.i0]
    m = wp.cross(d.points[out.i1] - x0, d.points[out.i2] - x0)
    out.side = ONE
    if wp.dot(m, x0) > ZERO:
        out.side = -ONE
    out.normal = out.side * m
    return out


@wp.func
def end_of_run(keys: wp.array(dtype=wp.uint64), row: int, x: int, end: int, step: int):
    """The first place after ``x``, in steps, where a row shows another face than there."""
    face = face_of(keys[row + x])
    out = x + step
    while out < end and face_of(keys[row + out]) == face:
        out += step
    return out


@wp.kernel(enable_backward=False)
def shade_pixels(
    d: Drawing,
    row_step: int,
    column_step: int,
    faces: wp.array(dtype=wp.vec3i),
    paint: Paint,
    mask: wp.array(dtype=Any),
    depth: wp.array(dtype=Any),
    normal: wp.array(dtype=Any),
    color: wp.array(dtype=Any),
) -> None:
    """Fill the covered pixels of images that hold zeros; three numbers a pixel of normal and colour."""
    b, first_row, first_column = wp.tid()
    x1 = d.boxes[4 * b + 2]
    for y in range(d.boxes[4 * b + 1] + first_row, d.boxes[4 * b + 3], row_step):
        row = b * d.pixels + y * d.width
        x = d.boxes[4 * b] + first_column
        while x < x1:
            face = face_of(d.keys[row + x])
            end = end_of_run(d.keys, row, x, x1, column_step)
            if face >= 0:
                patch = patch_of(d, faces, b, face)
                n = wp.normalize(patch.normal)
                tint = corner_colors(paint, patch.f, HALF)
                v = wp.float64(y)
                for i in range(x, end, column_step):
                    u = wp.float64(i)
                    p = row + i
                    w = corner_areas(
                        relative(patch.h0, u, v), relative(patch.h1, u, v), relative(patch.h2, u, v)
                    )
                    total = w[0] + w[1] + w[2]
                    c = wp.vec3d(ONE, ZERO, ZERO)
                    if total != ZERO:
                        c = w * (ONE / total)
                    mask[p] = mask.dtype(ONE)
                    depth[p] = depth.dtype(c[0] * patch.h0[2] + c[1] * patch.h1[2] + c[2] * patch.h2[2])
                    rgb = c * tint
                    if paint.mode == COLOR_TEXTURE:
                        rgb = texture_color(paint, face, c)
                    o = 3 * p
                    normal[o] = normal.dtype(n[0])
                    normal[o + 1] = normal.dtype(n[1])
                    normal[o + 2] = normal.dtype(n[2])
                    color[o] = color.dtype(rgb[0])
                    color[o + 1] = color.dtype(rgb[1])
                    color[o + 2] = color.dtype(rgb[2])
            x = end


@wp.struct
class Pulled:
    """Gradients of the three image points of a face."""

    d0: wp.vec3d
    d1: wp.vec3d
    d2: wp.vec3d


@wp.func
def shifted(d: wp.vec3d, u: wp.float64, v: wp.float64):
    """The gradient of a point from that of the point relative to pixel (u, v)."""
    return wp.vec3d(d[0], d[1], d[2] - u * d[0] - v * d[1])


@wp.func
def pulled(
    g0: wp.vec3d,
    g1: wp.vec3d,
    g2: wp.vec3d,
    c: wp.vec3d,
    inverse: wp.float64,
    s: wp.vec3d,
    gz: wp.float64,
    u: wp.float64,
    v: wp.float64,
):
    """Pull gradients of pixel (u, v) back to the image points of its face's corners.

    The corners are seen from the pixel; ``s`` is the gradient of their weights ``c``, which are areas times
    ``inverse``; ``gz`` that of the depth.
    """
    mean = wp.dot(c, s)
    q = wp.vec3d((s[0] - mean) * inverse, (s[1] - mean) * inverse, (s[2] - mean) * inverse)
    d0 = wp.vec3d(q[2] * g1[1] - q[1] * g2[1], q[1] * g2[0] - q[2] * g1[0], gz * c[0])
    d1 = wp.vec3d(q[0] * g2[1] - q[2] * g0[1], q[2] * g0[0] - q[0] * g2[0], gz * c[1])
    d2 = wp.vec3d(q[1] * g0[1] - q[0] * g1[1], q[0] * g1[0] - q[1] * g0[0], gz * c[2])
    out = Pulled()
    out.d0 = shifted(d0, u, v)
    out.d1 = shifted(d1, u, v)
    out.d2 = shifted(d2, u, v)
    return out


@wp.func
def add_normal_gradient(d: Drawing, patch: Patch, g: wp.vec3d, points_gradient: wp.array(dtype=wp.vec3d)):
    """Pull the gradient of a face's normal back to its corners in the camera frame."""
    size = wp.length(patch.normal)
    if size > ZERO:
        x0 = d.points[patch.i0]
        a = d.points[patch.i1] - x0
        e = d.points[patch.i2] - x0
        n = patch.normal / size
        dm = patch.side * (g - n * wp.dot(n, g)) / size
        da = wp.cross(e, dm)
        de = wp.cross(dm, a)
        wp.atomic_add(points_gradient, patch.i0, -da - de)
        wp.atomic_add(points_gradient, patch.i1, da)
        wp.atomic_add(points_gradient, patch.i2, de)


@wp.func
def three(values: wp.array(dtype=Any), i: int):
    """The ``i``-th three numbers of an image, zeros of one that is not there."""
    out = wp.vec3d(ZERO, ZERO, ZERO)
    if values.shape[0] > 0:
        o = 3 * i
        out = wp.vec3d(wp.float64(values[o]), wp.float64(values[o + 1]), wp.float64(values[o + 2]))
    return out


@wp.func
def one(values: wp.array(dtype=Any), i: int):
    """The ``i``-th number of an image, zero of one that is not there."""
    out = ZERO
    if values.shape[0] > 0:
        out = wp.float64(values[i])
    return out


@wp.kernel(enable_backward=False)
def shade_pixels_backward(
    d: Drawing,
    row_step: int,
    column_step: int,
    faces: wp.array(dtype=wp.vec3i),
    paint: Paint,
    depth_gradient: wp.array(dtype=Any),
    normal_gradient: wp.array(dtype=Any),
    color_gradient: wp.array(dtype=Any),
    image_gradient: wp.array(dtype=wp.vec3d),
    points_gradient: wp.array(dtype=wp.vec3d),
    colors_gradient: wp.array(dtype=wp.vec3d),
    texture_gradient: wp.array(dtype=wp.vec3d),
) -> None:
    """Add gradients of image points (from depth, colour) and of points (from normals); an empty array is none."""
    b, first_row, first_column = wp.tid()
    x1 = d.boxes[4 * b + 2]
    for y in range(d.boxes[4 * b + 1] + first_row, d.boxes[4 * b + 3], row_step):
        row = b * d.pixels + y * d.width
        x = d.boxes[4 * b] + first_column
        while x < x1:
            face = face_of(d.keys[row + x])
            end = end_of_run(d.keys, row, x, x1, column_step)
            if face >= 0:
                patch = patch_of(d, faces, b, face)
                v = wp.float64(y)
                d0 = wp.vec3d(ZERO, ZERO, ZERO)
                d1 = wp.vec3d(ZERO, ZERO, ZERO)
                d2 = wp.vec3d(ZERO, ZERO, ZERO)
                n = wp.vec3d(ZERO, ZERO, ZERO)
                tint = corner_colors(paint, patch.f, ZERO)
                colors = wp.mat33d()
                for i in range(x, end, column_step):
                    p = row + i
                    n += three(normal_gradient, p)
                    gz = one(depth_gradient, p)
                    rgb = three(color_gradient, p)
                    u = wp.float64(i)
                    g0 = relative(patch.h0, u, v)
                    g1 = relative(patch.h1, u, v)
                    g2 = relative(patch.h2, u, v)
                    w = corner_areas(g0, g1, g2)
                    total = w[0] + w[1] + w[2]
                    if total != ZERO and (gz != ZERO or wp.dot(rgb, rgb) > ZERO):
                        inverse = ONE / total
                        c = w * inverse
                        s = tint * rgb + gz * wp.vec3d(g0[2], g1[2], g2[2])
                        if paint.mode == COLOR_TEXTURE:
                            s += texture_sensitivity(paint, face, c, rgb, texture_gradient)
                        if colors_gradient.shape[0] > 0:
                            colors += wp.outer(c, rgb)
                        g = pulled(g0, g1, g2, c, inverse, s, gz, u, v)
                        d0 += g.d0
                        d1 += g.d1
                        d2 += g.d2
                wp.atomic_add(image_gradient, patch.i0, d0)
                wp.atomic_add(image_gradient, patch.i1, d1)
                wp.atomic_add(image_gradient, patch.i2, d2)
                if colors_gradient.shape[0] > 0:
                    wp.atomic_add(colors_gradient, patch.f[0], colors[0])
                    wp.atomic_add(colors_gradient, patch.f[1], colors[1])
                    wp.atomic_add(colors_gradient, patch.f[2], colors[2])
                if points_gradient.shape[0] > 0:
                    add_normal_gradient(d, patch, n, points_gradient)
            x = end


SHADE = both_precisions(shade_pixels, ("mask", "depth", "normal", "color"))
SHADE_BACKWARD = both_precisions(
    shade_pixels_backward, ("depth_gradient", "normal_gradient", "color_gradient")
)
