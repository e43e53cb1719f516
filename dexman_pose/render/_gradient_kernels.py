"""Warp kernels of depth, normal and colour at the pixels a mesh covers, and of their derivatives.

A pixel's values depend on the three corners of the face it shows. With homogeneous image points h_i = K x_i, seen from
the pixel as origin, the weight of corner i is w_i = h_j x h_k over the sum of the three (as in ``_shade_kernels``);
depth and colour are weighted sums, and the backward pass is this written in reverse. Everything is double precision.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose.render._edge_kernels import Drawing, add_relative, seen_from
from dexman_pose.render._raster_kernels import ONE, ZERO, face_of
from dexman_pose.render._shade_kernels import COLOR_TEXTURE, COLOR_VERTEX, HALF, wrap
from dexman_pose.render._warp import wp


@wp.struct
class Paint:
    """What colours a mesh: by ``mode`` nothing, vertex colours, or a texture as bytes or as numbers."""

    mode: int
    colors: wp.array(dtype=wp.vec3d)
    uv: wp.array(dtype=wp.vec2f)
    texture: wp.array(dtype=wp.uint8)
    texture_values: wp.array(dtype=wp.vec3d)
    width: int
    height: int


@wp.struct
class TexelCell:
    """Four neighbouring texels, upper left to lower right, and how far (fx, fy) a place lies from the first."""

    i00: int
    i01: int
    i10: int
    i11: int
    fx: wp.float64
    fy: wp.float64


@wp.func
def face_at(d: Drawing, b: int, i: int):
    """The face that pixel ``i`` of image ``b`` shows, -1 for none."""
    return face_of(d.keys[b * d.pixels + i])


@wp.func
def doubled_area(a: wp.vec3d, b: wp.vec3d):
    """Cross product of two image points taken as vectors of the plane."""
    return a[0] * b[1] - a[1] * b[0]


@wp.func
def corner_areas(g0: wp.vec3d, g1: wp.vec3d, g2: wp.vec3d):
    """Weights of a face's corners, not yet divided by their sum."""
    return wp.vec3d(doubled_area(g1, g2), doubled_area(g2, g0), doubled_area(g0, g1))


@wp.func
def texel(paint: Paint, i: int):
    """One texel as RGB in 0..1."""
    if paint.texture_values.shape[0] > 0:
        return paint.texture_values[i]
    o = 3 * i
    rgb = wp.vec3d(
        wp.float64(paint.texture[o]), wp.float64(paint.texture[o + 1]), wp.float64(paint.texture[o + 2])
    )
    return rgb / wp.float64(255.0)


@wp.func
def texture_position(paint: Paint, uv: wp.vec2d):
    """Texel coordinates of a texture coordinate; v grows upwards."""
    return wp.vec2d(
        wp.clamp(wrap(uv[0]) * wp.float64(paint.width) - HALF, ZERO, wp.float64(paint.width - 1)),
        wp.clamp((ONE - wrap(uv[1])) * wp.float64(paint.height) - HALF, ZERO, wp.float64(paint.height - 1)),
    )


@wp.func
def corner_uv(paint: Paint, face: int, c: wp.vec3d):
    """The texture coordinate at weights ``c`` of a face."""
    t0 = paint.uv[3 * face]
    t1 = paint.uv[3 * face + 1]
    t2 = paint.uv[3 * face + 2]
    return wp.vec2d(
        c[0] * wp.float64(t0[0]) + c[1] * wp.float64(t1[0]) + c[2] * wp.float64(t2[0]),
        c[0] * wp.float64(t0[1]) + c[1] * wp.float64(t1[1]) + c[2] * wp.float64(t2[1]),
    )


@wp.func
def texel_cell(paint: Paint, at: wp.vec2d):
    """The texels around a place of the texture."""
    x0 = int(at[0])
    y0 = int(at[1])
    x1 = wp.min(x0 + 1, paint.width - 1)
    y1 = wp.min(y0 + 1, paint.height - 1)
    cell = TexelCell()
    cell.i00 = y0 * paint.width + x0
    cell.i01 = y0 * paint.width + x1
    cell.i10 = y1 * paint.width + x0
    cell.i11 = y1 * paint.width + x1
    cell.fx = at[0] - wp.float64(x0)
    cell.fy = at[1] - wp.float64(y0)
    return cell


@wp.func
def color_at(paint: Paint, f: wp.vec3i, face: int, c: wp.vec3d):
    """RGB in 0..1 at weights ``c`` of a face."""
    if paint.mode == COLOR_VERTEX:
        return paint.colors[f[0]] * c[0] + paint.colors[f[1]] * c[1] + paint.colors[f[2]] * c[2]
    if paint.mode == COLOR_TEXTURE:
        at = texture_position(paint, corner_uv(paint, face, c))
        t = texel_cell(paint, at)
        top = texel(paint, t.i00) * (ONE - t.fx) + texel(paint, t.i01) * t.fx
        low = texel(paint, t.i10) * (ONE - t.fx) + texel(paint, t.i11) * t.fx
        return top * (ONE - t.fy) + low * t.fy
    return wp.vec3d(HALF, HALF, HALF)


