"""Warp kernels of the antialiased mask: what the pairs on the outline add to it, forward and backward.

Which edge passes between the two pixels of a pair is found by ``edge_kernels``, where the idea is told. The sums are
held apart from the mask, ``raw``, in double precision, at the pixels of the outline alone: corners of specks overshoot
[0, 1], are cut in the mask, and have no gradient there.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from typing import Any

from dexman_pose._warp import wp
from dexman_pose.render._raster_kernels import ONE, ZERO
from dexman_pose.render.gradient.edge_kernels import HALF, Drawing, add_relative, seen_from
from dexman_pose.render.gradient.precision import both_precisions

TWO = wp.constant(wp.float64(2.0))


@wp.struct
class Outline:
    """Pairs of neighbours that the outline passes between: ``count[0]`` of the list ``pairs``, and its edge of each."""

    edges: wp.array(dtype=wp.vec4i)
    crossings: wp.array(dtype=wp.uint64)
    pairs: wp.array(dtype=wp.int32)
    count: wp.array(dtype=wp.int32)


@wp.struct
class Crossing:
    """How an edge's line passes through a pair.

    Attributes:
        image: image of the pair.
        covered: the covered pixel, from which the line is seen.
        target: pixel of the batch that gets the share, -1 where the line runs along the pair.
        down: whether the pair is one above the other.
        ends: the edge's two points.
        line: l0 x + l1 y + l2 = 0 in the image.
        along: the normal's component along the pair.
        across: the other component.
        sign: 1 where the covered pixel is the first of the pair, else -1.
        share: what the pair adds.
    """

    image: int
    covered: int
    target: int
    down: bool
    ends: wp.vec2i
    line: wp.vec3d
    along: wp.float64
    across: wp.float64
    sign: wp.float64
    share: wp.float64


@wp.func
def crossing_of(d: Drawing, o: Outline, k: int):
    """The ``k``-th crossing of the outline."""
    pair = o.pairs[k]
    out = Crossing()
    out.image = pair // (2 * d.pixels)
    first = pair - out.image * 2 * d.pixels
    out.down = first >= d.pixels
    second = first + 1
    if out.down:
        first -= d.pixels
        second = first + d.width
    own = first
    other = second
    out.sign = ONE
    if d.keys[out.image * d.pixels + first] == wp.uint64(0):
        own = second
        other = first
        out.sign = -ONE
    out.covered = own
    edge = o.edges[int(wp.uint32(o.crossings[pair] & wp.uint64(0xFFFFFFFF)))]
    out.ends = wp.vec2i(out.image * d.vertices + edge[0], out.image * d.vertices + edge[1])
    u = wp.float64(own % d.width)
    v = wp.float64(own // d.width)
    out.line = wp.cross(
        seen_from(d, out.image, out.ends[0], u, v), seen_from(d, out.image, out.ends[1], u, v)
    )
    out.along = out.line[0]
    out.across = out.line[1]
    if out.down:
        out.along = out.line[1]
        out.across = out.line[0]
    out.target = -1
    if out.along != ZERO:
        # Seen from the covered pixel the line is met at t = -s l2 / a; w (t - 1/2) = a^2 / n (-s l2 / a - 1/2), with
        # n the square of the normal: a cancels, nothing small divides.
        n = out.along * out.along + out.across * out.across
        out.share = (-out.sign * out.along * out.line[2] - HALF * out.along * out.along) / n
        out.target = out.image * d.pixels + other
        if -out.sign * out.line[2] / out.along < HALF:
            out.target = out.image * d.pixels + own
    return out


@wp.kernel(enable_backward=False)
def add_shares(d: Drawing, o: Outline, stride: int, raw: wp.array(dtype=wp.float64)) -> None:
    """Add every pair's share."""
    for k in range(wp.tid(), o.count[0], stride):
        c = crossing_of(d, o, k)
        if c.target >= 0:
            wp.atomic_add(raw, c.target, c.share)


@wp.kernel(enable_backward=False)
def cut_mask(
    d: Drawing, o: Outline, stride: int, raw: wp.array(dtype=wp.float64), mask: wp.array(dtype=Any)
) -> None:
    """Write the sums into the mask, cut to [0, 1]."""
    for k in range(wp.tid(), o.count[0], stride):
        c = crossing_of(d, o, k)
        if c.target >= 0:
            mask[c.target] = mask.dtype(wp.clamp(raw[c.target], ZERO, ONE))


@wp.kernel(enable_backward=False)
def blend_backward(
    d: Drawing,
    o: Outline,
    stride: int,
    raw: wp.array(dtype=wp.float64),
    mask_gradient: wp.array(dtype=Any),
    image_gradient: wp.array(dtype=wp.vec3d),
) -> None:
    """Add the gradient of the image points of the outline's edges."""
    for k in range(wp.tid(), o.count[0], stride):
        c = crossing_of(d, o, k)
        if c.target >= 0 and raw[c.target] >= ZERO and raw[c.target] <= ONE:
            a = c.along
            n = a * a + c.across * c.across
            g = wp.float64(mask_gradient[c.target]) / n
            da = g * (-c.sign * c.line[2] - a - TWO * c.share * a)
            do = g * (-TWO * c.share * c.across)
            dl = wp.vec3d(da, do, -g * c.sign * a)
            if c.down:
                dl = wp.vec3d(do, da, -g * c.sign * a)
            u = wp.float64(c.covered % d.width)
            v = wp.float64(c.covered // d.width)
            first = seen_from(d, c.image, c.ends[0], u, v)
            second = seen_from(d, c.image, c.ends[1], u, v)
            add_relative(image_gradient, c.ends[0], wp.cross(second, dl), u, v)
            add_relative(image_gradient, c.ends[1], wp.cross(dl, first), u, v)


CUT_MASK = both_precisions(cut_mask, ("mask",))
BLEND_BACKWARD = both_precisions(blend_backward, ("mask_gradient",))
