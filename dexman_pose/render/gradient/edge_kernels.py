"""Warp kernels of the antialiased mask: where outlines pass between neighbouring pixels, forward and backward.

Between a covered pixel and an uncovered neighbour (to the right or below) runs the outline of the mesh. It crosses the
segment between the two centres at a fraction t, counted from the covered one. The pair adds w (t - 1/2) to one pixel:
to the covered one (1 otherwise) for t below 1/2, to the uncovered one (0 otherwise) above. The sum over a row
then grows linearly with the position of the edge, without a jump as the edge passes a centre. An edge crosses pairs
along both axes and would count twice: w is the square of the component of the edge's unit normal along the pair, and
the two add up to 1.

The idea, blending across edges found analytically, is that of Laine et al., "Modular Primitives for High-Performance
Differentiable Rendering" (2020). Unlike there, edges are walked rather than looked up through the face of a pixel, so
that outlines made of faces smaller than a pixel are found too.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.render._raster_kernels import ONE, ZERO, cut

HALF = wp.constant(wp.float64(0.5))
SLACK = wp.constant(wp.float64(1e-6))
"""Pixels within which an edge at a pixel centre is offered to the pairs on both sides of it."""

FRACTION_STEPS = wp.constant(wp.float64(2147483647.0))
"""Resolution of the fractions by which the edges of one pair are ranked."""


@wp.struct
class Drawing:
    """What was drawn, and which face each pixel shows.

    Points in the camera frame of their image, ``vertices`` an image; 3x3 intrinsics row by row; images of ``pixels``
    keys in rows of ``width``, 0 where nothing is seen; four numbers of the box in which an image holds keys at all.
    """

    points: wp.array(dtype=wp.vec3d)
    intrinsics: wp.array(dtype=wp.float64)
    keys: wp.array(dtype=wp.uint64)
    boxes: wp.array(dtype=wp.int32)
    vertices: int
    width: int
    pixels: int


@wp.func
def image_point(points: wp.array(dtype=wp.vec3d), intrinsics: wp.array(dtype=wp.float64), b: int, i: int):
    """(u z, v z, z) of point ``i``, which lies in the camera frame of image ``b``."""
    x = points[i]
    o = b * 9
    return wp.vec3d(
        intrinsics[o] * x[0] + intrinsics[o + 1] * x[1] + intrinsics[o + 2] * x[2],
        intrinsics[o + 4] * x[1] + intrinsics[o + 5] * x[2],
        x[2],
    )


@wp.func
def relative(h: wp.vec3d, u: wp.float64, v: wp.float64):
    """A homogeneous image point seen from pixel (u, v) as origin: products of such do not cancel."""
    return wp.vec3d(h[0] - u * h[2], h[1] - v * h[2], h[2])


@wp.func
def seen_from(d: Drawing, b: int, i: int, u: wp.float64, v: wp.float64):
    """Image point ``i`` of image ``b`` seen from pixel (u, v)."""
    return relative(image_point(d.points, d.intrinsics, b, i), u, v)


@wp.func
def add_relative(out: wp.array(dtype=wp.vec3d), i: int, d: wp.vec3d, u: wp.float64, v: wp.float64):
    """Add the gradient ``d`` of a point relative to pixel (u, v) to that of the point itself."""
    wp.atomic_add(out, i, wp.vec3d(d[0], d[1], d[2] - u * d[0] - v * d[1]))


@wp.func
def side(a: wp.vec3d, b: wp.vec3d, c: wp.vec3d):
    """Twice the signed area of a projected triangle."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@wp.func
def may_be_outline(
    edge: wp.vec4i,
    screen: wp.array(dtype=wp.vec3d),
    corner: int,
    a: wp.vec3d,
    b: wp.vec3d,
):
    """False for an edge whose two faces lie on its two sides in the image: the mesh goes on beyond it.

    An edge of one face, or of more than two, has -1 for an opposite corner and is always kept.
    """
    if edge[2] < 0 or edge[3] < 0:
        return True
    c = screen[corner + edge[2]]
    d = screen[corner + edge[3]]
    if a[2] == ZERO or b[2] == ZERO or c[2] == ZERO or d[2] == ZERO:
        return True
    return side(a, b, c) * side(a, b, d) >= ZERO


