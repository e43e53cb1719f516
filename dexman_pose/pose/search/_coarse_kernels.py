"""Warp kernel that scores many small renderings against one picture: outline, depth, colour."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors
# ruff: noqa: UP018

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.solver._layout import CodeBit


class Score:
    """Numbers per hypothesis.

    Known pixels drawn, of these on the mask, pixels of depth met, their mean ratio of measured to rendered depth, share
    of measured depth that agrees once that ratio is taken out, correlation of colours.
    """

    DRAWN = 0
    HITS = 1
    MET = 2
    RATIO = 3
    AGREEING = 4
    CORRELATION = 5
    SIZE = 6


_NONE = wp.constant(wp.float32(0.0))

_LEAST_SPREAD = wp.constant(wp.float32(1.0e-6))
"""Lower limit of the divisor: with it a surface of one colour has correlation 0."""


@wp.kernel(enable_backward=False)
def score_hypotheses(
    nearest: wp.array(dtype=wp.float32),
    color: wp.array(dtype=wp.vec3f),
    code: wp.array(dtype=wp.uint8),
    measured: wp.array(dtype=wp.float32),
    picture: wp.array(dtype=wp.vec3f),
    pixels: int,
    tolerance: float,
    beyond_mask: int,
    out: wp.array(dtype=wp.float32),
):
    """One thread a hypothesis; ``color`` and ``measured`` may be empty. ``tolerance`` in metres.

    Colours are compared on the mask, or, unless ``beyond_mask`` is 0, wherever something is drawn and known.
    """
    b = wp.tid()
    base = b * pixels
    drawn = float(0.0)
    hits = float(0.0)
    count = float(0.0)
    ratio = float(0.0)
    with_depth = measured.shape[0] > 0
    with_color = color.shape[0] > 0
    compared = float(0.0)
    a_sum = wp.vec3f(_NONE, _NONE, _NONE)
    b_sum = wp.vec3f(_NONE, _NONE, _NONE)
    ab = float(0.0)
    aa = float(0.0)
    bb = float(0.0)
    for i in range(pixels):
        inverse = nearest[base + i]
        if inverse > _NONE:
            bits = int(code[i])
            if (bits & CodeBit.UNKNOWN) == 0:
                drawn += 1.0
                if (bits & CodeBit.MASK) != 0:
                    hits += 1.0
                    if with_depth:
                        z = measured[i]
                        if z > _NONE:
                            count += 1.0
                            ratio += z * inverse
                if with_color and ((bits & CodeBit.MASK) != 0 or beyond_mask != 0):
                    c = color[base + i]
                    p = picture[i]
                    compared += 1.0
                    a_sum += c
                    b_sum += p
                    ab += wp.dot(c, p)
                    aa += wp.dot(c, c)
                    bb += wp.dot(p, p)
    agree = float(0.0)
    if count > 0.0:
        ratio = ratio / count
        for i in range(pixels):
            inverse = nearest[base + i]
            if inverse > _NONE and (int(code[i]) & CodeBit.MASK) != 0:
                z = measured[i]
                if z > _NONE:
                    off = (z - ratio / inverse) / tolerance
                    agree += 1.0 / (1.0 + off * off)
        agree = agree / count
    correlation = float(0.0)
    if with_color and compared > 4.0:
        cov = ab - wp.dot(a_sum, b_sum) / compared
        var_a = aa - wp.dot(a_sum, a_sum) / compared
        var_b = bb - wp.dot(b_sum, b_sum) / compared
        correlation = cov / wp.max(wp.sqrt(wp.max(var_a * var_b, 0.0)), _LEAST_SPREAD)
    o = b * Score.SIZE
    out[o + Score.DRAWN] = drawn
    out[o + Score.HITS] = hits
    out[o + Score.MET] = count
    out[o + Score.RATIO] = ratio
    out[o + Score.AGREEING] = agree
    out[o + Score.CORRELATION] = correlation
