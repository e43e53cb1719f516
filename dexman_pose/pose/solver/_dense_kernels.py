"""Warp kernels of the fused refinement: residuals of a rendered pose, summed into normal equations where they arise.

One source for the CPU and CUDA: every kernel walks its items with a stride, so that a launch may hand one thread a
whole picture (CPU) or a few pixels (CUDA). Each thread sums into a slot of its own; the solver adds the slots up. No
atomics, so results do not depend on the order of threads.

A slot holds, per term, the lower triangle of the normal matrix, its right-hand side, and a few sums
(:data:`SLOT`, :data:`COST` and so on). The unknowns are a twist (v, w) about the object's centre in camera axes, then
log-scales (none, one, or one per axis of the object), then the log of the focal length.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors
# ruff: noqa: UP018, RUF046

from __future__ import annotations

from dexman_pose.render._warp import wp

UNKNOWNS = 10
"""Most unknowns: six of the pose, three scales, one focal length."""

TRIANGLE = UNKNOWNS * (UNKNOWNS + 1) // 2
COST, COUNT, SQUARES, HITS, AREA = (TRIANGLE + UNKNOWNS + i for i in range(5))
SLOT = TRIANGLE + UNKNOWNS + 5
SILHOUETTE, DEPTH, POINTS, EDGES, COLOR = range(5)
TERMS = 5

MASK, UNKNOWN, NEAR_UNKNOWN = 1, 2, 4
"""Bits of a crop's code image."""

STATE = 16
"""Numbers of a state: rotation row by row, centre in the camera frame, log-scales, log focal factor."""

INTRINSICS = 8
"""Numbers of a view: fx, fy, cx, cy of the crop, then factors and origin of the crop in the image."""

ZERO = wp.constant(wp.float64(0.0))
ONE = wp.constant(wp.float64(1.0))
HALF = wp.constant(wp.float64(0.5))
NEAR = wp.constant(wp.float64(0.02))
STEP_LIMIT = wp.constant(24)
DEPTH_GRID = wp.constant(2)
FACING = wp.constant(wp.float64(0.2))

_ADD = """
    double J[UNKNOWNS];
    J[0] = a[0]; J[1] = a[1]; J[2] = a[2];
    J[3] = d[1] * a[2] - d[2] * a[1];
    J[4] = d[2] * a[0] - d[0] * a[2];
    J[5] = d[0] * a[1] - d[1] * a[0];
    int n = 6;
    if (scales == 1) {
        J[n++] = a[0] * d[0] + a[1] * d[1] + a[2] * d[2];
    } else if (scales == 3) {
        for (int k = 0; k < 3; ++k) {
            const double* r = state.data + pose + k;
            J[n++] = (a[0] * r[0] + a[1] * r[3] + a[2] * r[6]) * (d[0] * r[0] + d[1] * r[3] + d[2] * r[6]);
        }
    }
    if (focal) J[n++] = by_focal;
    const double q2 = residual * residual * information;
    const double c2 = reach * reach;
    const double share = c2 / (c2 + q2);
    const double w = weight * share * share * information;
    double* slot_data = slots.data + slot;
    if (n == 6) {
        int at = 0;
        #pragma unroll
        for (int i = 0; i < 6; ++i) {
            const double wj = w * J[i];
            #pragma unroll
            for (int j = 0; j <= i; ++j) slot_data[at++] += wj * J[j];
            slot_data[TRIANGLE + i] -= wj * residual;
        }
    } else {
        int at = 0;
        for (int i = 0; i < n; ++i) {
            const double wj = w * J[i];
            for (int j = 0; j <= i; ++j) slot_data[at++] += wj * J[j];
            slot_data[TRIANGLE + i] -= wj * residual;
        }
    }
    slot_data[COST] += weight * q2 * share;
    slot_data[SQUARES] += residual * residual;
"""
for _name, _value in {"UNKNOWNS": UNKNOWNS, "TRIANGLE": TRIANGLE, "COST": COST, "SQUARES": SQUARES}.items():
    _ADD = _ADD.replace(_name, str(_value))


@wp.func_native(_ADD)
def add_residual(
    slots: wp.array(dtype=wp.float64),
    slot: int,
    state: wp.array(dtype=wp.float64),
    pose: int,
    scales: int,
    focal: int,
    d: wp.vec3d,
    a: wp.vec3d,
    by_focal: wp.float64,
    residual: wp.float64,
    information: wp.float64,
    reach: wp.float64,
    weight: wp.float64,
):
    """Add one residual to a slot, weighted after Geman and McClure (1987).

    ``d`` is the surface point from the object's centre and ``a`` the residual's gradient by that point, both in camera
    axes; ``by_focal`` its derivative by the log of the focal length; ``information`` is 1 / sigma^2 and ``reach`` the
    number of sigmas beyond which a residual loses influence.
    """
    ...


