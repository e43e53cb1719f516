"""Pieces of C++ that the kernels of the evidence are made of.

Windows are small and every pixel passes a dozen formulas: numpy would write and read an image for each of them. The
loops are C++, so that the compiler may work on several pixels at a time; exponentials and logarithms are polynomials,
right to 1e-5.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from typing import Any

from dexman_pose._warp import wp


@wp.struct
class ColorRule:
    """How a colour is compared with an expected one: see ``ColorOptions``, from which all fields come."""

    peak: float
    per_lightness: float
    per_chroma: float
    shade_price: float
    shade_price_limit: float
    brightest: float


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


def native(source: str) -> Any:
    """A native function whose source names the pieces above."""
    return wp.func_native(source.replace("SHADED", SHADED).replace("MATH", MATH).replace("BLOCK", str(BLOCK)))
