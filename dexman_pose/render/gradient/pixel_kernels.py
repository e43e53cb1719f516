"""Warp kernels of depth, normal and colour at the pixels a mesh covers, and of their derivatives.

A pixel's values depend on the three corners of the face it shows. With homogeneous image points h_i = K x_i, seen from
the pixel as origin, the weight of corner i is w_i = h_j x h_k over the sum of the three (as in ``_shade_kernels``);
depth and colour are weighted sums, and the backward pass is this written in reverse. Everything is computed in double
precision; the images themselves are of either precision.

A row is walked in runs of pixels that show the same face (``run_kernels``). A thread takes a part of a row: all of it
on the CPU, one pixel on a GPU.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from typing import Any

from dexman_pose._warp import wp
from dexman_pose.render._raster_kernels import ONE, ZERO, face_of
from dexman_pose.render._shade_kernels import COLOR_TEXTURE, HALF
from dexman_pose.render.gradient.color_kernels import Paint, corner_colors, texture_color, texture_sensitivity
from dexman_pose.render.gradient.edge_kernels import Drawing, add_relative, image_point, relative
from dexman_pose.render.gradient.precision import both_precisions
from dexman_pose.render.gradient.run_kernels import RunSums, fill_run, sum_run


@wp.func
def doubled_area(a: wp.vec3d, b: wp.vec3d):
    """Cross product of two image points taken as vectors of the plane."""
    return a[0] * b[1] - a[1] * b[0]


@wp.func
def slope(a: wp.vec3d, b: wp.vec3d):
    """How :func:`doubled_area` of two image points grows as the place they are seen from goes right."""
    return a[1] * b[2] - a[2] * b[1]


@wp.func
def corner_slopes(g0: wp.vec3d, g1: wp.vec3d, g2: wp.vec3d):
    """How :func:`corner_areas` grow as the place they are seen from goes right."""
    return wp.vec3d(slope(g1, g2), slope(g2, g0), slope(g0, g1))


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


@wp.struct
class Run:
    """Pixels ``x`` to ``end`` of a row that show one face; corners seen from the first, depths, areas, their growth."""

    x: int
    y: int
    end: int
    g0: wp.vec3d
    g1: wp.vec3d
    g2: wp.vec3d
    z: wp.vec3d
    areas: wp.vec3d
    growth: wp.vec3d


@wp.func
def end_of_run(keys: wp.array(dtype=wp.uint64), row: int, x: int, end: int):
    """The first place after ``x`` where a row shows another face than there."""
    face = face_of(keys[row + x])
    out = x + 1
    while out < end and face_of(keys[row + out]) == face:
        out += 1
    return out


@wp.func
def run_of(patch: Patch, x: int, y: int, end: int):
    """The run of a face from pixel (x, y) on."""
    u = wp.float64(x)
    v = wp.float64(y)
    out = Run()
    out.x = x
    out.y = y
    out.end = end
    out.g0 = relative(patch.h0, u, v)
    out.g1 = relative(patch.h1, u, v)
    out.g2 = relative(patch.h2, u, v)
    out.z = wp.vec3d(out.g0[2], out.g1[2], out.g2[2])
    out.areas = corner_areas(out.g0, out.g1, out.g2)
    out.growth = corner_slopes(out.g0, out.g1, out.g2)
    return out


@wp.func
def weights_at(run: Run, i: int):
    """Weights of the corners at pixel ``i`` of the row, and the inverse of the sum of the areas, 0 for none."""
    w = run.areas + run.growth * wp.float64(i - run.x)
    total = w[0] + w[1] + w[2]
    out = wp.vec4d(ONE, ZERO, ZERO, ZERO)
    if total != ZERO:
        t = ONE / total
        out = wp.vec4d(w[0] * t, w[1] * t, w[2] * t, t)
    return out


@wp.kernel(enable_backward=False)
def shade_pixels(
    d: Drawing,
    row_step: int,
    part: int,
    faces: wp.array(dtype=wp.vec3i),
    paint: Paint,
    mask: wp.array(dtype=Any),
    depth: wp.array(dtype=Any),
    normal: wp.array(dtype=Any),
    color: wp.array(dtype=Any),
) -> None:
    """Fill the covered pixels of images that hold zeros; three numbers a pixel of normal and colour."""
    b, first_row, column = wp.tid()
    start = d.boxes[4 * b] + column * part
    stop = wp.min(d.boxes[4 * b + 2], start + part)
    for y in range(d.boxes[4 * b + 1] + first_row, d.boxes[4 * b + 3], row_step):
        row = b * d.pixels + y * d.width
        x = start
        while x < stop:
            face = face_of(d.keys[row + x])
            end = end_of_run(d.keys, row, x, stop)
            if face >= 0:
                patch = patch_of(d, faces, b, face)
                run = run_of(patch, x, y, end)
                n = wp.normalize(patch.normal)
                tint = corner_colors(paint, patch.f, HALF)
                fill_run(run.areas, run.growth, run.z, n, tint, row + x, end - x, mask, depth, normal, color)
                if paint.mode == COLOR_TEXTURE:
                    for i in range(x, end):
                        c = weights_at(run, i)
                        rgb = texture_color(paint, face, wp.vec3d(c[0], c[1], c[2]))
                        o = 3 * (row + i)
                        color[o] = color.dtype(rgb[0])
                        color[o + 1] = color.dtype(rgb[1])
                        color[o + 2] = color.dtype(rgb[2])
            x = end


@wp.func
def add_corner(gradient: wp.array(dtype=wp.vec3d), i: int, a: wp.vec3d, u: wp.vec3d, z: wp.float64, run: Run):
    """Add the gradient of a corner: the cross product of ``a``, and ``u`` times the place, with (place, 0, 1)."""
    seen = wp.vec3d(a[1], u[2] - a[0], z - u[1])
    add_relative(gradient, i, seen, wp.float64(run.x), wp.float64(run.y))


@wp.func
def add_corners(gradient: wp.array(dtype=wp.vec3d), patch: Patch, run: Run, s: RunSums):
    """Pull the sums of a run back to the image points of its face."""
    q = s[0]
    u = s[1]
    add_corner(gradient, patch.i0, q[2] * run.g1 - q[1] * run.g2, u[2] * run.g1 - u[1] * run.g2, s[2][0], run)
    add_corner(gradient, patch.i1, q[0] * run.g2 - q[2] * run.g0, u[0] * run.g2 - u[2] * run.g0, s[2][1], run)
    add_corner(gradient, patch.i2, q[1] * run.g0 - q[0] * run.g1, u[1] * run.g0 - u[0] * run.g1, s[2][2], run)


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
def texture_sums(
    paint: Paint,
    face: int,
    run: Run,
    row: int,
    gradient: wp.array(dtype=Any),
    texels: wp.array(dtype=wp.vec3d),
):
    """Sums of a run for the colours of the texture alone, adding the gradient of the texels where wanted."""
    q = wp.vec3d(ZERO, ZERO, ZERO)
    qu = wp.vec3d(ZERO, ZERO, ZERO)
    for i in range(run.x, run.end):
        rgb = three(gradient, row + i)
        w = weights_at(run, i)
        if wp.dot(rgb, rgb) > ZERO and w[3] != ZERO:
            c = wp.vec3d(w[0], w[1], w[2])
            s = texture_sensitivity(paint, face, c, rgb, texels)
            mean = wp.dot(c, s)
            one = wp.vec3d((s[0] - mean) * w[3], (s[1] - mean) * w[3], (s[2] - mean) * w[3])
            q += one
            qu += one * wp.float64(i - run.x)
    none = wp.vec3d(ZERO, ZERO, ZERO)
    return wp.matrix_from_rows(q, qu, none, none)


@wp.func
def color_sums(run: Run, row: int, gradient: wp.array(dtype=Any)):
    """Gradients of the colours of a run's three corners, row by row."""
    out = wp.mat33d()
    for i in range(run.x, run.end):
        w = weights_at(run, i)
        out += wp.outer(wp.vec3d(w[0], w[1], w[2]), three(gradient, row + i))
    return out


