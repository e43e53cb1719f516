"""Warp kernel that fits the motion of one object to flow vectors: iteratively reweighted least squares."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp


@wp.struct
class FitRule:
    """How long and how robustly a motion is fitted: see ``MotionOptions``."""

    fit_iterations: int
    at_rest: wp.float64
    start_scale: wp.float64
    scale_factor: wp.float64
    least_scale: wp.float64
    ridge: wp.float64


_FIT = """
    const double* p = points.data;
    const double* v = vectors.data;
    double* r = residual.data;
    double* order = work.data;
    const auto middle = [&]() -> double {
        for (int i = 0; i < count; ++i) order[i] = r[i];
        int low = 0, high = count - 1;
        const int wanted = count / 2;
        while (low < high) {
            const double pivot = order[(low + high) / 2];
            int a = low, b = high;
            while (a <= b) {
                while (order[a] < pivot) ++a;
                while (order[b] > pivot) --b;
                if (a <= b) { const double t = order[a]; order[a++] = order[b]; order[b--] = t; }
            }
            if (wanted <= b) high = b; else if (wanted >= a) low = a; else break;
        }
        return order[wanted];
    };
    // An affine motion: x and y apart, three unknowns each, the same matrix. A similarity: four unknowns together.
    const int n = affine ? 3 : 4, sides = affine ? 2 : 1;
    double s[6] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
    double m0 = middle_x, m1 = middle_y;
    for (int i = 0; i < count; ++i) {
        const double x = v[2 * i] - m0, y = v[2 * i + 1] - m1;
        r[i] = sqrt(x * x + y * y);
    }
    double scale = middle();
    scale = scale > rule.start_scale ? scale : rule.start_scale;
    for (int round = 0; round < rule.fit_iterations; ++round) {
        double a[4][4] = {}, b[2][4] = {};
        double total = 0.0;
        for (int i = 0; i < count; ++i) {
            const double x = p[2 * i], y = p[2 * i + 1], u = v[2 * i], w = v[2 * i + 1];
            const double t = r[i] / scale, q = 1.0 + t * t, c = weight.data[i] / (q * q);
            total += c;
            if (affine) {
                a[0][0] += c * x * x; a[0][1] += c * x * y; a[0][2] += c * x;
                a[1][1] += c * y * y; a[1][2] += c * y; a[2][2] += c;
                b[0][0] += c * x * u; b[0][1] += c * y * u; b[0][2] += c * u;
                b[1][0] += c * x * w; b[1][1] += c * y * w; b[1][2] += c * w;
            } else {
                a[0][0] += c * (x * x + y * y); a[0][2] += c * x; a[0][3] += c * y;
                a[1][2] -= c * y; a[1][3] += c * x; a[2][2] += c;
                b[0][0] += c * (x * u + y * w); b[0][1] += c * (x * w - y * u); b[0][2] += c * u; b[0][3] += c * w;
            }
        }
        if (!affine) { a[1][1] = a[0][0]; a[3][3] = a[2][2]; }
        a[0][0] += rule.ridge * total;
        a[1][1] += rule.ridge * total;
        for (int i = 0; i < n; ++i) for (int j = 0; j < i; ++j) a[i][j] = a[j][i];
        for (int k = 0; k < n; ++k) {  // positive definite: no pivots needed
            for (int i = k + 1; i < n; ++i) {
                const double f = a[i][k] / a[k][k];
                for (int j = k; j < n; ++j) a[i][j] -= f * a[k][j];
                for (int side = 0; side < sides; ++side) b[side][i] -= f * b[side][k];
            }
        }
        double change = 0.0;
        for (int side = 0; side < sides; ++side) {
            for (int k = n - 1; k >= 0; --k) {
                double sum = b[side][k];
                for (int j = k + 1; j < n; ++j) sum -= a[k][j] * s[3 * side + j];
                const double now = sum / a[k][k], moved = now - s[3 * side + k];
                s[3 * side + k] = now;
                change = moved > change ? moved : (-moved > change ? -moved : change);
            }
        }
        for (int i = 0; i < count; ++i) {
            const double x = p[2 * i], y = p[2 * i + 1];
            const double u = affine ? s[0] * x + s[1] * y + s[2] : s[0] * x - s[1] * y + s[2];
            const double w = affine ? s[3] * x + s[4] * y + s[5] : s[0] * y + s[1] * x + s[3];
            r[i] = sqrt((v[2 * i] - u) * (v[2 * i] - u) + (v[2 * i + 1] - w) * (v[2 * i + 1] - w));
        }
        const double next = rule.scale_factor * middle();
        scale = next > rule.least_scale ? next : rule.least_scale;
        if (change < rule.at_rest) break;
    }
    const double similar[6] = {s[0], -s[1], s[2], s[1], s[0], s[3]};
    for (int k = 0; k < 6; ++k) solution.data[k] = affine ? s[k] : similar[k];
"""


@wp.func_native(_FIT)
def _fit(
    points: wp.array(dtype=wp.float64),
    vectors: wp.array(dtype=wp.float64),
    weight: wp.array(dtype=wp.float64),
    count: int,
    middle_x: wp.float64,
    middle_y: wp.float64,
    affine: int,
    rule: FitRule,
    work: wp.array(dtype=wp.float64),
    residual: wp.array(dtype=wp.float64),
    solution: wp.array(dtype=wp.float64),
) -> None:
    """See :func:`fit`."""
    ...


@wp.kernel(enable_backward=False)
def fit(
    points: wp.array(dtype=wp.float64),
    vectors: wp.array(dtype=wp.float64),
    weight: wp.array(dtype=wp.float64),
    count: int,
    middle_x: wp.float64,
    middle_y: wp.float64,
    affine: int,
    rule: FitRule,
    work: wp.array(dtype=wp.float64),
    residual: wp.array(dtype=wp.float64),
    solution: wp.array(dtype=wp.float64),
) -> None:
    """Fit a linear field (2, 3) to vectors (N, 2) at points (N, 2), and its residuals (N,).

    The points lie about the origin, at a distance of about 1. Without ``affine`` the field is that of a similarity.
    The first weights are those of a shift by the middle.
    """
    _fit(points, vectors, weight, count, middle_x, middle_y, affine, rule, work, residual, solution)
