"""Warp kernel of the fused refinement for surface points with a place, a line or a colour in the picture."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose.pose.solver._layout import (
    CodeBit,
    Lens,
    PointSet,
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
    center_of,
    lens_of,
    pixel_gradient,
    rotation_of,
)
from dexman_pose.render._warp import wp

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
def add_place(
    slots: wp.array(dtype=wp.float64),
    term: int,
    state: wp.array(dtype=wp.float64),
    pose: int,
    scales: int,
    focal: int,
    lens: Lens,
    sx: wp.float64,
    sy: wp.float64,
    d: wp.vec3d,
    p: wp.vec3d,
    u: wp.float64,
    w: wp.float64,
    targets: wp.array(dtype=wp.float64),
    t: int,
    information: wp.float64,
    reach: wp.float64,
    inlier: wp.float64,
):
    """Distance of a projected point from its pixel, in image pixels."""
    weight = targets[t + Target.WEIGHT]
    ex = (u - targets[t + Target.PIXEL_X]) / sx
    ey = (w - targets[t + Target.PIXEL_Y]) / sy
    # One robust weight per point, from the length of its error: both coordinates stand or fall together.
    q2 = (ex * ex + ey * ey) * information
    c2 = reach * reach
    share = c2 / (c2 + q2)
    fixed = weight * share * share
    ax = pixel_gradient(ONE / sx, ZERO, lens, p)
    ay = pixel_gradient(ZERO, ONE / sy, lens, p)
    bx = (u - lens.cx) / sx
    by = (w - lens.cy) / sy
    before = slots[term + Slot.COST]
    add_residual(slots, term, state, pose, scales, focal, d, ax, bx, ex, information, NO_REACH, fixed)
    add_residual(slots, term, state, pose, scales, focal, d, ay, by, ey, information, NO_REACH, fixed)
    slots[term + Slot.COST] = before + weight * q2 * share
    slots[term + Slot.COUNT] += ONE
    if q2 < inlier:
        slots[term + Slot.HITS] += ONE


@wp.func
def add_line(
    slots: wp.array(dtype=wp.float64),
    term: int,
    state: wp.array(dtype=wp.float64),
    pose: int,
    scales: int,
    focal: int,
    lens: Lens,
    sx: wp.float64,
    sy: wp.float64,
    d: wp.vec3d,
    p: wp.vec3d,
    u: wp.float64,
    w: wp.float64,
    targets: wp.array(dtype=wp.float64),
    t: int,
    information: wp.float64,
    reach: wp.float64,
):
    """Distance of a projected point from a line of the picture, in image pixels."""
    nx = targets[t + Target.NORMAL_X]
    ny = targets[t + Target.NORMAL_Y]
    residual = nx * (u - targets[t + Target.PIXEL_X]) / sx + ny * (w - targets[t + Target.PIXEL_Y]) / sy
    a = pixel_gradient(nx / sx, ny / sy, lens, p)
    by_focal = nx * (u - lens.cx) / sx + ny * (w - lens.cy) / sy
    add_residual(
        slots,
        term,
        state,
        pose,
        scales,
        focal,
        d,
        a,
        by_focal,
        residual,
        information,
        reach,
        targets[t + Target.WEIGHT],
    )
    slots[term + Slot.COUNT] += ONE


@wp.func
def add_color(
    slots: wp.array(dtype=wp.float64),
    term: int,
    state: wp.array(dtype=wp.float64),
    pose: int,
    scales: int,
    focal: int,
    lens: Lens,
    d: wp.vec3d,
    p: wp.vec3d,
    u: wp.float64,
    w: wp.float64,
    targets: wp.array(dtype=wp.float64),
    t: int,
    picture: wp.array(dtype=wp.float32),
    base: int,
    width: int,
    information: wp.float64,
    reach: wp.float64,
    inlier: wp.float64,
):
    """Difference of the picture at a projected point from the point's grey value."""
    s = bilinear(picture, base, width, u, w)
    a = pixel_gradient(s[1], s[2], lens, p)
    by_focal = s[1] * (u - lens.cx) + s[2] * (w - lens.cy)
    residual = s[0] - targets[t + Target.GRAY]
    add_residual(
        slots,
        term,
        state,
        pose,
        scales,
        focal,
        d,
        a,
        by_focal,
        residual,
        information,
        reach,
        targets[t + Target.WEIGHT],
    )
    slots[term + Slot.COUNT] += ONE
    if residual * residual * information < inlier:
        slots[term + Slot.HITS] += ONE


