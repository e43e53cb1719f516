"""Warp kernels of the fused refinement: residuals of a rendered pose, summed into normal equations where they arise.

One source for the CPU and CUDA: every kernel walks its items with a stride, so that a launch may hand one thread a
whole picture (CPU) or a few pixels (CUDA). Each thread sums into a slot of its own; the solver adds the slots up. No
atomics, so results do not depend on the order of threads.

What the numbers of each array mean is said in :mod:`dexman_pose.pose.solver._layout`.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors
# ruff: noqa: UP018, RUF046

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.observation.crop import DEPTH_GRID
from dexman_pose.pose.solver._layout import (
    DEPTH_MARGIN,
    STEP_LIMIT,
    CodeBit,
    EdgePoint,
    Lens,
    Residual,
    Slot,
    Term,
    TermWeights,
)
from dexman_pose.pose.solver._residual_kernels import (
    HALF,
    ONE,
    add_residual,
    back_project,
    hypothesis_of,
    pixel_residual,
)


@wp.func
def on_rim(nearest: wp.array(dtype=wp.float32), here: int, width: int) -> bool:
    """Whether a rendered pixel touches the background through one of its four sides."""
    return (
        nearest[here - 1] == wp.float32(0.0)
        or nearest[here + 1] == wp.float32(0.0)
        or nearest[here - width] == wp.float32(0.0)
        or nearest[here + width] == wp.float32(0.0)
    )


@wp.func
def outline_residual(
    x: int,
    y: int,
    inverse: wp.float32,
    lens: Lens,
    center: wp.vec3d,
    field: wp.array(dtype=wp.float32),
    smooth: wp.array(dtype=wp.float32),
    at: int,
    width: int,
) -> Residual:
    """A pixel of the rendered outline should be half a pixel deep in the mask."""
    p = back_project(x, y, inverse, lens)
    gx = HALF * wp.float64(smooth[at + 1] - smooth[at - 1])
    gy = HALF * wp.float64(smooth[at + width] - smooth[at - width])
    value = wp.float64(field[at]) - HALF
    return pixel_residual(value, gx, gy, wp.float64(x), wp.float64(y), lens, p, p - center)


@wp.func
def rendered_plane(
    nearest: wp.array(dtype=wp.float32), here: int, width: int, x: int, y: int, lens: Lens
) -> wp.vec3d:
    """Unit normal of the rendered surface at a pixel inside the rendering."""
    across = back_project(x + 1, y, nearest[here + 1], lens) - back_project(x - 1, y, nearest[here - 1], lens)
    along = back_project(x, y + 1, nearest[here + width], lens) - back_project(
        x, y - 1, nearest[here - width], lens
    )
    return wp.normalize(wp.cross(along, across))


@wp.func
def depth_residual(p: wp.vec3d, center: wp.vec3d, plane: wp.vec3d, z: wp.float64) -> Residual:
    """Distance of a point measured at depth ``z`` from the plane of the rendered surface."""
    q = wp.vec3d(p[0] * z / p[2], p[1] * z / p[2], z)
    r = Residual()
    r.value = wp.dot(plane, p - q)
    r.slope = plane
    r.arm = p - center
    r.by_focal = plane[0] * q[0] + plane[1] * q[1]
    return r


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
    scales: int,
    focal: int,
    term_weights: wp.array(dtype=TermWeights),
    use_silhouette: int,
    use_depth: int,
    stride: int,
    slots: wp.array(dtype=wp.float64),
):
    """Outline of the rendering against the mask's distance field, and rendered against measured depth."""
    b, start = wp.tid()
    weights = term_weights[0]
    h = hypothesis_of(b, b * stride + start, view_of[b], views, state)
    pixels = width * height
    base = b * pixels
    seen = h.view * pixels
    slot = h.slot
    lens = h.lens
    depth_slot = slot + Term.DEPTH * Slot.SIZE
    silhouette = weights.silhouette_information
    silhouette_reach = weights.silhouette_reach
    depth = weights.depth_information
    depth_reach = weights.depth_reach
    hits = int(0)
    drawn = int(0)
    area = int(0)
    outline = int(0)
    both = int(0)
    for y in range(start, height, stride):
        for x in range(width):
            here = base + y * width + x
            inverse = nearest[here]
            if inverse > wp.float32(0.0):
                at = seen + y * width + x
                bits = int(code[at])
                area += 1
                if (bits & CodeBit.UNKNOWN) == 0:
                    drawn += 1
                    if (bits & CodeBit.MASK) != 0:
                        hits += 1
                if x > 0 and y > 0 and x < width - 1 and y < height - 1:
                    if on_rim(nearest, here, width):
                        outline += 1
                        if use_silhouette != 0 and (bits & CodeBit.NEAR_UNKNOWN) == 0:
                            r = outline_residual(x, y, inverse, lens, h.center, field, smooth, at, width)
                            add_residual(
                                slots,
                                slot,
                                state,
                                h.state,
                                scales,
                                focal,
                                r,
                                silhouette,
                                silhouette_reach,
                                ONE,
                            )
                    elif use_depth != 0 and x % DEPTH_GRID == 0 and y % DEPTH_GRID == 0:
                        z = measured[at]
                        if z > wp.float32(0.0) and field[at] > wp.float32(DEPTH_MARGIN):
                            both += 1
                            plane = rendered_plane(nearest, here, width, x, y, lens)
                            # Grazing surfaces and depth steps give no usable plane.
                            if wp.abs(plane[2]) > weights.depth_facing:
                                deep = weights.depth_scale * wp.float64(z) + weights.depth_shift
                                r = depth_residual(back_project(x, y, inverse, lens), h.center, plane, deep)
                                add_residual(
                                    slots,
                                    depth_slot,
                                    state,
                                    h.state,
                                    scales,
                                    focal,
                                    r,
                                    depth,
                                    depth_reach,
                                    ONE,
                                )
    slots[slot + Slot.COUNT] += wp.float64(outline)
    slots[slot + Slot.HITS] += wp.float64(hits)
    slots[slot + Slot.AREA] += wp.float64(drawn)
    slots[depth_slot + Slot.COUNT] += wp.float64(both)
    slots[depth_slot + Slot.AREA] += wp.float64(area)