@wp.func
def offer(
    keys: wp.array(dtype=wp.uint64),
    first: int,
    second: int,
    fraction: wp.float64,
    edge: int,
    crossings: wp.array(dtype=wp.uint64),
    outline: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
    raw: wp.array(dtype=wp.float64),
    pair: int,
):
    """Keep an edge as the outline between two pixels if it is the farthest from the covered one so far.

    The first edge of a pair puts the pair on the list ``outline``, and whether its pixels are covered into ``raw``.
    """
    covered = keys[first] != wp.uint64(0)
    if covered == (keys[second] != wp.uint64(0)):
        return
    t = wp.clamp(fraction, ZERO, ONE)
    if not covered:
        t = ONE - t
    key = (wp.uint64(t * FRACTION_STEPS) + wp.uint64(1)) << wp.uint64(32)
    before = wp.atomic_max(crossings, pair, key | wp.uint64(wp.uint32(edge)))
    if before == wp.uint64(0):
        outline[wp.atomic_add(count, 0, 1)] = pair
        raw[first] = wp.where(covered, ONE, ZERO)
        raw[second] = wp.where(covered, ZERO, ONE)


@wp.func
def walk(
    a0: wp.float64,
    c0: wp.float64,
    a1: wp.float64,
    c1: wp.float64,
    length: int,
    lines: int,
    step: int,
    line_step: int,
    base: int,
    pair_base: int,
    edge: int,
    keys: wp.array(dtype=wp.uint64),
    crossings: wp.array(dtype=wp.uint64),
    outline: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
    raw: wp.array(dtype=wp.float64),
):
    """Offer an edge to the pairs it crosses along one image axis.

    The edge goes from (a0, c0) to (a1, c1); pairs lie along ``a``, on lines of ``length`` pixels ``step`` items
    apart; lines are the whole numbers of ``c``, ``line_step`` items apart.
    """
    if c0 == c1:
        return
    low = wp.max(wp.ceil(wp.min(c0, c1) - SLACK), ZERO)
    high = wp.min(wp.floor(wp.max(c0, c1) + SLACK), wp.float64(lines - 1))
    a_min = wp.max(wp.min(a0, a1), -ONE)
    a_max = wp.min(wp.max(a0, a1), wp.float64(length))
    if low > high or a_min > a_max:
        return
    slope = (a1 - a0) / (c1 - c0)
    for line in range(int(low), int(high) + 1):
        a = wp.clamp(a0 + (wp.float64(line) - c0) * slope, a_min, a_max)
        left = int(wp.floor(a - SLACK))
        right = int(wp.floor(a + SLACK))
        for i in range(wp.max(left, 0), wp.min(right, length - 2) + 1):
            o = line * line_step + i * step
            first = base + o
            t = a - wp.float64(i)
            offer(keys, first, first + step, t, edge, crossings, outline, count, raw, pair_base + o)


@wp.kernel(enable_backward=False)
def find_crossings(
    points: wp.array(dtype=wp.vec3d),
    intrinsics: wp.array(dtype=wp.float64),
    edges: wp.array(dtype=wp.vec4i),
    screen: wp.array(dtype=wp.vec3d),
    vertices: int,
    near: wp.float64,
    width: int,
    height: int,
    stride: int,
    keys: wp.array(dtype=wp.uint64),
    crossings: wp.array(dtype=wp.uint64),
    outline: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
    raw: wp.array(dtype=wp.float64),
) -> None:
    """Per image: for every pair to the right, then for every pair below, the edge of the outline or 0.

    ``outline`` lists the pairs that have one, ``count`` their number; ``raw`` says, 1 or 0, whether their pixels are
    covered.
    """
    b, start = wp.tid()
    corner = b * vertices
    base = b * width * height
    for e in range(start, edges.shape[0], stride):
        edge = edges[e]
        p = screen[corner + edge[0]]
        q = screen[corner + edge[1]]
        if (p[2] > ZERO or q[2] > ZERO) and may_be_outline(edge, screen, corner, p, q):
            if p[2] == ZERO or q[2] == ZERO:
                first = image_point(points, intrinsics, b, corner + edge[0])
                second = image_point(points, intrinsics, b, corner + edge[1])
                if p[2] == ZERO:
                    p = cut(first, second, near)
                else:
                    q = cut(first, second, near)
            right = 2 * base
            below = right + width * height
            walk(
                p[0],
                p[1],
                q[0],
                q[1],
                width,
                height,
                1,
                width,
                base,
                right,
                e,
                keys,
                crossings,
                outline,
                count,
                raw,
            )
            walk(
                p[1],
                p[0],
                q[1],
                q[0],
                height,
                width,
                width,
                1,
                base,
                below,
                e,
                keys,
                crossings,
                outline,
                count,
                raw,
            )
