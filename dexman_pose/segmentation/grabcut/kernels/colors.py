"""Warp kernel that turns counts of colours into densities."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp


@wp.struct
class BlurRule:
    """Two Gaussians, in lightness and in chroma (``sigma``, cut off at ``reach``), their shares, and what is added."""

    level_sigma: wp.vec2f
    chroma_sigma: wp.vec2f
    level_reach: wp.vec2i
    chroma_reach: wp.vec2i
    share: wp.vec2f
    floor: float


_SMOOTH = """
    const int rows = chroma * chroma;
    // The box of bins that hold anything: nothing else has to be blurred.
    int low[3] = {levels, chroma, chroma}, high[3] = {-1, -1, -1};
    for (int l = 0; l < levels; ++l)
        for (int a = 0; a < chroma; ++a) {
            const float* line = counts.data + l * rows + a * chroma;
            for (int b = 0; b < chroma; ++b) {
                if (line[b] == 0.0f) continue;
                low[0] = l < low[0] ? l : low[0]; high[0] = l > high[0] ? l : high[0];
                low[1] = a < low[1] ? a : low[1]; high[1] = a > high[1] ? a : high[1];
                low[2] = b < low[2] ? b : low[2]; high[2] = b > high[2] ? b : high[2];
            }
        }
    for (int i = 0; i < levels * rows; ++i) out.data[i] = rule.floor;
    float* first = work.data;
    float* second = work.data + levels * rows;
    for (int pass = 0; pass < 2 && high[0] >= 0; ++pass) {
        const int reach[3] = {rule.level_reach[pass], rule.chroma_reach[pass], rule.chroma_reach[pass]};
        const float sigma[3] = {rule.level_sigma[pass], rule.chroma_sigma[pass], rule.chroma_sigma[pass]};
        const int size[3] = {levels, chroma, chroma};
        int from[3], to[3];
        float weight[3][MOST];
        for (int d = 0; d < 3; ++d) {
            from[d] = low[d] - reach[d] < 0 ? 0 : low[d] - reach[d];
            to[d] = high[d] + reach[d] >= size[d] ? size[d] : high[d] + reach[d] + 1;
            float total = 0.0f;
            for (int k = -reach[d]; k <= reach[d]; ++k) {
                const float x = (float)k / sigma[d];
                total += weight[d][k + reach[d]] = exp(-0.5f * x * x);
            }
            for (int k = 0; k <= 2 * reach[d]; ++k) weight[d][k] /= total;
        }
        // Beyond the ends the bins are like the last ones.
        for (int l = from[0]; l < to[0]; ++l)
            for (int a = low[1]; a <= high[1]; ++a) {
                float* line = first + l * rows + a * chroma;
                for (int b = low[2]; b <= high[2]; ++b) line[b] = 0.0f;
                for (int k = -reach[0]; k <= reach[0]; ++k) {
                    const int at = l + k < 0 ? 0 : (l + k >= levels ? levels - 1 : l + k);
                    const float* other = counts.data + at * rows + a * chroma;
                    const float w = weight[0][k + reach[0]];
                    for (int b = low[2]; b <= high[2]; ++b) line[b] += w * other[b];
                }
            }
        for (int l = from[0]; l < to[0]; ++l)
            for (int a = from[1]; a < to[1]; ++a) {
                float* line = second + l * rows + a * chroma;
                for (int b = low[2]; b <= high[2]; ++b) line[b] = 0.0f;
                for (int k = -reach[1]; k <= reach[1]; ++k) {
                    const int at = a + k < 0 ? 0 : (a + k >= chroma ? chroma - 1 : a + k);
                    if (at < low[1] || at > high[1]) continue;
                    const float* other = first + l * rows + at * chroma;
                    const float w = weight[1][k + reach[1]];
                    for (int b = low[2]; b <= high[2]; ++b) line[b] += w * other[b];
                }
            }
        for (int l = from[0]; l < to[0]; ++l)
            for (int a = from[1]; a < to[1]; ++a) {
                const float* line = second + l * rows + a * chroma;
                float* sum = out.data + l * rows + a * chroma;
                float padded[WIDE];
                for (int b = 0; b < WIDE; ++b) padded[b] = 0.0f;
                for (int b = low[2]; b <= high[2]; ++b) padded[b + MOST] = line[b];
                for (int k = 0; k < reach[2]; ++k) {
                    if (low[2] == 0) padded[MOST - 1 - k] = line[0];
                    if (high[2] == chroma - 1) padded[MOST + chroma + k] = line[chroma - 1];
                }
                for (int k = -reach[2]; k <= reach[2]; ++k) {
                    const float w = rule.share[pass] * weight[2][k + reach[2]];
                    const float* other = padded + MOST + k;
                    for (int b = from[2]; b < to[2]; ++b) sum[b] += w * other[b];
                }
            }
    }
"""

MOST = 32
"""Weights that a blur may have."""

CHROMA = 32
"""Bins of chroma that rows are written for."""


@wp.func_native(_SMOOTH.replace("WIDE", str(CHROMA + 2 * MOST)).replace("MOST", str(MOST)))
def _smooth(
    counts: wp.array(dtype=wp.float32),
    levels: int,
    chroma: int,
    rule: BlurRule,
    work: wp.array(dtype=wp.float32),
    out: wp.array(dtype=wp.float32),
) -> None:
    """See :func:`smooth`."""
    ...


@wp.kernel(enable_backward=False)
def smooth(
    counts: wp.array(dtype=wp.float32),
    levels: int,
    chroma: int,
    rule: BlurRule,
    work: wp.array(dtype=wp.float32),
    out: wp.array(dtype=wp.float32),
) -> None:
    """Blur a histogram (levels, chroma, chroma) by two Gaussians and add them up; ``work`` has room for two of it."""
    _smooth(counts, levels, chroma, rule, work, out)
