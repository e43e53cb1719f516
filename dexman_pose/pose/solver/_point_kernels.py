"""Warp kernel of the fused refinement for surface points with a place, a line or a colour in the picture."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.solver._layout import (
    CodeBit,
    Lens,
    PointSet,
    Residual,
    SeenPoint,
    Slot,
    State,
    Target,
    Term,
    TermWeights,
    View,
)
from dexman_pose.pose.solver._residual_kernels import (
    HALF,
    ONE,
    ZERO,
    add_residual,
    hypothesis_of,
    pixel_gradient,
    pixel_residual,
    rotation_of,
)

NEAR = wp.constant(wp.float64(0.02))
"""Surface points less than so many metres before the camera are not looked at: a projection means nothing there."""

NO_REACH = wp.constant(wp.float64(1.0e6))
"""A reach in sigmas that nothing exceeds, for residuals whose robust weight is in their fixed weight already."""


@wp.func
def bilinear(
    image: wp.array(dtype=wp.float32), base: int, width: int, u: wp.float64, v: wp.float64
) -> wp.vec3d:
    """Value and gradient along u and v of an image between pixel centres, all by the same bilinear surface."""
    x = int(wp.floor(u))
    y = int(wp.floor(v))
    fx = u - wp.float64(x)
    fy = v - wp.float64(y)
    i = base + y * width + x
    a = wp.float64(image[i])
    b = wp.float64(image[i + 1])
    c = wp.float64(image[i + width])
    d = wp.float64(image[i + width + 1])
    top = a + (b - a) * fx
    bottom = c + (d - c) * fx
    return wp.vec3d(top + (bottom - top) * fy, (b - a) * (ONE - fy) + (d - c) * fy, bottom - top)


@wp.func
def place_residual(at: SeenPoint, lens: Lens, error: wp.float64, along_y: bool) -> Residual:
    """One coordinate of the distance of a projected point from its pixel, in image pixels."""
    r = Residual()
    r.value = error
    r.arm = at.arm
    if along_y:
        r.slope = pixel_gradient(ZERO, ONE / at.factor_y, lens, at.place)
        r.by_focal = (at.v - lens.cy) / at.factor_y
    else:
        r.slope = pixel_gradient(ONE / at.factor_x, ZERO, lens, at.place)
        r.by_focal = (at.u - lens.cx) / at.factor_x
    return r


@wp.func
def line_residual(at: SeenPoint, lens: Lens, targets: wp.array(dtype=wp.float64), t: int) -> Residual:
    """Distance of a projected point from a line of the picture, in image pixels."""
    nx = targets[t + Target.NORMAL_X]
    ny = targets[t + Target.NORMAL_Y]
    dx = at.u - targets[t + Target.PIXEL_X]
    dy = at.v - targets[t + Target.PIXEL_Y]
    r = Residual()
    r.value = nx * dx / at.factor_x + ny * dy / at.factor_y
    r.slope = pixel_gradient(nx / at.factor_x, ny / at.factor_y, lens, at.place)
    r.arm = at.arm
    r.by_focal = nx * (at.u - lens.cx) / at.factor_x + ny * (at.v - lens.cy) / at.factor_y
    return r


@wp.func
def color_residual(
    at: SeenPoint, lens: Lens, gray: wp.float64, picture: wp.array(dtype=wp.float32), base: int, width: int
) -> Residual:
    """Difference of the picture at a projected point from the point's grey value."""
    s = bilinear(picture, base, width, at.u, at.v)
    return pixel_residual(s[0] - gray, s[1], s[2], at.u, at.v, lens, at.place, at.arm)


