"""Warp kernels of the exact nearest-vertex search: building the octree of candidate lists, and asking it.

Every kernel is a strided loop, so that a thread of the host takes every n-th item. All coordinates are in the unit of
the tree: the inner cube is [-1, 1]^3, so that cube sides and cell sides are powers of two and cells are found exactly.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors
# ruff: noqa: UP018, RUF046

from __future__ import annotations

from dexman_pose._warp import wp

SLACK = wp.constant(wp.float64(1e-9))
"""Squared units by which a vertex must lose everywhere in a cell to be left out: covers all rounding."""

_FAR = wp.constant(wp.float64(1e300))


@wp.struct
class Level:
    """Cells to be divided: integer position, and where their candidates lie; half side of the cube, side of a child."""

    coords: wp.array(dtype=wp.vec3i)
    starts: wp.array(dtype=wp.int64)
    counts: wp.array(dtype=wp.int32)
    lists: wp.array(dtype=wp.int32)
    vertices: wp.array(dtype=wp.vec3d)
    side: wp.float64
    half: wp.float64


@wp.struct
class Octree:
    """Cubes one around the other, each a table of cells and their children down to lists of candidates."""

    cubes: int
    top_bits: int
    depth: int
    top: wp.array(dtype=wp.int32)
    children: wp.array(dtype=wp.int32)
    leaves: wp.array(dtype=wp.int32)
    vertices: wp.array(dtype=wp.vec3d)


@wp.func
def _cell_center(level: Level, parent: int, octant: int):
    c = level.coords[parent]
    x = wp.float64(2 * c[0] + (octant >> 2)) + wp.float64(0.5)
    y = wp.float64(2 * c[1] + ((octant >> 1) & 1)) + wp.float64(0.5)
    z = wp.float64(2 * c[2] + (octant & 1)) + wp.float64(0.5)
    return wp.vec3d(x * level.side - level.half, y * level.side - level.half, z * level.side - level.half)


@wp.func
def _loses(v: wp.vec3d, nearest: wp.vec3d, center: wp.vec3d, distance: wp.float64, half_side: wp.float64):
    """Whether ``nearest`` is nearer than ``v`` to every point of the cell: its bisecting plane misses the cell."""
    gap = wp.length_sq(center - v) - distance
    d = v - nearest
    reach = wp.abs(d[0]) + wp.abs(d[1]) + wp.abs(d[2])
    return gap > wp.float64(2.0) * half_side * reach + SLACK


@wp.kernel(enable_backward=False)
def count_candidates(
    first: int,
    step: int,
    count: int,
    level: Level,
    hole: wp.float64,
    nearest_out: wp.array(dtype=wp.int32),
    count_out: wp.array(dtype=wp.int32),
):
    """For each of 8 x parents cells: the vertex nearest to its centre and how many may be nearest in it.

    Cells within ``hole`` and not touching its sides belong to a smaller cube: no candidates.
    """
    for k in range(first + wp.tid(), count, step):
        parent = k // 8
        center = _cell_center(level, parent, k % 8)
        half_side = wp.float64(0.5) * level.side
        reach = wp.max(wp.abs(center[0]), wp.max(wp.abs(center[1]), wp.abs(center[2]))) + half_side
        kept = int(0)
        best = int(0)
        if reach >= hole:
            start = level.starts[parent]
            best_distance = _FAR
            for i in range(level.counts[parent]):
                j = level.lists[start + wp.int64(i)]
                distance = wp.length_sq(center - level.vertices[j])
                if distance < best_distance:
                    best_distance = distance
                    best = j
            nearest = level.vertices[best]
            for i in range(level.counts[parent]):
                v = level.vertices[level.lists[start + wp.int64(i)]]
                if not _loses(v, nearest, center, best_distance, half_side):
                    kept += 1
        nearest_out[k] = best
        count_out[k] = kept


@wp.kernel(enable_backward=False)
def write_candidates(
    first: int,
    step: int,
    count: int,
    level: Level,
    nearest: wp.array(dtype=wp.int32),
    kept: wp.array(dtype=wp.int32),
    is_leaf: wp.array(dtype=wp.uint8),
    targets: wp.array(dtype=wp.int64),
    leaves: wp.array(dtype=wp.int32),
    onward: wp.array(dtype=wp.int32),
):
    """Write the candidates counted before: of a leaf with their number before them, else for the next level."""
    for k in range(first + wp.tid(), count, step):
        target = targets[k]
        leaf = is_leaf[k] > wp.uint8(0)
        if leaf:
            leaves[target] = kept[k]
            target += wp.int64(1)
        if kept[k] > 0:
            parent = k // 8
            center = _cell_center(level, parent, k % 8)
            u = level.vertices[nearest[k]]
            distance = wp.length_sq(center - u)
            start = level.starts[parent]
            for i in range(level.counts[parent]):
                j = level.lists[start + wp.int64(i)]
                if not _loses(level.vertices[j], u, center, distance, wp.float64(0.5) * level.side):
                    if leaf:
                        leaves[target] = j
                    else:
                        onward[target] = j
                    target += wp.int64(1)


@wp.func
def _nearest_squared(x: wp.vec3d, tree: Octree):
    """Squared distance to the nearest vertex, or -1 outside all cubes. Each cube is 4 times as large as the last."""
    reach = wp.max(wp.abs(x[0]), wp.max(wp.abs(x[1]), wp.abs(x[2])))
    cube = int(0)
    inverse = wp.float64(1.0)
    while cube < tree.cubes and reach * inverse >= wp.float64(1.0):
        cube += 1
        inverse = inverse * wp.float64(0.25)
    best = wp.float64(-1.0)
    if cube < tree.cubes:
        fine = wp.float64(1 << (tree.depth - 1))
        ix = int((x[0] * inverse + wp.float64(1.0)) * fine)
        iy = int((x[1] * inverse + wp.float64(1.0)) * fine)
        iz = int((x[2] * inverse + wp.float64(1.0)) * fine)
        # The sum may round up to the far face.
        last = (1 << tree.depth) - 1
        ix = wp.min(ix, last)
        iy = wp.min(iy, last)
        iz = wp.min(iz, last)
        bits = tree.top_bits
        shift = tree.depth - bits
        cell = (((cube << bits) + (ix >> shift) << bits) + (iy >> shift) << bits) + (iz >> shift)
        code = tree.top[cell]
        while code >= 0:
            shift -= 1
            code = tree.children[
                code + (((ix >> shift) & 1) << 2) + (((iy >> shift) & 1) << 1) + ((iz >> shift) & 1)
            ]
        start = -1 - code
        best = _FAR
        for i in range(start + 1, start + 1 + tree.leaves[start]):
            best = wp.min(best, wp.length_sq(x - tree.vertices[tree.leaves[i]]))
    return best


@wp.kernel(enable_backward=False)
def mean_distances(
    first: int,
    step: int,
    count: int,
    transforms: wp.array(dtype=wp.mat44d),
    points: wp.array(dtype=wp.vec3d),
    tree: Octree,
    out: wp.array(dtype=wp.float64),
):
    """Mean distance of the moved points, one transform after the other; -1 where one of them is outside."""
    for k in range(first + wp.tid(), count, step):
        m = transforms[k]
        total = wp.float64(0.0)
        i = int(0)
        while i < points.shape[0]:
            x = wp.transform_point(m, points[i])
            d = _nearest_squared(x, tree)
            total += wp.sqrt(wp.max(d, wp.float64(0.0)))
            i += 1
            if d < wp.float64(0.0):
                total = wp.float64(-1.0)
                i = points.shape[0]
        out[k] = total
        if total > wp.float64(0.0):
            out[k] = total / wp.float64(points.shape[0])


@wp.kernel(enable_backward=False)
def point_distances(
    first: int,
    step: int,
    count: int,
    points: wp.array(dtype=wp.vec3d),
    tree: Octree,
    out: wp.array(dtype=wp.float64),
):
    """Distance of each point; -1 outside all cubes."""
    for k in range(first + wp.tid(), count, step):
        d = _nearest_squared(points[k], tree)
        out[k] = d
        if d > wp.float64(0.0):
            out[k] = wp.sqrt(d)
