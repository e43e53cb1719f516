"""Warp kernel that finds the folds of rendered shapes on the CPU: what ``edges.folds_of`` does in numpy, in one pass.

One thread walks all images, so that its scratch stays in the cache. Written for a core, not for a GPU.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp

PLANES = 9
"""Images of scratch: depth, smoothed depth, three components of the normal, strength, its blur, two of the tensor."""


class Fold:
    """Numbers per fold: pixel, unit direction across, shift to its crease in pixels, 1 / metres there."""

    X = 0
    Y = 1
    NORMAL = 2
    SHIFT = 4
    INVERSE = 5
    SIZE = 6


@wp.struct
class FoldLimits:
    """Lengths in pixels, see ``EdgeOptions`` and ``CreaseOptions``; ``step`` and ``crease`` as factors."""

    step: float
    crease: float
    rim: int
    near: int
    far: int
    farthest: float
    tolerance: float
    flat: float


_FIND = """
    const int pixels = width * height;
    float* const depth = scratch.data;
    float* const smooth = depth + pixels;
    float* const n0 = smooth + pixels;
    float* const n1 = n0 + pixels;
    float* const n2 = n1 + pixels;
    float* const strength = n2 + pixels;
    float* const blurred = strength + pixels;
    float* const twice_b = blurred + pixels;
    float* const a_less_c = twice_b + pixels;
    const float* const inverse = nearest.data + (size_t)image * pixels;
    double* const out = folds.data + (size_t)image * room * 6;
    counts.data[image] = 0;

    int x0 = width, x1 = -1, y0 = height, y1 = -1;
    for (int y = 0; y < height; ++y) {
        const float* const row = inverse + y * width;
        int first = 0, last = width - 1;
        while (first < width && !(row[first] > 0.0f)) ++first;
        if (first == width) continue;
        while (!(row[last] > 0.0f)) --last;
        x0 = first < x0 ? first : x0;
        x1 = last > x1 ? last : x1;
        y0 = y < y0 ? y : y0;
        y1 = y;
    }
    const int half = limits.rim / 2;
    if (x1 - x0 < 2 * half || y1 - y0 < 2 * half) return;

    // 1 / z is 0 where nothing is drawn; what is computed there is never looked at.
    for (int y = y0; y <= y1; ++y)
        for (int x = x0; x <= x1; ++x) {
            const float v = inverse[y * width + x];
            depth[y * width + x] = v > 0.0f ? 1.0f / v : 0.0f;
        }
    for (int y = y0 + 1; y < y1; ++y) {
        const float* const d = depth + y * width;
        float* const s = smooth + y * width;
        for (int x = x0 + 1; x < x1; ++x)
            s[x] = (d[x - 1 - width] + d[x - width] + d[x + 1 - width] + d[x - 1] + d[x] + d[x + 1]
                + d[x - 1 + width] + d[x + width] + d[x + 1 + width]) * (1.0f / 9.0f);
    }
    const float ux = 1.0f / fx, uy = 1.0f / fy;
    for (int y = y0 + 2; y < y1 - 1; ++y) {
        const float ky = ((float)y - cy) * uy, ky_up = ((float)(y - 1) - cy) * uy, ky_down = ((float)(y + 1) - cy) * uy;
        for (int x = x0 + 2; x < x1 - 1; ++x) {
            const int i = y * width + x;
            const float left = smooth[i - 1], right = smooth[i + 1], up = smooth[i - width], down = smooth[i + width];
            const float kx = ((float)x - cx) * ux;
            const float ax = right * (kx + ux) - left * (kx - ux), bx = (down - up) * kx;
            const float ay = (right - left) * ky, by = down * ky_down - up * ky_up;
            const float az = right - left, bz = down - up;
            const float p = by * az - bz * ay, q = bz * ax - bx * az, r = bx * ay - by * ax;
            const float length = wp::sqrt(p * p + q * q + r * r);
            const float size = limits.crease / (length > 1.0e-12f ? length : 1.0e-12f);
            n0[i] = p * size;
            n1[i] = q * size;
            n2[i] = r * size;
        }
    }
    // Strength where everything within half a rim is drawn, 0 elsewhere in the window.
    for (int y = y0; y <= y1; ++y)
        for (int x = x0; x <= x1; ++x) strength[y * width + x] = 0.0f;
    // ``blurred`` counts drawn pixels to the left in a row, then rows above that are wide enough.
    for (int y = y0; y <= y1; ++y) {
        int run = 0;
        for (int x = x0; x <= x1; ++x) {
            run = inverse[y * width + x] > 0.0f ? run + 1 : 0;
            if (x - half >= x0) {
                const int i = y * width + x - half;
                const float above = y > y0 ? blurred[i - width] : 0.0f;
                blurred[i] = run > 2 * half ? above + 1.0f : 0.0f;
            }
        }
    }
    for (int y = y0 + half; y <= y1 - half; ++y)
        for (int x = x0 + half; x <= x1 - half; ++x) {
            const int i = y * width + x;
            if (blurred[i + half * width] <= (float)(2 * half)) continue;
            const float here = inverse[i];
            const float step = depth[i] * depth[i] * limits.step;
            const float zx = (inverse[i + 1] + inverse[i - 1] - 2.0f * here) * step;
            const float zy = (inverse[i + width] + inverse[i - width] - 2.0f * here) * step;
            float a = zx * zx, b = zx * zy, c = zy * zy;
            const int down = 2 * width;
            float dx = n0[i + 2] - n0[i - 2], dy = n0[i + down] - n0[i - down];
            a += dx * dx; b += dx * dy; c += dy * dy;
            dx = n1[i + 2] - n1[i - 2]; dy = n1[i + down] - n1[i - down];
            a += dx * dx; b += dx * dy; c += dy * dy;
            dx = n2[i + 2] - n2[i - 2]; dy = n2[i + down] - n2[i - down];
            a += dx * dx; b += dx * dy; c += dy * dy;
            strength[i] = 0.5f * (a + c + wp::sqrt((a - c) * (a - c) + 4.0f * b * b));
            twice_b[i] = 2.0f * b;
            a_less_c[i] = a - c;
        }
    for (int y = y0 + 1; y < y1; ++y)
        for (int x = x0 + 1; x < x1; ++x) {
            const float* const s = strength + y * width + x;
            blurred[y * width + x] = (s[-width - 1] + s[-width + 1] + s[width - 1] + s[width + 1]
                + 2.0f * (s[-width] + s[-1] + s[1] + s[width]) + 4.0f * s[0]) * (1.0f / 16.0f);
        }
    int found = 0;
    for (int y = y0 + half; y <= y1 - half; ++y)
        for (int x = x0 + half; x <= x1 - half; ++x) {
            const int i = y * width + x;
            if (!(strength[i] > 0.0f) || !(blurred[i] > 1.0f) || found == room) continue;
            const float angle = 0.5f * wp::atan2(twice_b[i], a_less_c[i]);
            const float nx = wp::cos(angle), ny = wp::sin(angle);
            const int ahead = (int)wp::rint(ny) * width + (int)wp::rint(nx);
            if (!(blurred[i] >= blurred[i + ahead] && blurred[i] > blurred[i - ahead])) continue;
            double* const fold = out + 6 * found++;
            fold[0] = x;
            fold[1] = y;
            fold[2] = nx;
            fold[3] = ny;
        }
    counts.data[image] = found;

    // Where the surfaces on both sides meet: 1 / z is affine on planes, see ``creases.crease_places``.
    const int count = limits.far - limits.near + 1;
    const double middle = 0.5 * (limits.near + limits.far);
    double spread = 0.0;
    for (int k = limits.near; k <= limits.far; ++k) spread += (k - middle) * (k - middle);
    for (int f = 0; f < found; ++f) {
        double* const fold = out + 6 * f;
        double mean[2], slope[2], level[2], off = 0.0;
        double profile[64];
        for (int k = -limits.far; k <= limits.far; ++k) {
            const double x = fold[0] + fold[2] * k, y = fold[1] + fold[3] * k;
            const int left = (int)x, top = (int)y;
            const double gx = x - left, gy = y - top;
            const float* const at = inverse + top * width + left;
            const double upper = at[0] * (1.0 - gx) + at[1] * gx;
            const double lower = at[width] * (1.0 - gx) + at[width + 1] * gx;
            profile[k + limits.far] = upper * (1.0 - gy) + lower * gy;
        }
        const double* const here = profile + limits.far;
        for (int side = 0; side < 2; ++side) {
            const int sign = side == 0 ? -1 : 1;
            mean[side] = slope[side] = 0.0;
            for (int k = limits.near; k <= limits.far; ++k) mean[side] += here[sign * k];
            mean[side] /= count;
            for (int k = limits.near; k <= limits.far; ++k)
                slope[side] += (here[sign * k] - mean[side]) * sign * (k - middle);
            slope[side] /= spread;
            level[side] = mean[side] - slope[side] * sign * middle;
            for (int k = limits.near; k <= limits.far; ++k) {
                const double miss = here[sign * k] - level[side] - slope[side] * sign * k;
                off = miss > off ? miss : -miss > off ? -miss : off;
            }
        }
        const double bend = slope[1] - slope[0];
        const double size = bend < 0.0 ? -bend : bend, scale = level[0] < 0.0 ? -level[0] : level[0];
        const double shift = (level[0] - level[1]) / (bend != 0.0 ? bend : 1.0);
        const double limit = limits.tolerance * (bend != 0.0 ? size : 1.0);
        bool crease = size > limits.flat * scale && off <= limit
            && shift <= limits.farthest && -shift <= limits.farthest;
        for (int k = -limits.far; crease && k <= limits.far; ++k) {
            const int side = k < shift ? 0 : 1;
            const double miss = here[k] - level[side] - slope[side] * k;
            crease = miss <= limit && -miss <= limit;
        }
        fold[4] = crease ? shift : 0.0;
        fold[5] = crease ? level[0] + slope[0] * shift : here[0];
    }
"""


@wp.func_native(_FIND)
def find_in_image(
    nearest: wp.array(dtype=wp.float32),
    image: int,
    width: int,
    height: int,
    fx: float,
    fy: float,
    cx: float,
    cy: float,
    limits: FoldLimits,
    room: int,
    scratch: wp.array(dtype=wp.float32),
    folds: wp.array(dtype=wp.float64),
    counts: wp.array(dtype=wp.int32),
) -> None:
    """Write the folds of one image, row by row, at most ``room``, and how many there are."""
    ...


@wp.kernel(enable_backward=False)
def find_folds(
    nearest: wp.array(dtype=wp.float32),
    images: int,
    width: int,
    height: int,
    fx: float,
    fy: float,
    cx: float,
    cy: float,
    limits: FoldLimits,
    room: int,
    scratch: wp.array(dtype=wp.float32),
    folds: wp.array(dtype=wp.float64),
    counts: wp.array(dtype=wp.int32),
) -> None:
    """Find the folds of all images of 1 / z: ``folds`` has ``room`` rows per image."""
    for image in range(images):
        find_in_image(nearest, image, width, height, fx, fy, cx, cy, limits, room, scratch, folds, counts)