@wp.kernel(enable_backward=False)
def shade_pixels_backward(
    d: Drawing,
    row_step: int,
    part: int,
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
    b, first_row, column = wp.tid()
    start = d.boxes[4 * b] + column * part
    stop = wp.min(d.boxes[4 * b + 2], start + part)
    for y in range(d.boxes[4 * b + 1] + first_row, d.boxes[4 * b + 3], row_step):
        row = b * d.pixels + y * d.width
        x = start
        while x < stop:
            face = face_of(d.keys[row + x])
            end = end_of_run(d.keys, row, x, stop)
            if face >= 0:
                patch = patch_of(d, faces, b, face)
                run = run_of(patch, x, y, end)
                tint = corner_colors(paint, patch.f, ZERO)
                sums = sum_run(
                    run.areas,
                    run.growth,
                    run.z,
                    tint,
                    row + x,
                    end - x,
                    depth_gradient,
                    normal_gradient,
                    color_gradient,
                )
                if paint.mode == COLOR_TEXTURE:
                    sums += texture_sums(paint, face, run, row, color_gradient, texture_gradient)
                add_corners(image_gradient, patch, run, sums)
                if points_gradient.shape[0] > 0:
                    add_normal_gradient(d, patch, sums[3], points_gradient)
                if colors_gradient.shape[0] > 0:
                    colors = color_sums(run, row, color_gradient)
                    wp.atomic_add(colors_gradient, patch.f[0], colors[0])
                    wp.atomic_add(colors_gradient, patch.f[1], colors[1])
                    wp.atomic_add(colors_gradient, patch.f[2], colors[2])
            x = end


SHADE = both_precisions(shade_pixels, ("mask", "depth", "normal", "color"))
SHADE_BACKWARD = both_precisions(
    shade_pixels_backward, ("depth_gradient", "normal_gradient", "color_gradient")
)