@wp.func
def color_sensitivity(
    paint: Paint,
    f: wp.vec3i,
    face: int,
    c: wp.vec3d,
    g: wp.vec3d,
    colors_gradient: wp.array(dtype=wp.vec3d),
    texture_gradient: wp.array(dtype=wp.vec3d),
):
    """Gradient of the weights from that of the colour, adding that of vertex colours or texels where wanted."""
    if paint.mode == COLOR_VERTEX:
        if colors_gradient.shape[0] > 0:
            wp.atomic_add(colors_gradient, f[0], g * c[0])
            wp.atomic_add(colors_gradient, f[1], g * c[1])
            wp.atomic_add(colors_gradient, f[2], g * c[2])
        return wp.vec3d(
            wp.dot(g, paint.colors[f[0]]), wp.dot(g, paint.colors[f[1]]), wp.dot(g, paint.colors[f[2]])
        )
    if paint.mode == COLOR_TEXTURE:
        at = texture_position(paint, corner_uv(paint, face, c))
        t = texel_cell(paint, at)
        fx = t.fx
        fy = t.fy
        if texture_gradient.shape[0] > 0:
            wp.atomic_add(texture_gradient, t.i00, g * ((ONE - fx) * (ONE - fy)))
            wp.atomic_add(texture_gradient, t.i01, g * (fx * (ONE - fy)))
            wp.atomic_add(texture_gradient, t.i10, g * ((ONE - fx) * fy))
            wp.atomic_add(texture_gradient, t.i11, g * (fx * fy))
        s00 = wp.dot(g, texel(paint, t.i00))
        s01 = wp.dot(g, texel(paint, t.i01))
        s10 = wp.dot(g, texel(paint, t.i10))
        s11 = wp.dot(g, texel(paint, t.i11))
        dx = ZERO
        dy = ZERO
        if at[0] > ZERO and at[0] < wp.float64(paint.width - 1):
            dx = ((s01 - s00) * (ONE - fy) + (s11 - s10) * fy) * wp.float64(paint.width)
        if at[1] > ZERO and at[1] < wp.float64(paint.height - 1):
            dy = -((s10 - s00) * (ONE - fx) + (s11 - s01) * fx) * wp.float64(paint.height)
        t0 = paint.uv[3 * face]
        t1 = paint.uv[3 * face + 1]
        t2 = paint.uv[3 * face + 2]
        return wp.vec3d(
            dx * wp.float64(t0[0]) + dy * wp.float64(t0[1]),
            dx * wp.float64(t1[0]) + dy * wp.float64(t1[1]),
            dx * wp.float64(t2[0]) + dy * wp.float64(t2[1]),
        )
    return wp.vec3d(ZERO, ZERO, ZERO)


@wp.func
def doubled_normal(x0: wp.vec3d, x1: wp.vec3d, x2: wp.vec3d):
    """Area-weighted normal of a face in the camera frame, on the side of the camera."""
    m = wp.cross(x1 - x0, x2 - x0)
    if wp.dot(m, x0) > ZERO:
        m = -m
    return m