@wp.func
def pixel_gradient(gx: wp.float64, gy: wp.float64, fx: wp.float64, fy: wp.float64, p: wp.vec3d) -> wp.vec3d:
    """Gradient by a camera point of a quantity with gradient (gx, gy) in pixels at the point's projection."""
    iz = ONE / p[2]
    ax = gx * fx * iz
    ay = gy * fy * iz
    return wp.vec3d(ax, ay, -(ax * p[0] + ay * p[1]) * iz)


@wp.func
def back_project(
    x: int,
    y: int,
    inverse: wp.float32,
    fx: wp.float64,
    fy: wp.float64,
    cx: wp.float64,
    cy: wp.float64,
) -> wp.vec3d:
    """Camera point seen at a pixel with the given 1 / z."""
    z = ONE / wp.float64(inverse)
    return wp.vec3d((wp.float64(x) - cx) / fx * z, (wp.float64(y) - cy) / fy * z, z)


@wp.kernel(enable_backward=False)
def dense_terms(
    nearest: wp.array(dtype=wp.float32),
    state: wp.array(dtype=wp.float64),
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    field: wp.array(dtype=wp.float32),
    smooth: wp.array(dtype=wp.float32),
    code: wp.array(dtype=wp.uint8),
    measured: wp.array(dtype=wp.float32),
    width: int,
    height: int,
    use_silhouette: int,
    use_depth: int,
    scales: int,
    focal: int,
    sigmas: wp.array(dtype=wp.float64),
    stride: int,
    slots: wp.array(dtype=wp.float64),
):
    """Outline of the rendering against the mask's distance field, and rendered against measured depth.

    ``sigmas``: outline information and reach, depth information and reach, depth scale and shift.
    """
    b, start = wp.tid()
    pose = b * STATE
    v = view_of[b]
    pixels = width * height
    base = b * pixels
    seen = v * pixels
    factor = wp.exp(state[pose + 15])
    fx = views[v * INTRINSICS] * factor
    fy = views[v * INTRINSICS + 1] * factor
    cx = views[v * INTRINSICS + 2]
    cy = views[v * INTRINSICS + 3]
    center = wp.vec3d(state[pose + 9], state[pose + 10], state[pose + 11])
    slot = (b * stride + start) * TERMS * SLOT
    depth_slot = slot + DEPTH * SLOT
    hits = int(0)
    drawn = int(0)
    area = int(0)
    outline = int(0)
    both = int(0)
    for y in range(start, height, stride):
        for x in range(width):
            inverse = nearest[base + y * width + x]
            if inverse > wp.float32(0.0):
                at = seen + y * width + x
                bits = int(code[at])
                area += 1
                if (bits & UNKNOWN) == 0:
                    drawn += 1
                    if (bits & MASK) != 0:
                        hits += 1
                inner = x > 0 and y > 0 and x < width - 1 and y < height - 1
                if inner:
                    here = base + y * width + x
                    left = nearest[here - 1]
                    right = nearest[here + 1]
                    up = nearest[here - width]
                    down = nearest[here + width]
                    rim = (
                        left == wp.float32(0.0)
                        or right == wp.float32(0.0)
                        or up == wp.float32(0.0)
                        or down == wp.float32(0.0)
                    )
                    if rim:
                        outline += 1
                        if use_silhouette != 0 and (bits & NEAR_UNKNOWN) == 0:
                            p = back_project(x, y, inverse, fx, fy, cx, cy)
                            gx = HALF * wp.float64(smooth[at + 1] - smooth[at - 1])
                            gy = HALF * wp.float64(smooth[at + width] - smooth[at - width])
                            a = pixel_gradient(gx, gy, fx, fy, p)
                            by_focal = gx * (wp.float64(x) - cx) + gy * (wp.float64(y) - cy)
                            residual = wp.float64(field[at]) - HALF
                            add_residual(
                                slots,
                                slot,
                                state,
                                pose,
                                scales,
                                focal,
                                p - center,
                                a,
                                by_focal,
                                residual,
                                sigmas[0],
                                sigmas[1],
                                ONE,
                            )
                    elif use_depth != 0 and x % DEPTH_GRID == 0 and y % DEPTH_GRID == 0:
                        z = measured[at]
                        if z > wp.float32(0.0) and field[at] > wp.float32(1.5):
                            both += 1
                            p = back_project(x, y, inverse, fx, fy, cx, cy)
                            across = back_project(x + 1, y, right, fx, fy, cx, cy) - back_project(
                                x - 1, y, left, fx, fy, cx, cy
                            )
                            along = back_project(x, y + 1, down, fx, fy, cx, cy) - back_project(
                                x, y - 1, up, fx, fy, cx, cy
                            )
                            plane = wp.normalize(wp.cross(along, across))
                            # Grazing surfaces and depth steps give no usable plane.
                            if wp.abs(plane[2]) > FACING:
                                m = sigmas[4] * wp.float64(z) + sigmas[5]
                                q = wp.vec3d(p[0] * m / p[2], p[1] * m / p[2], m)
                                residual = wp.dot(plane, p - q)
                                bend = plane[0] * q[0] + plane[1] * q[1]
                                add_residual(
                                    slots,
                                    depth_slot,
                                    state,
                                    pose,
                                    scales,
                                    focal,
                                    p - center,
                                    plane,
                                    bend,
                                    residual,
                                    sigmas[2],
                                    sigmas[3],
                                    ONE,
                                )
    slots[slot + COUNT] += wp.float64(outline)
    slots[slot + HITS] += wp.float64(hits)
    slots[slot + AREA] += wp.float64(drawn)
    slots[depth_slot + COUNT] += wp.float64(both)
    slots[depth_slot + AREA] += wp.float64(area)


