"""Warp kernels of the evidence of the background: colours at rest, and colours of anything else."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.segmentation.grabcut.kernels.pieces import ColorRule, native


@wp.struct
class BackgroundRule:
    """Weights of the background's label: see ``EvidenceOptions``."""

    color_weight: float
    motion_weight: float
    still_falloff: float
    outliers: float
    near: float
    known: float
    new_surface_factor: float


_AT_REST = """MATH SHADED
    const auto chroma_bin = [](int v) -> int { return v < 64 ? 0 : (v > 191 ? 31 : (v - 64) >> 2); };
    float c[3][BLOCK], p[3][BLOCK], density[BLOCK];
    for (int y = 0; y < height; ++y) {
        for (int x0 = 0; x0 < width; x0 += BLOCK) {
            const int count = width - x0 < BLOCK ? width - x0 : BLOCK, start = y * width + x0;
            const wp::uint8* here = lab.data + 3 * start;
            const wp::uint8* there = known.data + 3 * ((y + top) * full_width + x0 + left);
            for (int x = 0; x < count; ++x) {
                const int l = here[3 * x], a = here[3 * x + 1], b = here[3 * x + 2];
                c[0][x] = l; c[1][x] = a; c[2][x] = b;
                p[0][x] = there[3 * x]; p[1][x] = there[3 * x + 1]; p[2][x] = there[3 * x + 2];
                bins.data[start + x] = ((l < 64 ? l >> 2 : 8 + (l >> 3)) << 10) | (chroma_bin(a) << 5) | chroma_bin(b);
            }
            for (int x = 0; x < BLOCK; ++x)
                density[x] = shaded(c[0][x], c[1][x], c[2][x], p[0][x], p[1][x], p[2][x], darkest);
            for (int x = 0; x < count; ++x) at_rest.data[start + x] = density[x];
        }
    }
"""


@native(_AT_REST)
def _look(
    lab: wp.array(dtype=wp.uint8),
    known: wp.array(dtype=wp.uint8),
    rule: ColorRule,
    darkest: float,
    top: int,
    left: int,
    height: int,
    width: int,
    full_width: int,
    bins: wp.array(dtype=wp.int32),
    at_rest: wp.array(dtype=wp.float32),
) -> None:
    """See :func:`look`."""
    ...


@wp.kernel(enable_backward=False)
def look(
    lab: wp.array(dtype=wp.uint8),
    known: wp.array(dtype=wp.uint8),
    rule: ColorRule,
    darkest: float,
    top: int,
    left: int,
    height: int,
    width: int,
    full_width: int,
    bins: wp.array(dtype=wp.int32),
    at_rest: wp.array(dtype=wp.float32),
) -> None:
    """Histogram bin of every pixel of a window, and its density under the known background of the whole picture."""
    _look(lab, known, rule, darkest, top, left, height, width, full_width, bins, at_rest)


_BACKGROUND = """MATH
    const float still = 1.0f - rule.outliers, outliers = rule.outliers, falloff = rule.still_falloff, near = rule.near;
    const float color_weight = rule.color_weight, motion_weight = rule.motion_weight, often = rule.known;
    float any[BLOCK], from_moving[BLOCK], from_resting[BLOCK], sure[BLOCK], rest[BLOCK], factor[BLOCK], miss[BLOCK];
    float value[BLOCK];
    for (int y = 0; y < height; ++y) {
        for (int x0 = 0; x0 < width; x0 += BLOCK) {
            const int count = width - x0 < BLOCK ? width - x0 : BLOCK, start = y * width + x0;
            const float* trusted = trust.data + (y + top) * full_width + x0 + left;
            for (int x = 0; x < count; ++x) {
                const int bin = bins.data[start + x];
                any[x] = anything.data[bin];
                from_moving[x] = distractor.data[bin];
                from_resting[x] = surround.data[bin];
                const float dx = back.data[2 * (start + x)], dy = back.data[2 * (start + x) + 1];
                miss[x] = dx * dx + dy * dy;
                factor[x] = fresh.data[start + x] ? rule.new_surface_factor : 1.0f;
                sure[x] = trusted[x];
                rest[x] = at_rest.data[start + x];
            }
            for (int x = 0; x < BLOCK; ++x) {
                const float moving = near * from_moving[x] + (1.0f - near) * any[x];
                const float resting = near * from_resting[x] + (1.0f - near) * any[x];
                const float known = often * sure[x];
                const float other = sure[x] * moving + (1.0f - sure[x]) * resting;
                value[x] = color_weight * logarithm((known * rest[x] + (1.0f - known) * other) * factor[x])
                    + motion_weight * logarithm(still * exponential(miss[x] * falloff) + outliers);
            }
            for (int x = 0; x < count; ++x) out.data[start + x] = value[x];
        }
    }
"""


@native(_BACKGROUND)
def _background(
    bins: wp.array(dtype=wp.int32),
    at_rest: wp.array(dtype=wp.float32),
    trust: wp.array(dtype=wp.float32),
    back: wp.array(dtype=wp.float32),
    fresh: wp.array(dtype=wp.uint8),
    anything: wp.array(dtype=wp.float32),
    surround: wp.array(dtype=wp.float32),
    distractor: wp.array(dtype=wp.float32),
    rule: BackgroundRule,
    top: int,
    left: int,
    height: int,
    width: int,
    full_width: int,
    out: wp.array(dtype=wp.float32),
) -> None:
    """See :func:`background`."""
    ...


@wp.kernel(enable_backward=False)
def background(
    bins: wp.array(dtype=wp.int32),
    at_rest: wp.array(dtype=wp.float32),
    trust: wp.array(dtype=wp.float32),
    back: wp.array(dtype=wp.float32),
    fresh: wp.array(dtype=wp.uint8),
    anything: wp.array(dtype=wp.float32),
    surround: wp.array(dtype=wp.float32),
    distractor: wp.array(dtype=wp.float32),
    rule: BackgroundRule,
    top: int,
    left: int,
    height: int,
    width: int,
    full_width: int,
    out: wp.array(dtype=wp.float32),
) -> None:
    """Log evidence of anything but objects and hands.

    Where the background is known, a pixel that does not look like it shows something that moves in front of it: then
    only colours of such things count, and not those of the surroundings at rest.
    """
    _background(
        bins,
        at_rest,
        trust,
        back,
        fresh,
        anything,
        surround,
        distractor,
        rule,
        top,
        left,
        height,
        width,
        full_width,
        out,
    )
