"""Warp kernels of the evidence: what speaks for each label at each pixel of a window, in one pass a label.

Windows are small and every pixel passes a dozen formulas: numpy would write and read an image for each of them. The
loops are C++, so that the compiler may work on several pixels at a time; exponentials and logarithms are polynomials,
right to 1e-5.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

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

SHADED = """
    const auto lightness = [](float v) -> float { return v < 64.0f ? 0.25f * v : 8.0f + 0.125f * v; };
    const auto shaded = [&](const wp::uint8* c, const wp::uint8* p, float darkest) -> float {
        const float c0 = c[0], c1 = (float)c[1] - 128.0f, c2 = (float)c[2] - 128.0f;
        const float p0 = p[0], p1 = (float)p[1] - 128.0f, p2 = (float)p[2] - 128.0f;
        const float norm = p0 * p0 + p1 * p1 + p2 * p2;
        float scale = (c0 * p0 + c1 * p1 + c2 * p2) / (norm < 1.0f ? 1.0f : norm);
        scale = scale < darkest ? darkest : (scale > rule.brightest ? rule.brightest : scale);
        const float darker = (1.0f - scale) * rule.shade_price;
        const float price = darker * darker;
        const float dl = (lightness(c0) - lightness(scale * p0)) * rule.per_lightness;
        const float da = (c1 - scale * p1) * rule.per_chroma, db = (c2 - scale * p2) * rule.per_chroma;
        const float cost = (price < rule.shade_price_limit ? price : rule.shade_price_limit) + dl * dl + da * da + db * db;
        return rule.peak * exponential(-0.5f * cost);
    };
"""
"""Density of a colour under an expected one, or a darker version of it: ``color.shaded_density`` of one pixel."""

BINS = """
    const auto chroma_bin = [](int v) -> int { return v < 64 ? 0 : (v > 191 ? 31 : (v - 64) >> 2); };
    const auto bin_of = [&](const wp::uint8* c) -> int {
        const int l = c[0] < 64 ? c[0] >> 2 : 8 + (c[0] >> 3);
        return (l << 10) | (chroma_bin(c[1]) << 5) | chroma_bin(c[2]);
    };
"""
"""``color.to_bins`` of one pixel."""

_AT_REST = MATH + SHADED + BINS + """
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            const int i = y * width + x, far = (y + top) * full_width + x + left;
            at_rest.data[i] = shaded(lab.data + 3 * i, known.data + 3 * far, darkest);
            bins.data[i] = bin_of(lab.data + 3 * i);
        }
    }
"""


@wp.func_native(_AT_REST)
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


_BACKGROUND = MATH + """
    const float still = 1.0f - rule.outliers;
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            const int i = y * width + x, far = (y + top) * full_width + x + left;
            const int bin = bins.data[i];
            const float sure = trust.data[far], any = anything.data[bin];
            const float moving = rule.near * distractor.data[bin] + (1.0f - rule.near) * any;
            const float resting = rule.near * surround.data[bin] + (1.0f - rule.near) * any;
            const float known = rule.known * sure;
            float nothing = known * at_rest.data[i] + (1.0f - known) * (sure * moving + (1.0f - sure) * resting);
            if (fresh.data[i]) nothing *= rule.new_surface_factor;
            const float dx = back.data[2 * i], dy = back.data[2 * i + 1];
            const float miss = dx * dx + dy * dy;
            out.data[i] = rule.color_weight * logarithm(nothing)
                + rule.motion_weight * logarithm(still * exponential(miss * rule.still_falloff) + rule.outliers);
        }
    }
"""


@wp.func_native(_BACKGROUND)
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


_OBJECT = MATH + SHADED + """
    const float moving = 1.0f - own.outliers;
    for (int y = 0; y < height; ++y) {
        const float ey = e01 * (float)y + e02, fy = e11 * (float)y + e12;
        for (int x = 0; x < width; ++x) {
            const int i = y * width + x, far = (y + top) * full_width + x + left, bin = bins.data[i];
            const float sure = trust.data[far], rest = at_rest.data[i], initial = first.data[bin];
            const bool hand_like = skin.data[i] > initial;
            const float unproven = rest > own.unproven_density ? sure : 0.0f;
            const float share = hand_like ? 0.0f : own.appearance_share * support.data[i] * (1.0f - unproven);
            const float seen = shaded(lab.data + 3 * i, appearance.data + 3 * i, own.darkest);
            const float density = share * seen + (1.0f - share) * (hand_like ? initial : color.data[bin]);
            const bool unlike = sure > own.known_trust && rest < own.unlike_density;
            const float lowest = unlike ? own.far_unlike : own.far;
            float place = ((1.0f - own.similarity_share) * away.data[i] + own.similarity_share * outline_away.data[i])
                * per_softness;
            place = place < lowest ? lowest : (place > own.inside ? own.inside : place);
            if (seen_before) {
                float dense = moved_away.data[i] * per_softness;
                dense = dense < lowest ? lowest : (dense > own.inside ? own.inside : dense);
                place = own.rigid_weight * place + own.dense_weight * dense;
            }
            const float dx = back.data[2 * i] - (e00 * (float)x + ey);
            const float dy = back.data[2 * i + 1] - (e10 * (float)x + fy);
            const float value = own.color_weight * logarithm(density) + place
                + own.motion_weight * logarithm(moving * exponential((dx * dx + dy * dy) * falloff) + own.outliers);
            out.data[label * height * width + i] = taken.data[i] ? own.excluded : value;
        }
    }
"""


@wp.func_native(_OBJECT)
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
