"""Warp kernel of the fused refinement for surface points with a place, a line or a colour in the picture."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose.pose.solver._dense_kernels import (
    COST,
    COUNT,
    EDGES,
    HALF,
    HITS,
    INTRINSICS,
    NEAR,
    ONE,
    POINTS,
    SLOT,
    STATE,
    TERMS,
    UNKNOWN,
    ZERO,
    add_residual,
    pixel_gradient,
)
from dexman_pose.render._warp import wp


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
    sigmas: wp.array(dtype=wp.float64),
    stride: int,
    slots: wp.array(dtype=wp.float64),
):
    """Surface points with a place in the image, with a line of the image, or with a colour.

    ``sets`` holds first and last item of each set of points; ``targets`` five numbers per point: for a place its
    pixel, for a line a pixel and the line's normal, for a colour its grey value; the last is always the weight.
    ``sigmas``: information and reach of places, lines and colours, from index 6 on.
    """
    b, start = wp.tid()
    pose = b * STATE
    v = view_of[b]
    view = v * INTRINSICS
    factor = wp.exp(state[pose + 15])
    fx = views[view] * factor
    fy = views[view + 1] * factor
    cx = views[view + 2]
    cy = views[view + 3]
    # Places and lines are measured in image pixels, whatever the crop was reduced by.
    sx = views[view + 4]
    sy = views[view + 5]
    center = wp.vec3d(state[pose + 9], state[pose + 10], state[pose + 11])
    rotation = wp.mat33d(
        state[pose],
        state[pose + 1],
        state[pose + 2],
        state[pose + 3],
        state[pose + 4],
        state[pose + 5],
        state[pose + 6],
        state[pose + 7],
        state[pose + 8],
    )
    stretch = wp.vec3d(wp.exp(state[pose + 12]), wp.exp(state[pose + 13]), wp.exp(state[pose + 14]))
    slot = (b * stride + start) * TERMS * SLOT
    group = set_of[b]
    if group < 0:
        return
    for i in range(sets[group * 2] + start, sets[group * 2 + 1], stride):
        local = wp.vec3d(
            (points[i * 3] - middle[0]) * stretch[0],
            (points[i * 3 + 1] - middle[1]) * stretch[1],
            (points[i * 3 + 2] - middle[2]) * stretch[2],
        )
        d = rotation * local
        p = d + center
        if p[2] > NEAR:
            u = fx * p[0] / p[2] + cx
            w = fy * p[1] / p[2] + cy
            t = i * 5
            weight = targets[t + 4]
            kind = kinds[i]
            term = slot + kind * SLOT
            if kind == POINTS:
                ex = (u - targets[t]) / sx
                ey = (w - targets[t + 1]) / sy
                # One robust weight per point, from the length of its error: both coordinates stand or fall together.
                q2 = (ex * ex + ey * ey) * sigmas[6]
                c2 = sigmas[7] * sigmas[7]
                share = c2 / (c2 + q2)
                fixed = weight * share * share
                ax = pixel_gradient(ONE / sx, ZERO, fx, fy, p)
                ay = pixel_gradient(ZERO, ONE / sy, fx, fy, p)
                before = slots[term + COST]
                big = wp.float64(1.0e6)
                add_residual(
                    slots, term, state, pose, scales, focal, d, ax, (u - cx) / sx, ex, sigmas[6], big, fixed
                )
                add_residual(
                    slots, term, state, pose, scales, focal, d, ay, (w - cy) / sy, ey, sigmas[6], big, fixed
                )
                slots[term + COST] = before + weight * q2 * share
                slots[term + COUNT] += ONE
                if q2 < wp.float64(9.0):
                    slots[term + HITS] += ONE
            elif kind == EDGES:
                nx = targets[t + 2]
                ny = targets[t + 3]
                residual = nx * (u - targets[t]) / sx + ny * (w - targets[t + 1]) / sy
                a = pixel_gradient(nx / sx, ny / sy, fx, fy, p)
                by_focal = nx * (u - cx) / sx + ny * (w - cy) / sy
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
                    sigmas[8],
                    sigmas[9],
                    weight,
                )
                slots[term + COUNT] += ONE
            elif u >= ONE and w >= ONE and u < wp.float64(width - 2) and w < wp.float64(height - 2):
                base = v * width * height
                bits = int(code[base + int(w + HALF) * width + int(u + HALF)])
                if (bits & UNKNOWN) == 0:
                    s = bilinear(picture, base, width, u, w)
                    a = pixel_gradient(s[1], s[2], fx, fy, p)
                    by_focal = s[1] * (u - cx) + s[2] * (w - cy)
                    residual = s[0] - targets[t]
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
                        sigmas[10],
                        sigmas[11],
                        weight,
                    )
                    slots[term + COUNT] += ONE
                    if residual * residual * sigmas[10] < wp.float64(4.0):
                        slots[term + HITS] += ONE
            else:
                slots[term + COST] += weight * sigmas[11] * sigmas[11]