@wp.kernel(enable_backward=False)
def sparse_terms(
    state: wp.array(dtype=wp.float64),
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
    scales: int,
    focal: int,
    term_weights: wp.array(dtype=TermWeights),
    stride: int,
    slots: wp.array(dtype=wp.float64),
):
    """Surface points with a place in the image, with a line of the image, or with a colour.

    ``kinds`` holds the term of each point, ``set_of`` the set of points of each hypothesis, -1 for none.
    """
    b, start = wp.tid()
    weights = term_weights[0]
    pose = b * State.SIZE
    v = view_of[b]
    lens = lens_of(views, v, state, pose)
    # Places and lines are measured in image pixels, whatever the crop was reduced by.
    sx = views[v * View.SIZE + View.FACTOR_X]
    sy = views[v * View.SIZE + View.FACTOR_Y]
    center = center_of(state, pose)
    rotation = rotation_of(state, pose)
    scale = pose + State.LOG_SCALE
    stretch = wp.vec3d(wp.exp(state[scale]), wp.exp(state[scale + 1]), wp.exp(state[scale + 2]))
    slot = (b * stride + start) * Term.SIZE * Slot.SIZE
    group = set_of[b] * PointSet.SIZE
    if group < 0:
        return
    for i in range(sets[group + PointSet.FIRST] + start, sets[group + PointSet.END], stride):
        local = wp.vec3d(
            (points[i * 3] - middle[0]) * stretch[0],
            (points[i * 3 + 1] - middle[1]) * stretch[1],
            (points[i * 3 + 2] - middle[2]) * stretch[2],
        )
        d = rotation * local
        p = d + center
        if p[2] > NEAR:
            u = lens.fx * p[0] / p[2] + lens.cx
            w = lens.fy * p[1] / p[2] + lens.cy
            t = i * Target.SIZE
            kind = kinds[i]
            term = slot + kind * Slot.SIZE
            if kind == Term.POINTS:
                add_place(
                    slots,
                    term,
                    state,
                    pose,
                    scales,
                    focal,
                    lens,
                    sx,
                    sy,
                    d,
                    p,
                    u,
                    w,
                    targets,
                    t,
                    weights.point_information,
                    weights.point_reach,
                    weights.point_inlier,
                )
            elif kind == Term.EDGES:
                add_line(
                    slots,
                    term,
                    state,
                    pose,
                    scales,
                    focal,
                    lens,
                    sx,
                    sy,
                    d,
                    p,
                    u,
                    w,
                    targets,
                    t,
                    weights.edge_information,
                    weights.edge_reach,
                )
            elif u >= ONE and w >= ONE and u < wp.float64(width - 2) and w < wp.float64(height - 2):
                base = v * width * height
                bits = int(code[base + int(w + HALF) * width + int(u + HALF)])
                if (bits & CodeBit.UNKNOWN) == 0:
                    add_color(
                        slots,
                        term,
                        state,
                        pose,
                        scales,
                        focal,
                        lens,
                        d,
                        p,
                        u,
                        w,
                        targets,
                        t,
                        picture,
                        base,
                        width,
                        weights.color_information,
                        weights.color_reach,
                        weights.color_inlier,
                    )
            else:
                far = targets[t + Target.WEIGHT] * weights.color_reach * weights.color_reach
                slots[term + Slot.COST] += far