@wp.kernel(enable_backward=False)
def shade_pixels(
    d: Drawing,
    stride: int,
    faces: wp.array(dtype=wp.vec3i),
    paint: Paint,
    mask: wp.array(dtype=wp.float64),
    depth: wp.array(dtype=wp.float64),
    normal: wp.array(dtype=wp.vec3d),
    color: wp.array(dtype=wp.vec3d),
) -> None:
    """Fill the covered pixels of images that hold zeros."""
    b, start = wp.tid()
    for i in range(start, d.pixels, stride):
        face = face_at(d, b, i)
        if face >= 0:
            p = b * d.pixels + i
            u = wp.float64(i % d.width)
            v = wp.float64(i // d.width)
            f = faces[face]
            o = b * d.vertices
            g0 = seen_from(d, b, o + f[0], u, v)
            g1 = seen_from(d, b, o + f[1], u, v)
            g2 = seen_from(d, b, o + f[2], u, v)
            w = corner_areas(g0, g1, g2)
            total = w[0] + w[1] + w[2]
            c = wp.vec3d(ONE, ZERO, ZERO)
            if total != ZERO:
                c = w / total
            m = doubled_normal(d.points[o + f[0]], d.points[o + f[1]], d.points[o + f[2]])
            mask[p] = ONE
            depth[p] = c[0] * g0[2] + c[1] * g1[2] + c[2] * g2[2]
            normal[p] = wp.normalize(m)
            color[p] = color_at(paint, f, face, c)


@wp.func
def add_value_gradients(
    d: Drawing,
    paint: Paint,
    f: wp.vec3i,
    face: int,
    b: int,
    i: int,
    gz: wp.float64,
    rgb: wp.vec3d,
    image_gradient: wp.array(dtype=wp.vec3d),
    colors_gradient: wp.array(dtype=wp.vec3d),
    texture_gradient: wp.array(dtype=wp.vec3d),
):
    """Pull the gradients of pixel ``i``'s depth and colour back to the image points of its face's corners."""
    u = wp.float64(i % d.width)
    v = wp.float64(i // d.width)
    i0 = b * d.vertices + f[0]
    i1 = b * d.vertices + f[1]
    i2 = b * d.vertices + f[2]
    g0 = seen_from(d, b, i0, u, v)
    g1 = seen_from(d, b, i1, u, v)
    g2 = seen_from(d, b, i2, u, v)
    w = corner_areas(g0, g1, g2)
    total = w[0] + w[1] + w[2]
    if total == ZERO:
        return
    c = w / total
    s = color_sensitivity(paint, f, face, c, rgb, colors_gradient, texture_gradient)
    s += gz * wp.vec3d(g0[2], g1[2], g2[2])
    mean = wp.dot(c, s)
    q = wp.vec3d((s[0] - mean) / total, (s[1] - mean) / total, (s[2] - mean) / total)
    d0 = wp.vec3d(q[2] * g1[1] - q[1] * g2[1], q[1] * g2[0] - q[2] * g1[0], gz * c[0])
    d1 = wp.vec3d(q[0] * g2[1] - q[2] * g0[1], q[2] * g0[0] - q[0] * g2[0], gz * c[1])
    d2 = wp.vec3d(q[1] * g0[1] - q[0] * g1[1], q[0] * g1[0] - q[1] * g0[0], gz * c[2])
    add_relative(image_gradient, i0, d0, u, v)
    add_relative(image_gradient, i1, d1, u, v)
    add_relative(image_gradient, i2, d2, u, v)


@wp.func
def add_normal_gradients(
    points: wp.array(dtype=wp.vec3d),
    i0: int,
    i1: int,
    i2: int,
    g: wp.vec3d,
    points_gradient: wp.array(dtype=wp.vec3d),
):
    """Pull the gradient of one pixel's normal back to its face's corners in the camera frame."""
    a = points[i1] - points[i0]
    e = points[i2] - points[i0]
    m = wp.cross(a, e)
    size = wp.length(m)
    if size == ZERO:
        return
    n = m / size
    dm = (g - n * wp.dot(n, g)) / size
    if wp.dot(m, points[i0]) > ZERO:  # the normal was turned to the camera
        dm = -dm
    da = wp.cross(e, dm)
    de = wp.cross(dm, a)
    wp.atomic_add(points_gradient, i0, -da - de)
    wp.atomic_add(points_gradient, i1, da)
    wp.atomic_add(points_gradient, i2, de)


@wp.kernel(enable_backward=False)
def shade_pixels_backward(
    d: Drawing,
    stride: int,
    faces: wp.array(dtype=wp.vec3i),
    paint: Paint,
    depth_gradient: wp.array(dtype=wp.float64),
    normal_gradient: wp.array(dtype=wp.vec3d),
    color_gradient: wp.array(dtype=wp.vec3d),
    image_gradient: wp.array(dtype=wp.vec3d),
    points_gradient: wp.array(dtype=wp.vec3d),
    colors_gradient: wp.array(dtype=wp.vec3d),
    texture_gradient: wp.array(dtype=wp.vec3d),
) -> None:
    """Add gradients of image points (from depth, colour) and of points (from normals); an empty array is none."""
    b, start = wp.tid()
    for i in range(start, d.pixels, stride):
        face = face_at(d, b, i)
        if face >= 0:
            f = faces[face]
            p = b * d.pixels + i
            gz = ZERO
            rgb = wp.vec3d(ZERO, ZERO, ZERO)
            if depth_gradient.shape[0] > 0:
                gz = depth_gradient[p]
            if color_gradient.shape[0] > 0:
                rgb = color_gradient[p]
            if gz != ZERO or wp.dot(rgb, rgb) > ZERO:
                add_value_gradients(
                    d, paint, f, face, b, i, gz, rgb, image_gradient, colors_gradient, texture_gradient
                )
            if normal_gradient.shape[0] > 0:
                o = b * d.vertices
                add_normal_gradients(
                    d.points, o + f[0], o + f[1], o + f[2], normal_gradient[p], points_gradient
                )