@wp.kernel(enable_backward=False)
def mask_edges(
    nearest: wp.array(dtype=wp.float32),
    state: wp.array(dtype=wp.float64),
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    edge: wp.array(dtype=wp.float32),
    edge_count: wp.array(dtype=wp.int32),
    edge_room: int,
    width: int,
    height: int,
    scales: int,
    focal: int,
    sigmas: wp.array(dtype=wp.float64),
    stride: int,
    slots: wp.array(dtype=wp.float64),
):
    """The mask's edge against the rendered outline, looked for along the edge's normal.

    An edge pixel that the rendering covers has the outline outwards of it, any other has it inwards.
    """
    b, start = wp.tid()
    pose = b * STATE
    v = view_of[b]
    base = b * width * height
    factor = wp.exp(state[pose + 15])
    fx = views[v * INTRINSICS] * factor
    fy = views[v * INTRINSICS + 1] * factor
    cx = views[v * INTRINSICS + 2]
    cy = views[v * INTRINSICS + 3]
    center = wp.vec3d(state[pose + 9], state[pose + 10], state[pose + 11])
    slot = (b * stride + start) * TERMS * SLOT
    far = sigmas[1] * sigmas[1]
    for i in range(start, edge_count[v], stride):
        e = (v * edge_room + i) * 4
        ex = edge[e]
        ey = edge[e + 1]
        nx = edge[e + 2]
        ny = edge[e + 3]
        covered = nearest[base + int(ey) * width + int(ex)] > wp.float32(0.0)
        sign = wp.float32(1.0)
        if covered:
            sign = wp.float32(-1.0)
        found = int(-1)
        at = int(0)
        last_x = int(ex)
        last_y = int(ey)
        for s in range(1, STEP_LIMIT):
            if found < 0:
                x = int(ex + sign * nx * wp.float32(s) + wp.float32(0.5))
                y = int(ey + sign * ny * wp.float32(s) + wp.float32(0.5))
                if x < 0 or y < 0 or x >= width or y >= height:
                    found = 0
                else:
                    here = nearest[base + y * width + x] > wp.float32(0.0)
                    if here != covered:
                        found = 1
                        at = s
                        if here:
                            last_x = x
                            last_y = y
                    elif covered:
                        last_x = x
                        last_y = y
        if found == 1:
            inverse = nearest[base + last_y * width + last_x]
            p = back_project(last_x, last_y, inverse, fx, fy, cx, cy)
            gx = wp.float64(nx)
            gy = wp.float64(ny)
            a = pixel_gradient(gx, gy, fx, fy, p)
            residual = wp.float64(at)
            if covered:
                residual = -wp.float64(at - 1)
            by_focal = gx * (wp.float64(last_x) - cx) + gy * (wp.float64(last_y) - cy)
            add_residual(
                slots,
                slot,
                state,
                pose,
                scales,
                focal,
                p - center,
                a,
                by_focal,
                residual,
                sigmas[0],
                sigmas[1],
                ONE,
            )
        else:
            slots[slot + COST] += far
        slots[slot + COUNT] += ONE
