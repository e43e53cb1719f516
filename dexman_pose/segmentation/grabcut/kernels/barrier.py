"""Kernel of barriers: how strong a change of colour stands between a pixel and what lies outside a box."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp

_SWEEP = """
    // Minimum barrier distance by raster scans (Strand et al. 2013; Zhang et al. 2015): of every path the span between
    // the lowest and the highest value met, the largest of three channels.
    const float* lab = values.data;
    float* best = barrier.data;
    float* low = lowest.data;
    float* high = highest.data;
    for (int sweep = 0; sweep < sweeps; ++sweep) {
        const bool back = sweep % 2 == 1;
        for (int i = 0; i < height; ++i) {
            const int y = back ? height - 1 - i : i;
            for (int j = 0; j < width; ++j) {
                const int x = back ? width - 1 - j : j;
                const int at = y * width + x;
                if (best[at] == 0.0f) continue;
                const int dy = back ? 1 : -1, dx = back ? 1 : -1;
                for (int side = 0; side < 2; ++side) {
                    const int ny = side == 0 ? y + dy : y, nx = side == 0 ? x : x + dx;
                    if (ny < 0 || nx < 0 || ny >= height || nx >= width) continue;
                    const int from = ny * width + nx;
                    float span = 0.0f, l[3], h[3];
                    for (int c = 0; c < 3; ++c) {
                        const float v = lab[3 * at + c];
                        l[c] = low[3 * from + c] < v ? low[3 * from + c] : v;
                        h[c] = high[3 * from + c] > v ? high[3 * from + c] : v;
                        span = h[c] - l[c] > span ? h[c] - l[c] : span;
                    }
                    if (span < best[at]) {
                        best[at] = span;
                        for (int c = 0; c < 3; ++c) {
                            low[3 * at + c] = l[c];
                            high[3 * at + c] = h[c];
                        }
                    }
                }
            }
        }
    }
"""


@wp.func_native(_SWEEP)
def sweep_all(
    values: wp.array(dtype=wp.float32),
    lowest: wp.array(dtype=wp.float32),
    highest: wp.array(dtype=wp.float32),
    barrier: wp.array(dtype=wp.float32),
    height: int,
    width: int,
    sweeps: int,
):
    """Lower every barrier to that of the best path found."""
    ...


@wp.kernel(enable_backward=False)
def find_barriers(
    values: wp.array(dtype=wp.float32),
    lowest: wp.array(dtype=wp.float32),
    highest: wp.array(dtype=wp.float32),
    barrier: wp.array(dtype=wp.float32),
    height: int,
    width: int,
    sweeps: int,
):
    """Write (height, width) barriers; 0 marks where paths begin, anything large the rest."""
    sweep_all(values, lowest, highest, barrier, height, width, sweeps)
