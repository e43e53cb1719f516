"""Warp kernel of the evidence of an object: colour, expected appearance, place, motion."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.segmentation.grabcut.kernels.pieces import ColorRule, native


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
                float place = (near[x] + similar * (outlined[x] - near[x])) * per_softness;
                float dense = moved[x] * per_softness;
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


@native(_OBJECT)
def _object(
    lab: wp.array(dtype=wp.uint8),
    bins: wp.array(dtype=wp.int32),
    at_rest: wp.array(dtype=wp.float32),
    trust: wp.array(dtype=wp.float32),
    back: wp.array(dtype=wp.float32),
    skin: wp.array(dtype=wp.float32),
    taken: wp.array(dtype=wp.uint8),
    first: wp.array(dtype=wp.float32),
    color: wp.array(dtype=wp.float32),
    appearance: wp.array(dtype=wp.uint8),
    support: wp.array(dtype=wp.float32),
    away: wp.array(dtype=wp.float32),
    outline_away: wp.array(dtype=wp.float32),
    moved_away: wp.array(dtype=wp.float32),
    seen_before: int,
    rule: ColorRule,
    own: ObjectRule,
    per_softness: float,
    falloff: float,
    e00: float,
    e01: float,
    e02: float,
    e10: float,
    e11: float,
    e12: float,
    top: int,
    left: int,
    height: int,
    width: int,
    full_width: int,
    label: int,
    out: wp.array(dtype=wp.float32),
) -> None:
    """See :func:`object_evidence`."""
    ...


@wp.kernel(enable_backward=False)
def object_evidence(
    lab: wp.array(dtype=wp.uint8),
    bins: wp.array(dtype=wp.int32),
    at_rest: wp.array(dtype=wp.float32),
    trust: wp.array(dtype=wp.float32),
    back: wp.array(dtype=wp.float32),
    skin: wp.array(dtype=wp.float32),
    taken: wp.array(dtype=wp.uint8),
    first: wp.array(dtype=wp.float32),
    color: wp.array(dtype=wp.float32),
    appearance: wp.array(dtype=wp.uint8),
    support: wp.array(dtype=wp.float32),
    away: wp.array(dtype=wp.float32),
    outline_away: wp.array(dtype=wp.float32),
    moved_away: wp.array(dtype=wp.float32),
    seen_before: int,
    rule: ColorRule,
    own: ObjectRule,
    per_softness: float,
    falloff: float,
    e00: float,
    e01: float,
    e02: float,
    e10: float,
    e11: float,
    e12: float,
    top: int,
    left: int,
    height: int,
    width: int,
    full_width: int,
    label: int,
    out: wp.array(dtype=wp.float32),
) -> None:
    """Log evidence of an object: its colours, what was seen last at each place, where it was, how it moved.

    Where a hand may be and a pixel looks more like skin than like the object on its prompt frame, only the colours of
    that frame count: what was learned since may be a piece of the hand, and would confirm itself. The place is that of
    its outline warped rigidly, and warped by dense flow. (e..) is the backward flow of a pixel that moves with it.
    """
    _object(
        lab,
        bins,
        at_rest,
        trust,
        back,
        skin,
        taken,
        first,
        color,
        appearance,
        support,
        away,
        outline_away,
        moved_away,
        seen_before,
        rule,
        own,
        per_softness,
        falloff,
        e00,
        e01,
        e02,
        e10,
        e11,
        e12,
        top,
        left,
        height,
        width,
        full_width,
        label,
        out,
    )
