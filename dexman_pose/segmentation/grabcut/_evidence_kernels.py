"""Warp kernels of the evidence: what speaks for each label at each pixel of a window, in one pass a label.

Windows are small and every pixel passes a dozen formulas: numpy would write and read an image for each of them. The
loops are C++, so that the compiler may work on several pixels at a time; exponentials and logarithms are polynomials,
right to 1e-5.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from typing import Any

from dexman_pose.render._warp import wp


@wp.struct
class ColorRule:
    """How a colour is compared with an expected one: see ``ColorOptions``, from which all fields come."""

    peak: float
    per_lightness: float
    per_chroma: float
    shade_price: float
    shade_price_limit: float
    brightest: float


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


@wp.struct
class ObjectRule:
    """Weights of an object's label: see ``EvidenceOptions``. ``softness`` and ``falloff`` depend on its motion."""

    color_weight: float
    motion_weight: float
    outliers: float
    appearance_share: float
    darkest: float
    similarity_share: float
    rigid_weight: float
    dense_weight: float
    inside: float
    far: float
    far_unlike: float
    unlike_density: float
    known_trust: float
    unproven_density: float
    excluded: float


MATH = """
    const auto exponential = [](float x) -> float {
        x = x < -87.0f ? -87.0f : (x > 87.0f ? 87.0f : x);
        const float t = x * 1.44269504f + 127.0f;
        const int whole = (int)t;
        const float f = t - (float)whole;
        union { int i; float f; } power;
        power.i = whole << 23;
        return power.f * (1.0000072717666626f + f * (0.6929312944412231f + f * (0.24171026051044464f
            + f * (0.051666878163814545f + f * 0.013676530681550503f))));
    };
    const auto logarithm = [](float x) -> float {
        union { float f; int i; } bits;
        bits.f = x;
        const float whole = (float)((bits.i >> 23) - 127);
        bits.i = (bits.i & 0x007fffff) | 0x3f800000;
        const float m = bits.f;
        return whole * 0.69314718f - 2.0990748405456543f + m * (4.204533100128174f + m * (-3.648834466934204f
            + m * (2.2311506271362305f + m * (-0.8555376529693604f + m * (0.18497517704963684f
            - m * 0.01720806024968624f)))));
    };
"""
"""Exponential and natural logarithm (of positive numbers) that compilers turn into vector instructions."""

BLOCK = 64
"""Pixels that are gathered one by one, then worked on together."""

SHADED = """
    const float brightest = rule.brightest, shade_price = rule.shade_price, price_limit = rule.shade_price_limit;
    const float per_lightness = rule.per_lightness, per_chroma = rule.per_chroma, peak = rule.peak;
    const auto lightness = [](float v) -> float { return v < 64.0f ? 0.25f * v : 8.0f + 0.125f * v; };
    const auto shaded = [&](float c0, float c1, float c2, float p0, float p1, float p2, float darkest) -> float {
        c1 -= 128.0f; c2 -= 128.0f; p1 -= 128.0f; p2 -= 128.0f;
        const float norm = p0 * p0 + p1 * p1 + p2 * p2;
        float scale = (c0 * p0 + c1 * p1 + c2 * p2) / (norm < 1.0f ? 1.0f : norm);
        scale = scale < darkest ? darkest : scale;
        scale = scale > brightest ? brightest : scale;
        const float darker = (1.0f - scale) * shade_price;
        const float price = darker * darker < price_limit ? darker * darker : price_limit;
        const float dl = (lightness(c0) - lightness(scale * p0)) * per_lightness;
        const float da = (c1 - scale * p1) * per_chroma, db = (c2 - scale * p2) * per_chroma;
        return peak * exponential(-0.5f * (price + dl * dl + da * da + db * db));
    };
"""
"""Density of a colour under an expected one, or a darker version of it: ``color.shaded_density`` of one pixel."""


def _native(source: str) -> Any:
    """A native function whose source names the pieces above."""
    return wp.func_native(source.replace("SHADED", SHADED).replace("MATH", MATH).replace("BLOCK", str(BLOCK)))


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