@wp.func
def add_sparse_terms(
    b: int,
    start: int,
    state: wp.array(dtype=wp.float64),
    scales: int,
    focal: int,
    middle: wp.vec3d,
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    set_of: wp.array(dtype=wp.int32),
    sets: wp.array(dtype=wp.int32),
    kinds: wp.array(dtype=wp.int32),
    points: wp.array(dtype=wp.float64),
    targets: wp.array(dtype=wp.float64),
    code: wp.array(dtype=wp.uint8),
    picture: wp.array(dtype=wp.float32),
    width: int,
    height: int,
    term_weights: wp.array(dtype=TermWeights),
    stride: int,
    slots: wp.array(dtype=wp.float64),
):
    """Add the terms of surface points to the slots of hypothesis ``b``; see :func:`sparse_terms`."""
    weights = term_weights[0]
    h = hypothesis_of(b, b * stride + start, view_of[b], views, state)
    lens = h.lens
    # Places and lines are measured in image pixels, whatever the crop was reduced by.
    at = SeenPoint()
    at.factor_x = views[h.view * View.SIZE + View.FACTOR_X]
    at.factor_y = views[h.view * View.SIZE + View.FACTOR_Y]
    rotation = rotation_of(state, h.state)
    scale = h.state + State.LOG_SCALE
    stretch = wp.vec3d(wp.exp(state[scale]), wp.exp(state[scale + 1]), wp.exp(state[scale + 2]))
    group = set_of[b] * PointSet.SIZE
    if group < 0:
        return
    for i in range(sets[group + PointSet.FIRST] + start, sets[group + PointSet.END], stride):
        local = wp.vec3d(
            (points[i * 3] - middle[0]) * stretch[0],
            (points[i * 3 + 1] - middle[1]) * stretch[1],
            (points[i * 3 + 2] - middle[2]) * stretch[2],
        )
        at.arm = rotation * local
        at.place = at.arm + h.center
        if at.place[2] > NEAR:
            at.u = lens.fx * at.place[0] / at.place[2] + lens.cx
            at.v = lens.fy * at.place[1] / at.place[2] + lens.cy
            t = i * Target.SIZE
            kind = kinds[i]
            term = h.slot + kind * Slot.SIZE
            weight = targets[t + Target.WEIGHT]
            if kind == Term.POINTS:
                ex = (at.u - targets[t + Target.PIXEL_X]) / at.factor_x
                ey = (at.v - targets[t + Target.PIXEL_Y]) / at.factor_y
                # One robust weight per point, from the length of its error: both coordinates stand or fall together.
                information = weights.point_information
                q2 = (ex * ex + ey * ey) * information
                c2 = weights.point_reach * weights.point_reach
                share = c2 / (c2 + q2)
                fixed = weight * share * share
                before = slots[term + Slot.COST]
                x = place_residual(at, lens, ex, False)
                y = place_residual(at, lens, ey, True)
                add_residual(slots, term, state, h.state, scales, focal, x, information, NO_REACH, fixed)
                add_residual(slots, term, state, h.state, scales, focal, y, information, NO_REACH, fixed)
                slots[term + Slot.COST] = before + weight * q2 * share
                slots[term + Slot.COUNT] += ONE
                if q2 < weights.point_inlier:
                    slots[term + Slot.HITS] += ONE
            elif kind == Term.EDGES:
                r = line_residual(at, lens, targets, t)
                information = weights.edge_information
                reach = weights.edge_reach
                add_residual(slots, term, state, h.state, scales, focal, r, information, reach, weight)
                slots[term + Slot.COUNT] += ONE
            elif (
                at.u >= ONE and at.v >= ONE and at.u < wp.float64(width - 2) and at.v < wp.float64(height - 2)
            ):
                base = h.view * width * height
                bits = int(code[base + int(at.v + HALF) * width + int(at.u + HALF)])
                if (bits & CodeBit.UNKNOWN) == 0:
                    r = color_residual(at, lens, targets[t + Target.GRAY], picture, base, width)
                    information = weights.color_information
                    reach = weights.color_reach
                    add_residual(slots, term, state, h.state, scales, focal, r, information, reach, weight)
                    slots[term + Slot.COUNT] += ONE
                    if r.value * r.value * information < weights.color_inlier:
                        slots[term + Slot.HITS] += ONE
            else:
                slots[term + Slot.COST] += weight * weights.color_reach * weights.color_reach


@wp.kernel(enable_backward=False)
def sparse_terms(
    state: wp.array(dtype=wp.float64),
    scales: int,
    focal: int,
    middle: wp.vec3d,
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    set_of: wp.array(dtype=wp.int32),
    sets: wp.array(dtype=wp.int32),
    kinds: wp.array(dtype=wp.int32),
    points: wp.array(dtype=wp.float64),
    targets: wp.array(dtype=wp.float64),
    code: wp.array(dtype=wp.uint8),
    picture: wp.array(dtype=wp.float32),
    width: int,
    height: int,
    term_weights: wp.array(dtype=TermWeights),
    stride: int,
    slots: wp.array(dtype=wp.float64),
):
    """Surface points with a place in the image, with a line of the image, or with a colour.

    ``kinds`` holds the term of each point, ``set_of`` the set of points of each hypothesis, -1 for none.
    """
    b, start = wp.tid()
    add_sparse_terms(
        b,
        start,
        state,
        scales,
        focal,
        middle,
        view_of,
        views,
        set_of,
        sets,
        kinds,
        points,
        targets,
        code,
        picture,
        width,
        height,
        term_weights,
        stride,
        slots,
    )