@wp.func
def rim_distance(
    nearest: wp.array(dtype=wp.float32),
    base: int,
    width: int,
    height: int,
    ex: wp.float32,
    ey: wp.float32,
    nx: wp.float32,
    ny: wp.float32,
) -> wp.vec3i:
    """Pixel x, y of the rendered outline on a line through a pixel, and its distance in pixels along the line.

    The distance is 0 where no outline was met. A pixel that the rendering covers has the outline outwards of it, any
    other has it inwards; the outline pixel is one that is covered, the distance that of the first pixel beyond the
    change, negative outwards.
    """
    covered = nearest[base + int(ey) * width + int(ex)] > wp.float32(0.0)
    sign = wp.float32(1.0)
    if covered:
        sign = wp.float32(-1.0)
    last_x = int(ex)
    last_y = int(ey)
    for s in range(1, STEP_LIMIT):
        x = int(ex + sign * nx * wp.float32(s) + wp.float32(0.5))
        y = int(ey + sign * ny * wp.float32(s) + wp.float32(0.5))
        if x < 0 or y < 0 or x >= width or y >= height:
            return wp.vec3i(0, 0, 0)
        here = nearest[base + y * width + x] > wp.float32(0.0)
        if here != covered:
            if here:
                return wp.vec3i(x, y, s)
            return wp.vec3i(last_x, last_y, -s)
        if covered:
            last_x = x
            last_y = y
    return wp.vec3i(0, 0, 0)


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
    term_weights: wp.array(dtype=TermWeights),
    stride: int,
    slots: wp.array(dtype=wp.float64),
):
    """The mask's edge against the rendered outline, looked for along the edge's normal."""
    b, start = wp.tid()
    weights = term_weights[0]
    h = hypothesis_of(b, b * stride + start, view_of[b], views, state)
    base = b * width * height
    slot = h.slot
    lens = h.lens
    information = weights.silhouette_information
    reach = weights.silhouette_reach
    for i in range(start, edge_count[h.view], stride):
        e = (h.view * edge_room + i) * EdgePoint.SIZE
        nx = edge[e + EdgePoint.NORMAL_X]
        ny = edge[e + EdgePoint.NORMAL_Y]
        found = rim_distance(
            nearest, base, width, height, edge[e + EdgePoint.X], edge[e + EdgePoint.Y], nx, ny
        )
        x = found[0]
        y = found[1]
        distance = found[2]
        if distance != 0:
            p = back_project(x, y, nearest[base + y * width + x], lens)
            gx = wp.float64(nx)
            gy = wp.float64(ny)
            # Outwards the outline is the last pixel before the change.
            value = wp.float64(distance)
            if distance < 0:
                value = wp.float64(distance + 1)
            r = pixel_residual(value, gx, gy, wp.float64(x), wp.float64(y), lens, p, p - h.center)
            add_residual(slots, slot, state, h.state, scales, focal, r, information, reach, ONE)
        else:
            slots[slot + Slot.COST] += reach * reach
        slots[slot + Slot.COUNT] += ONE