@_native(_AT_REST)
def _look(
    lab: wp.array(dtype=wp.uint8), known: wp.array(dtype=wp.uint8), rule: ColorRule, darkest: float,
    top: int, left: int, height: int, width: int, full_width: int,
    bins: wp.array(dtype=wp.int32), at_rest: wp.array(dtype=wp.float32),
) -> None:
    """See :func:`look`."""
    ...


@wp.kernel(enable_backward=False)
def look(
    lab: wp.array(dtype=wp.uint8), known: wp.array(dtype=wp.uint8), rule: ColorRule, darkest: float,
    top: int, left: int, height: int, width: int, full_width: int,
    bins: wp.array(dtype=wp.int32), at_rest: wp.array(dtype=wp.float32),
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


@_native(_BACKGROUND)
def _background(
    bins: wp.array(dtype=wp.int32), at_rest: wp.array(dtype=wp.float32), trust: wp.array(dtype=wp.float32),
    back: wp.array(dtype=wp.float32), fresh: wp.array(dtype=wp.uint8), anything: wp.array(dtype=wp.float32),
    surround: wp.array(dtype=wp.float32), distractor: wp.array(dtype=wp.float32), rule: BackgroundRule,
    top: int, left: int, height: int, width: int, full_width: int, out: wp.array(dtype=wp.float32),
) -> None:
    """See :func:`background`."""
    ...


@wp.kernel(enable_backward=False)
def background(
    bins: wp.array(dtype=wp.int32), at_rest: wp.array(dtype=wp.float32), trust: wp.array(dtype=wp.float32),
    back: wp.array(dtype=wp.float32), fresh: wp.array(dtype=wp.uint8), anything: wp.array(dtype=wp.float32),
    surround: wp.array(dtype=wp.float32), distractor: wp.array(dtype=wp.float32), rule: BackgroundRule,
    top: int, left: int, height: int, width: int, full_width: int, out: wp.array(dtype=wp.float32),
) -> None:
    """Log evidence of anything but objects and hands.

    Where the background is known, a pixel that does not look like it shows something that moves in front of it: then
    only colours of such things count, and not those of the surroundings at rest.
    """
    _background(
        bins, at_rest, trust, back, fresh, anything, surround, distractor, rule, top, left, height, width, full_width, out
    )


_OBJECT = """MATH SHADED
    const float moving = 1.0f - own.outliers, outliers = own.outliers, similar = own.similarity_share;
    const float color_weight = own.color_weight, motion_weight = own.motion_weight, inside = own.inside;
    const float dense_weight = seen_before ? own.dense_weight : 0.0f, darkest = own.darkest;
    const float rigid_weight = seen_before ? own.rigid_weight : 1.0f;
    float c[3][BLOCK], p[3][BLOCK], share[BLOCK], other[BLOCK], low[BLOCK], miss[BLOCK], value[BLOCK];
    float near[BLOCK], outlined[BLOCK], moved[BLOCK];
    for (int y = 0; y < height; ++y) {
        for (int x0 = 0; x0 < width; x0 += BLOCK) {
            const int count = width - x0 < BLOCK ? width - x0 : BLOCK, start = y * width + x0;
            const float* trusted = trust.data + (y + top) * full_width + x0 + left;
            const wp::uint8* here = lab.data + 3 * start;
            const wp::uint8* there = appearance.data + 3 * start;
            for (int x = 0; x < count; ++x) {
                const int i = start + x, bin = bins.data[i];
                const float initial = first.data[bin], rest = at_rest.data[i], sure = trusted[x];
                const bool hand_like = skin.data[i] > initial;
                const float unproven = rest > own.unproven_density ? sure : 0.0f;
                share[x] = hand_like ? 0.0f : own.appearance_share * support.data[i] * (1.0f - unproven);
                other[x] = hand_like ? initial : color.data[bin];
                low[x] = sure > own.known_trust && rest < own.unlike_density ? own.far_unlike : own.far;
                const float px = (float)(x0 + x), py = (float)y;
                const float dx = back.data[2 * i] - (e00 * px + e01 * py + e02);
                const float dy = back.data[2 * i + 1] - (e10 * px + e11 * py + e12);
                miss[x] = dx * dx + dy * dy;
                for (int k = 0; k < 3; ++k) { c[k][x] = here[3 * x + k]; p[k][x] = there[3 * x + k]; }
                near[x] = away.data[i]; outlined[x] = outline_away.data[i]; moved[x] = moved_away.data[i];
            }
            for (int x = 0; x < BLOCK; ++x) {
                const float seen = shaded(c[0][x], c[1][x], c[2][x], p[0][x], p[1][x], p[2][x], darkest);
                const float density = share[x] * seen + (1.0f - share[x]) * other[x];
                float place = (near[x] + similar * (outlined[x] - near[x])) * per_softness, dense = moved[x] * per_softness;
                place = place < low[x] ? low[x] : place;
                place = place > inside ? inside : place;
                dense = dense < low[x] ? low[x] : dense;
                dense = dense > inside ? inside : dense;
                value[x] = color_weight * logarithm(density) + rigid_weight * place + dense_weight * dense
                    + motion_weight * logarithm(moving * exponential(miss[x] * falloff) + outliers);
            }
            float* to = out.data + label * height * width + start;
            for (int x = 0; x < count; ++x) to[x] = taken.data[start + x] ? own.excluded : value[x];
        }
    }
"""


@_native(_OBJECT)
def _object(
    lab: wp.array(dtype=wp.uint8), bins: wp.array(dtype=wp.int32), at_rest: wp.array(dtype=wp.float32),
    trust: wp.array(dtype=wp.float32), back: wp.array(dtype=wp.float32), skin: wp.array(dtype=wp.float32),
    taken: wp.array(dtype=wp.uint8), first: wp.array(dtype=wp.float32), color: wp.array(dtype=wp.float32),
    appearance: wp.array(dtype=wp.uint8), support: wp.array(dtype=wp.float32), away: wp.array(dtype=wp.float32),
    outline_away: wp.array(dtype=wp.float32), moved_away: wp.array(dtype=wp.float32), seen_before: int,
    rule: ColorRule, own: ObjectRule, per_softness: float, falloff: float,
    e00: float, e01: float, e02: float, e10: float, e11: float, e12: float,
    top: int, left: int, height: int, width: int, full_width: int, label: int, out: wp.array(dtype=wp.float32),
) -> None:
    """See :func:`object_evidence`."""
    ...


@wp.kernel(enable_backward=False)
def object_evidence(
    lab: wp.array(dtype=wp.uint8), bins: wp.array(dtype=wp.int32), at_rest: wp.array(dtype=wp.float32),
    trust: wp.array(dtype=wp.float32), back: wp.array(dtype=wp.float32), skin: wp.array(dtype=wp.float32),
    taken: wp.array(dtype=wp.uint8), first: wp.array(dtype=wp.float32), color: wp.array(dtype=wp.float32),
    appearance: wp.array(dtype=wp.uint8), support: wp.array(dtype=wp.float32), away: wp.array(dtype=wp.float32),
    outline_away: wp.array(dtype=wp.float32), moved_away: wp.array(dtype=wp.float32), seen_before: int,
    rule: ColorRule, own: ObjectRule, per_softness: float, falloff: float,
    e00: float, e01: float, e02: float, e10: float, e11: float, e12: float,
    top: int, left: int, height: int, width: int, full_width: int, label: int, out: wp.array(dtype=wp.float32),
) -> None:
    """Log evidence of an object: its colours, what was seen last at each place, where it was, how it moved.

    Where a hand may be and a pixel looks more like skin than like the object on its prompt frame, only the colours of
    that frame count: what was learned since may be a piece of the hand, and would confirm itself. The place is that of
    its outline warped rigidly, and warped by dense flow. (e..) is the backward flow of a pixel that moves with it.
    """
    _object(
        lab, bins, at_rest, trust, back, skin, taken, first, color, appearance, support, away, outline_away, moved_away,
        seen_before, rule, own, per_softness, falloff, e00, e01, e02, e10, e11, e12, top, left, height, width,
        full_width, label, out,
    )
