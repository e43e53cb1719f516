"""Warp functions over a run: neighbouring pixels of a row that show the same face.

Seen from the run's first pixel, the areas that weigh the face's corners are affine in the place u: a_i + b_i u. With
q_i the gradient of area i, that of image point h_0 is (q_2 h_1 - q_1 h_2) x (u, 0, 1), and so on: the sums of q_i and
of q_i u are all that is needed of the pixels. The loops are in C++: Warp's own copy too much from round to round.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors
# ruff: noqa: F811

from __future__ import annotations

from dexman_pose._warp import wp

RunSums = wp.types.matrix((4, 3), wp.float64)
"""Over a run: gradients q of the areas, q times the place, gradients of the corners' depths, of the normal."""

_WEIGHTS = """
        const double u = (double)i;
        const double w0 = areas[0] + growth[0] * u;
        const double w1 = areas[1] + growth[1] * u;
        const double w2 = areas[2] + growth[2] * u;
        const double total = w0 + w1 + w2;
        const double t = total != 0.0 ? 1.0 / total : 0.0;
"""

_FILL = """
    typedef decltype(depth.data[0] + depth.data[0]) number;
    number* __restrict__ masks = mask.data + start;
    number* __restrict__ depths = depth.data + start;
    number* __restrict__ normals = normal.data + 3 * start;
    number* __restrict__ colors = color.data + 3 * start;
    const number n0 = (number)n[0], n1 = (number)n[1], n2 = (number)n[2];
    for (int i = 0; i < count; ++i) {
        WEIGHTS
        const double c0 = total != 0.0 ? w0 * t : 1.0;
        const double c1 = w1 * t;
        const double c2 = w2 * t;
        masks[i] = (number)1.0;
        depths[i] = (number)(c0 * z[0] + c1 * z[1] + c2 * z[2]);
        normals[3 * i] = n0;
        normals[3 * i + 1] = n1;
        normals[3 * i + 2] = n2;
        colors[3 * i] = (number)(c0 * tint.data[0][0] + c1 * tint.data[1][0] + c2 * tint.data[2][0]);
        colors[3 * i + 1] = (number)(c0 * tint.data[0][1] + c1 * tint.data[1][1] + c2 * tint.data[2][1]);
        colors[3 * i + 2] = (number)(c0 * tint.data[0][2] + c1 * tint.data[1][2] + c2 * tint.data[2][2]);
    }
""".replace("WEIGHTS", _WEIGHTS)

_SUM = """
    wp::mat_t<4, 3, wp::float64> out(0.0);
    double q0 = 0.0, q1 = 0.0, q2 = 0.0, v0 = 0.0, v1 = 0.0, v2 = 0.0, d0 = 0.0, d1 = 0.0, d2 = 0.0;
    if (normal.shape[0] > 0) {
        for (int i = 0; i < count; ++i)
            for (int k = 0; k < 3; ++k)
                out.data[3][k] += (double)normal.data[3 * (start + i) + k];
    }
    const bool deep = depth.shape[0] > 0;
    const bool coloured = color.shape[0] > 0;
    if (!deep && !coloured)
        return out;
    for (int i = 0; i < count; ++i) {
        WEIGHTS
        const double g = deep ? (double)depth.data[start + i] : 0.0;
        const double c0 = w0 * t;
        const double c1 = w1 * t;
        const double c2 = w2 * t;
        double s0 = g * z[0];
        double s1 = g * z[1];
        double s2 = g * z[2];
        if (coloured) {
            for (int k = 0; k < 3; ++k) {
                const double rgb = (double)color.data[3 * (start + i) + k];
                s0 += tint.data[0][k] * rgb;
                s1 += tint.data[1][k] * rgb;
                s2 += tint.data[2][k] * rgb;
            }
        }
        const double mean = c0 * s0 + c1 * s1 + c2 * s2;
        const double r0 = (s0 - mean) * t;
        const double r1 = (s1 - mean) * t;
        const double r2 = (s2 - mean) * t;
        q0 += r0;
        q1 += r1;
        q2 += r2;
        v0 += r0 * u;
        v1 += r1 * u;
        v2 += r2 * u;
        d0 += g * c0;
        d1 += g * c1;
        d2 += g * c2;
    }
    out.data[0][0] = q0;
    out.data[0][1] = q1;
    out.data[0][2] = q2;
    out.data[1][0] = v0;
    out.data[1][1] = v1;
    out.data[1][2] = v2;
    out.data[2][0] = d0;
    out.data[2][1] = d1;
    out.data[2][2] = d2;
    return out;
""".replace("WEIGHTS", _WEIGHTS)


@wp.func_native(_FILL)
def fill_run(
    areas: wp.vec3d,
    growth: wp.vec3d,
    z: wp.vec3d,
    n: wp.vec3d,
    tint: wp.mat33d,
    start: int,
    count: int,
    mask: wp.array(dtype=wp.float32),
    depth: wp.array(dtype=wp.float32),
    normal: wp.array(dtype=wp.float32),
    color: wp.array(dtype=wp.float32),
) -> None:
    """Write 1, depth, normal ``n``, and colour by the corners' ``tint`` to ``count`` pixels from ``start`` on."""
    ...


@wp.func_native(_FILL)
def fill_run(
    areas: wp.vec3d,
    growth: wp.vec3d,
    z: wp.vec3d,
    n: wp.vec3d,
    tint: wp.mat33d,
    start: int,
    count: int,
    mask: wp.array(dtype=wp.float64),
    depth: wp.array(dtype=wp.float64),
    normal: wp.array(dtype=wp.float64),
    color: wp.array(dtype=wp.float64),
) -> None:
    """The same for images of double precision."""
    ...


@wp.func_native(_SUM)
def sum_run(
    areas: wp.vec3d,
    growth: wp.vec3d,
    z: wp.vec3d,
    tint: wp.mat33d,
    start: int,
    count: int,
    depth: wp.array(dtype=wp.float32),
    normal: wp.array(dtype=wp.float32),
    color: wp.array(dtype=wp.float32),
) -> RunSums:
    """The sums of ``count`` pixels from ``start`` on, of the images' gradients; an empty one is none."""
    ...


@wp.func_native(_SUM)
def sum_run(
    areas: wp.vec3d,
    growth: wp.vec3d,
    z: wp.vec3d,
    tint: wp.mat33d,
    start: int,
    count: int,
    depth: wp.array(dtype=wp.float64),
    normal: wp.array(dtype=wp.float64),
    color: wp.array(dtype=wp.float64),
) -> RunSums:
    """The same for images of double precision."""
    ...
