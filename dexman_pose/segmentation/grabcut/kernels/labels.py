"""Warp kernel of the labels: mean field in a contrast-sensitive Potts model, first at half the size, then in full.

Images have a border of one pixel, whose weights are zero, so that no pixel has to ask where it lies.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.segmentation.grabcut.kernels.pieces import MATH

PLANES = 4
"""Directions to half of a pixel's eight neighbours; each has an image of weights."""


@wp.struct
class PottsRule:
    """The model and how long it is iterated: see ``LabelingOptions``."""

    smoothness: float
    contrast_factor: float
    least_contrast: float
    uncut_share: float
    iterations: int
    fine_iterations: int
    least_coarse_side: int


_SOLVE = (
    MATH
    + """
    const auto lightness = [](float v) -> float { return 8.0f * (v < 64.0f ? 0.25f * v : 8.0f + 0.125f * v); };
    // Weights to the right, below, below right and below left of every pixel.
    const auto weigh = [&](const float* __restrict__ image, int h, int w, float* __restrict__ weights) {
        const int pitch = w + 2, plane = pitch * (h + 2);
        const int step_y[4] = {0, 1, 1, 1}, step_x[4] = {1, 0, 1, -1};
        const float share[4] = {1.0f, 1.0f, 0.7f, 0.7f};
        double sum = 0.0;
        for (int d = 0; d < 4; ++d) {
            float* to = weights + d * plane;
            for (int i = 0; i < plane; ++i) to[i] = 0.0f;
            const int x0 = step_x[d] < 0 ? 1 : 0, x1 = step_x[d] > 0 ? w - 1 : w;
            for (int y = 0; y + step_y[d] < h; ++y) {
                const float* a = image + 3 * (y * w);
                const float* b = image + 3 * ((y + step_y[d]) * w + step_x[d]);
                float* row = to + (y + 1) * pitch + 1;
                float seen = 0.0f;
                for (int x = x0; x < x1; ++x) {
                    const float p = a[3 * x] - b[3 * x], q = a[3 * x + 1] - b[3 * x + 1];
                    const float r = a[3 * x + 2] - b[3 * x + 2];
                    row[x] = p * p + q * q + r * r;
                    seen += row[x];
                }
                if (d == 0) sum += seen;
            }
        }
        float scale = rule.contrast_factor * (float)(sum / (h * (w > 1 ? w - 1 : 1)));
        scale = -1.0f / (scale > rule.least_contrast ? scale : rule.least_contrast);
        for (int d = 0; d < 4; ++d) {
            const int x0 = step_x[d] < 0 ? 1 : 0, x1 = step_x[d] > 0 ? w - 1 : w;
            const float level = rule.smoothness * share[d];
            for (int y = 0; y + step_y[d] < h; ++y) {
                float* row = weights + d * plane + (y + 1) * pitch + 1;
                for (int x = x0; x < x1; ++x)
                    row[x] = level * (rule.uncut_share + (1.0f - rule.uncut_share) * exponential(row[x] * scale));
            }
        }
    };
    // One round for one label: evidence plus what the neighbours say. Of two labels the difference is enough.
    const auto gather = [](const float* __restrict__ e, const float* __restrict__ q, const float* __restrict__ weights,
                           int h, int w, float* __restrict__ to) {
        const int pitch = w + 2, plane = pitch * (h + 2);
        for (int y = 1; y <= h; ++y) {
            const int begin = y * pitch + 1;
            const float *row = q + begin, *above = row - pitch, *under = row + pitch;
            const float *right = weights + begin, *below = right + plane;
            const float *diagonal = below + plane, *anti = diagonal + plane;
            const float* own = e + begin;
            float* out = to + begin;
            for (int x = 0; x < w; ++x) {
                out[x] = own[x] + right[x] * row[x + 1] + right[x - 1] * row[x - 1] + below[x] * under[x]
                    + below[x - pitch] * above[x] + diagonal[x] * under[x + 1] + diagonal[x - pitch - 1] * above[x - 1]
                    + anti[x] * under[x - 1] + anti[x - pitch + 1] * above[x + 1];
            }
        }
    };
    // For two labels q is the difference of their probabilities, else one image a label; energies likewise.
    const int images = labels == 2 ? 1 : labels;
    float* line = work.data;  // two rows of the wider picture
    const auto settle = [&](const float* __restrict__ energy, float* __restrict__ q, int h, int w) {
        const int plane = (w + 2) * (h + 2);
        for (int y = 1; y <= h; ++y) {
            const float* from = energy + y * (w + 2) + 1;
            float* to = q + y * (w + 2) + 1;
            if (labels == 2) {
                for (int x = 0; x < w; ++x) to[x] = 1.0f - 2.0f / (1.0f + exponential(from[x]));
                continue;
            }
            float* __restrict__ most = line;
            float* __restrict__ total = line + w;
            for (int x = 0; x < w; ++x) { most[x] = from[x]; total[x] = 0.0f; }
            for (int k = 1; k < labels; ++k)
                for (int x = 0; x < w; ++x) most[x] = from[k * plane + x] > most[x] ? from[k * plane + x] : most[x];
            for (int k = 0; k < labels; ++k)
                for (int x = 0; x < w; ++x) {
                    const float value = exponential(from[k * plane + x] - most[x]);
                    to[k * plane + x] = value;
                    total[x] += value;
                }
            for (int x = 0; x < w; ++x) total[x] = 1.0f / total[x];
            for (int k = 0; k < labels; ++k)
                for (int x = 0; x < w; ++x) to[k * plane + x] *= total[x];
        }
    };
    const auto iterate = [&](const float* e, float* q, float* energy, const float* weights, int h, int w, int rounds) {
        const int plane = (w + 2) * (h + 2);
        for (int round = 0; round < rounds; ++round) {
            for (int k = 0; k < images; ++k) gather(e + k * plane, q + k * plane, weights, h, w, energy + k * plane);
            settle(energy, q, h, w);
        }
    };
    const int pitch = width + 2, plane = pitch * (height + 2), count = height * width;
    float* e = work.data + 2 * width;
    float* q = e + labels * plane;
    float* energy = q + labels * plane;
    float* weights = energy + labels * plane;
    float* image = weights + 4 * plane;
    for (int i = 0; i < 3 * labels * plane; ++i) e[i] = 0.0f;
    for (int k = 0; k < images; ++k) {
        for (int y = 0; y < height; ++y) {
            const float* from = evidence.data + k * count + y * width;
            float* to = e + k * plane + (y + 1) * pitch + 1;
            for (int x = 0; x < width; ++x) to[x] = labels == 2 ? from[count + x] - from[x] : from[x];
        }
    }
    for (int i = 0; i < count; ++i) {
        image[3 * i] = lightness((float)lab.data[3 * i]);
        image[3 * i + 1] = lab.data[3 * i + 1];
        image[3 * i + 2] = lab.data[3 * i + 2];
    }
    int rounds = rule.iterations;
    const int h2 = height / 2, w2 = width / 2, pitch2 = w2 + 2, plane2 = pitch2 * (h2 + 2);
    if ((h2 < w2 ? h2 : w2) >= rule.least_coarse_side) {
        float* e2 = image + 3 * count;
        float* q2 = e2 + labels * plane2;
        float* energy2 = q2 + labels * plane2;
        float* weights2 = energy2 + labels * plane2;
        float* image2 = weights2 + 4 * plane2;
        for (int i = 0; i < 3 * labels * plane2; ++i) e2[i] = 0.0f;
        for (int k = 0; k < images; ++k)
            for (int y = 0; y < h2; ++y)
                for (int x = 0; x < w2; ++x) {
                    const float* from = e + k * plane + (2 * y + 1) * pitch + 2 * x + 1;
                    const float sum = from[0] + from[1] + from[pitch] + from[pitch + 1];
                    e2[k * plane2 + (y + 1) * pitch2 + x + 1] = 0.25f * sum;
                }
        for (int y = 0; y < h2; ++y)
            for (int x = 0; x < w2; ++x)
                for (int c = 0; c < 3; ++c) {
                    const float* from = image + 3 * (2 * y * width + 2 * x) + c;
                    image2[3 * (y * w2 + x) + c] = 0.25f * (from[0] + from[3] + from[3 * width] + from[3 * width + 3]);
                }
        weigh(image2, h2, w2, weights2);
        settle(e2, q2, h2, w2);
        iterate(e2, q2, energy2, weights2, h2, w2, rounds);
        for (int k = 0; k < images; ++k)
            for (int y = 0; y < height; ++y) {
                int y0 = (y - 1) >> 1;
                const float fy = (y & 1) ? 0.25f : 0.75f;
                const int ya = y0 < 0 ? 0 : (y0 >= h2 ? h2 - 1 : y0), yb = y0 + 1 >= h2 ? h2 - 1 : y0 + 1;
                const float* a = q2 + k * plane2 + (ya + 1) * pitch2 + 1;
                const float* b = q2 + k * plane2 + (yb + 1) * pitch2 + 1;
                float* to = q + k * plane + (y + 1) * pitch + 1;
                for (int x = 0; x < width; ++x) {
                    int x0 = (x - 1) >> 1;
                    const float fx = (x & 1) ? 0.25f : 0.75f;
                    const int xa = x0 < 0 ? 0 : (x0 >= w2 ? w2 - 1 : x0), xb = x0 + 1 >= w2 ? w2 - 1 : x0 + 1;
                    const float upper = a[xa] + fx * (a[xb] - a[xa]), lower = b[xa] + fx * (b[xb] - b[xa]);
                    to[x] = upper + fy * (lower - upper);
                }
            }
        rounds = rule.fine_iterations;
    } else {
        settle(e, q, height, width);
    }
    weigh(image, height, width, weights);
    iterate(e, q, energy, weights, height, width, rounds);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            const int i = y * width + x, j = (y + 1) * pitch + x + 1;
            if (labels == 2) {
                probability.data[i] = 0.5f - 0.5f * q[j];
                probability.data[count + i] = 0.5f + 0.5f * q[j];
                winner.data[i] = q[j] > 0.0f ? 1 : 0;
                continue;
            }
            int best = 0;
            for (int k = 0; k < labels; ++k) {
                probability.data[k * count + i] = q[k * plane + j];
                best = q[k * plane + j] > q[best * plane + j] ? k : best;
            }
            winner.data[i] = (wp::uint8)best;
        }
    }
"""
)


