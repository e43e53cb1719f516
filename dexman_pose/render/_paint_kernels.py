"""Warp kernel that colours the nearest face of every pixel: from the texture, the vertex colours, or plain grey.

Neighbouring pixels mostly show the same face. What depends on the face alone is worked out where a new one begins and
then only stepped: in C++, because Warp's own functions would do all of it again at every pixel.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.render._shade_kernels import COLOR_TEXTURE, COLOR_VERTEX


@wp.struct
class ColoredMesh:
    """A mesh with what colours it: by ``mode`` nothing, vertex colours, or a texture of a width and height."""

    vertices: wp.array(dtype=wp.vec3d)
    faces: wp.array(dtype=wp.vec3i)
    uv: wp.array(dtype=wp.vec2f)
    colors: wp.array(dtype=wp.uint8)
    mode: int
    width: int
    height: int


# With homogeneous corners g_i seen from a pixel as origin, the weight of corner i is the first of the three components
# of g_j x g_k that belong to 1, u and v; near that pixel nothing cancels.
_PAINT = """
    const wp::vec3d* vertices = mesh.vertices.data;
    const wp::vec3i* faces = mesh.faces.data;
    const wp::vec2f* uv = mesh.uv.data;
    const wp::uint8* colors = mesh.colors.data;
    const int mode = mesh.mode, color_width = mesh.width, color_height = mesh.height;
    const double* m = projection.data + 12 * b;
    const int pixels = width * height;
    int shown = -1, u0 = 0, v0 = 0;
    double weight[3][3];
    double value[3][3];
    for (int i = start; i < pixels; i += stride) {
        const wp::uint64 key = keys.data[b * pixels + i];
        wp::vec3f& rgb = out.data[b * pixels + i];
        if (key == (wp::uint64)0) {
            rgb = wp::vec3f(0.0f, 0.0f, 0.0f);
            continue;
        }
        if (mode != VERTEX && mode != TEXTURE) {
            rgb = wp::vec3f(0.5f, 0.5f, 0.5f);
            continue;
        }
        const int face = (int)~(wp::uint32)(key & (wp::uint64)0xFFFFFFFF);
        const int v = i / width;
        const int u = i - v * width;
        if (face != shown) {
            shown = face;
            u0 = u;
            v0 = v;
            double g[3][3];
            for (int k = 0; k < 3; ++k) {
                const int corner = faces[face][k];
                const wp::vec3d p = vertices[corner];
                g[k][2] = m[8] * p[0] + m[9] * p[1] + m[10] * p[2] + m[11];
                g[k][0] = m[0] * p[0] + m[1] * p[1] + m[2] * p[2] + m[3] - u * g[k][2];
                g[k][1] = m[4] * p[0] + m[5] * p[1] + m[6] * p[2] + m[7] - v * g[k][2];
                for (int j = 0; j < 3; ++j) {
                    if (mode == VERTEX) value[k][j] = (double)colors[3 * corner + j];
                    else value[k][j] = j < 2 ? (double)uv[3 * face + k][j] : 0.0;
                }
            }
            for (int k = 0; k < 3; ++k) {
                const double* p = g[(k + 1) % 3];
                const double* q = g[(k + 2) % 3];
                weight[k][0] = p[0] * q[1] - p[1] * q[0];
                weight[k][1] = p[1] * q[2] - p[2] * q[1];
                weight[k][2] = p[2] * q[0] - p[0] * q[2];
            }
        }
        const double du = u - u0, dv = v - v0;
        double c0 = weight[0][0] + weight[0][1] * du + weight[0][2] * dv;
        double c1 = weight[1][0] + weight[1][1] * du + weight[1][2] * dv;
        double c2 = weight[2][0] + weight[2][1] * du + weight[2][2] * dv;
        const double sign = c0 + c1 + c2 < 0.0 ? -1.0 : 1.0;
        // The rasteriser widens faces by a hair: keep the weights a convex combination.
        c0 = c0 * sign > 0.0 ? c0 * sign : 0.0;
        c1 = c1 * sign > 0.0 ? c1 * sign : 0.0;
        c2 = c2 * sign > 0.0 ? c2 * sign : 0.0;
        const double total = c0 + c1 + c2;
        const double share = total > 0.0 ? 1.0 / total : 0.0;
        c0 = total > 0.0 ? c0 * share : 1.0;
        c1 *= share;
        c2 *= share;
        const double a0 = c0 * value[0][0] + c1 * value[1][0] + c2 * value[2][0];
        const double a1 = c0 * value[0][1] + c1 * value[1][1] + c2 * value[2][1];
        const double unit = 1.0 / 255.0;
        if (mode == VERTEX) {
            const double a2 = c0 * value[0][2] + c1 * value[1][2] + c2 * value[2][2];
            rgb = wp::vec3f((float)(a0 * unit), (float)(a1 * unit), (float)(a2 * unit));
            continue;
        }
        // Bilinear with v upwards, repeated outside [0, 1]; edge texels reach to the border.
        const double s = a0 < 0.0 || a0 > 1.0 ? a0 - floor(a0) : a0;
        const double t = a1 < 0.0 || a1 > 1.0 ? a1 - floor(a1) : a1;
        double x = s * color_width - 0.5, y = (1.0 - t) * color_height - 0.5;
        x = x < 0.0 ? 0.0 : (x > color_width - 1 ? color_width - 1 : x);
        y = y < 0.0 ? 0.0 : (y > color_height - 1 ? color_height - 1 : y);
        const int x0 = (int)x, y0 = (int)y;
        const int right = x0 + 1 < color_width ? 3 : 0;
        const size_t row = 3 * (size_t)color_width, below = y0 + 1 < color_height ? row : 0;
        const wp::uint8* texel = colors + y0 * row + 3 * (size_t)x0;
        const double fx = x - x0, fy = y - y0;
        for (int j = 0; j < 3; ++j) {
            const double top = texel[j] + (texel[j + right] - texel[j]) * fx;
            const double bottom = texel[below + j] + (texel[below + j + right] - texel[below + j]) * fx;
            rgb[j] = (float)((top + (bottom - top) * fy) * unit);
        }
    }
"""


@wp.func_native(_PAINT.replace("VERTEX", str(int(COLOR_VERTEX))).replace("TEXTURE", str(int(COLOR_TEXTURE))))
def paint_pixels(
    mesh: ColoredMesh,
    projection: wp.array(dtype=wp.float64),
    keys: wp.array(dtype=wp.uint64),
    b: int,
    start: int,
    width: int,
    height: int,
    stride: int,
    out: wp.array(dtype=wp.vec3f),
) -> None:
    """Colour every ``stride``-th pixel of image ``b``; see :func:`paint`."""
    ...


@wp.kernel(enable_backward=False)
def paint(
    mesh: ColoredMesh,
    projection: wp.array(dtype=wp.float64),
    keys: wp.array(dtype=wp.uint64),
    width: int,
    height: int,
    stride: int,
    out: wp.array(dtype=wp.vec3f),
) -> None:
    """RGB in 0..1 of the faces in ``keys``; black where there is none."""
    b, start = wp.tid()
    paint_pixels(mesh, projection, keys, b, start, width, height, stride, out)
