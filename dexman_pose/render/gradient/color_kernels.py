"""Warp functions of the colour at a place of a face, in double precision, and of its derivatives."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.render._raster_kernels import ONE, ZERO
from dexman_pose.render._shade_kernels import COLOR_VERTEX, HALF, wrap


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
def corner_colors(paint: Paint, f: wp.vec3i, grey: wp.float64):
    """Colours of a face's corners, row by row; all ``grey`` where a mesh has no vertex colours."""
    if paint.mode == COLOR_VERTEX:
        return wp.matrix_from_rows(paint.colors[f[0]], paint.colors[f[1]], paint.colors[f[2]])
    return wp.mat33d(grey, grey, grey, grey, grey, grey, grey, grey, grey)


@wp.func
def texture_color(paint: Paint, face: int, c: wp.vec3d):
    """RGB in 0..1 of the texture at weights ``c`` of a face."""
    at = texture_position(paint, corner_uv(paint, face, c))
    t = texel_cell(paint, at)
    top = texel(paint, t.i00) * (ONE - t.fx) + texel(paint, t.i01) * t.fx
    low = texel(paint, t.i10) * (ONE - t.fx) + texel(paint, t.i11) * t.fx
    return top * (ONE - t.fy) + low * t.fy


@wp.func
def texture_sensitivity(
    paint: Paint, face: int, c: wp.vec3d, g: wp.vec3d, texture_gradient: wp.array(dtype=wp.vec3d)
):
    """Gradient of the weights from that of the texture's colour, adding that of the texels where wanted."""
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