@wp.func_native(_SOLVE)
def _solve(
    evidence: wp.array(dtype=wp.float32),
    lab: wp.array(dtype=wp.uint8),
    labels: int,
    height: int,
    width: int,
    rule: PottsRule,
    work: wp.array(dtype=wp.float32),
    probability: wp.array(dtype=wp.float32),
    winner: wp.array(dtype=wp.uint8),
) -> None:
    """See :func:`solve`."""
    ...


@wp.kernel(enable_backward=False)
def solve(
    evidence: wp.array(dtype=wp.float32),
    lab: wp.array(dtype=wp.uint8),
    labels: int,
    height: int,
    width: int,
    rule: PottsRule,
    work: wp.array(dtype=wp.float32),
    probability: wp.array(dtype=wp.float32),
    winner: wp.array(dtype=wp.uint8),
) -> None:
    """Probability (labels, height, width) of each label, and the label of the greatest, from log evidence.

    ``work`` has room for :func:`work_size` numbers.
    """
    _solve(evidence, lab, labels, height, width, rule, work, probability, winner)


def work_size(labels: int, height: int, width: int) -> int:
    """Numbers that :func:`solve` writes down on the way."""
    fine, coarse = (height + 2) * (width + 2), (height // 2 + 2) * (width // 2 + 2)
    return 2 * width + (3 * labels + PLANES + 3) * (fine + coarse)
