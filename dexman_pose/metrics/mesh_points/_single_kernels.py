"""Warp kernel of the vertex errors of one pose: checks both poses and goes over the vertices once.

Vertices come in blocks of four: x of four vertices, then their y, then their z, which processors compute with at once.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp

# Fused multiply-add rounds once where the definitions round twice.
wp.set_module_options({"fuse_fp": False})

MEAN_DISTANCE = 0
LARGEST_DISTANCE = 1
LARGEST_PIXELS = 2
MEAN_NEAREST = 3
"""What is asked for."""

TRUTH = 16
FOCAL = 32
NUMBERS = 34
"""Places in the numbers that go in: the estimate's sixteen, the truth's sixteen, and two focal lengths."""

_TRUTH, _FOCAL = wp.constant(TRUTH), wp.constant(FOCAL)
_MEAN, _LARGEST = wp.constant(MEAN_DISTANCE), wp.constant(LARGEST_DISTANCE)
_PIXELS = wp.constant(LARGEST_PIXELS)
_ZERO, _ONE = wp.constant(wp.float64(0.0)), wp.constant(wp.float64(1.0))
_FAR = wp.constant(wp.float64(1e300))


@wp.func
def is_rigid(m: wp.array(dtype=wp.float64), o: int, tolerance: wp.float64):
    """Whether the sixteen numbers from place ``o`` are a rotation and a translation."""
    r = wp.mat33d(m[o], m[o + 1], m[o + 2], m[o + 4], m[o + 5], m[o + 6], m[o + 8], m[o + 9], m[o + 10])
    x, y, z = (
        wp.vec3d(r[0, 0], r[0, 1], r[0, 2]),
        wp.vec3d(r[1, 0], r[1, 1], r[1, 2]),
        wp.vec3d(r[2, 0], r[2, 1], r[2, 2]),
    )
    off = wp.max(wp.abs(wp.dot(x, y)), wp.max(wp.abs(wp.dot(x, z)), wp.abs(wp.dot(y, z))))
    long = wp.max(
        wp.abs(wp.dot(x, x) - _ONE), wp.max(wp.abs(wp.dot(y, y) - _ONE), wp.abs(wp.dot(z, z) - _ONE))
    )
    last = wp.max(wp.abs(m[o + 12]), wp.max(wp.abs(m[o + 13]), wp.abs(m[o + 14])))
    last = wp.max(last, wp.abs(m[o + 15] - _ONE))
    finite = wp.isfinite(m[o + 3] + m[o + 7] + m[o + 11])
    # The largest of numbers may pass over NaN: sums do not.
    finite = finite and wp.isfinite(wp.dot(x, x) + wp.dot(y, y) + wp.dot(z, z))
    finite = finite and wp.isfinite(m[o + 12] + m[o + 13] + m[o + 14] + m[o + 15])
    return finite and wp.max(off, wp.max(long, last)) <= tolerance and wp.dot(wp.cross(x, y), z) > _ZERO


@wp.func
def row(m: wp.mat44d, r: int, x: wp.vec4d, y: wp.vec4d, z: wp.vec4d):
    """One coordinate of four vertices under a pose."""
    t = m[r, 3]
    return m[r, 0] * x + m[r, 1] * y + m[r, 2] * z + wp.vec4d(t, t, t, t)


@wp.func
def squared_shifts(d: wp.mat44d, blocks: wp.array(dtype=wp.vec4d), i: int):
    """Squared lengths of four vertices under a difference of poses."""
    x, y, z = blocks[3 * i], blocks[3 * i + 1], blocks[3 * i + 2]
    a, b, c = row(d, 0, x, y, z), row(d, 1, x, y, z), row(d, 2, x, y, z)
    return wp.cw_mul(a, a) + wp.cw_mul(b, b) + wp.cw_mul(c, c)


@wp.func
def matrix(m: wp.array(dtype=wp.float64), o: int):
    """The upper three rows from place ``o``."""
    return wp.mat44d(
        m[o], m[o + 1], m[o + 2], m[o + 3], m[o + 4], m[o + 5], m[o + 6], m[o + 7],
        m[o + 8], m[o + 9], m[o + 10], m[o + 11], _ZERO, _ZERO, _ZERO, _ZERO,
    )  # fmt: skip


@wp.func
def mean_distance(d: wp.mat44d, blocks: wp.array(dtype=wp.vec4d), count: int):
    """Mean length of the vertices' shifts."""
    total, last = wp.vec4d(), wp.vec4d()
    filled = (count + 3) / 4
    for i in range(filled):
        q = squared_shifts(d, blocks, i)
        last = wp.vec4d(wp.sqrt(q[0]), wp.sqrt(q[1]), wp.sqrt(q[2]), wp.sqrt(q[3]))
        total += last
    # What fills the last block up are copies of its last vertex.
    surplus = wp.float64(4 * filled - count) * last[3]
    return (total[0] + total[1] + total[2] + total[3] - surplus) / wp.float64(count)


@wp.func
def largest_distance(d: wp.mat44d, blocks: wp.array(dtype=wp.vec4d), count: int):
    """Largest length of the vertices' shifts."""
    worst = wp.vec4d()
    for i in range((count + 3) / 4):
        worst = wp.max(worst, squared_shifts(d, blocks, i))
    return wp.sqrt(wp.max(worst))


@wp.func
def largest_pixels(
    one: wp.mat44d,
    other: wp.mat44d,
    blocks: wp.array(dtype=wp.vec4d),
    count: int,
    fx: wp.float64,
    fy: wp.float64,
    near: wp.float64,
):
    """Largest distance in pixels; -1 where a vertex has none."""
    worst = wp.vec4d()
    nearest = wp.vec4d(_FAR, _FAR, _FAR, _FAR)
    for i in range((count + 3) / 4):
        x, y, z = blocks[3 * i], blocks[3 * i + 1], blocks[3 * i + 2]
        x1, y1, z1 = row(one, 0, x, y, z), row(one, 1, x, y, z), row(one, 2, x, y, z)
        x2, y2, z2 = row(other, 0, x, y, z), row(other, 1, x, y, z), row(other, 2, x, y, z)
        nearest = wp.min(nearest, wp.min(z1, z2))
        # One division takes as long as all the rest.
        over = wp.cw_mul(z1, z2)
        du = fx * (wp.cw_mul(x1, z2) - wp.cw_mul(x2, z1))
        dv = fy * (wp.cw_mul(y1, z2) - wp.cw_mul(y2, z1))
        worst = wp.max(worst, wp.cw_div(wp.cw_mul(du, du) + wp.cw_mul(dv, dv), wp.cw_mul(over, over)))
    return wp.where(wp.min(nearest) < near, -_ONE, wp.sqrt(wp.max(worst)))


@wp.func
def mean_nearest(one: wp.mat44d, other: wp.mat44d, points: wp.array(dtype=wp.vec3d), count: int):
    """Mean distance from each vertex under ``other`` to the nearest under ``one``, every pair tried."""
    r = wp.mat33d(
        one[0, 0], one[1, 0], one[2, 0], one[0, 1], one[1, 1], one[2, 1], one[0, 2], one[1, 2], one[2, 2]
    )  # fmt: skip
    q = wp.mat33d(
        other[0, 0], other[0, 1], other[0, 2], other[1, 0], other[1, 1], other[1, 2],
        other[2, 0], other[2, 1], other[2, 2],
    )  # fmt: skip
    turn = r * q
    shift = r * wp.vec3d(other[0, 3] - one[0, 3], other[1, 3] - one[1, 3], other[2, 3] - one[2, 3])
    total = wp.float64(0.0)
    for i in range(count):
        moved = turn * points[i] + shift
        near, near2 = wp.length_sq(points[0] - moved), wp.length_sq(points[count - 1] - moved)
        for j in range(1, count - 1, 2):
            near = wp.min(near, wp.length_sq(points[j] - moved))
            near2 = wp.min(near2, wp.length_sq(points[j + 1] - moved))
        total += wp.sqrt(wp.min(near, near2))
    return total / wp.float64(count)


@wp.kernel(enable_backward=False)
def single_error(
    asked: int,
    numbers: wp.array(dtype=wp.float64),
    points: wp.array(dtype=wp.vec3d),
    blocks: wp.array(dtype=wp.vec4d),
    count: int,
    tolerance: wp.float64,
    near: wp.float64,
    out: wp.array(dtype=wp.float64),
):
    """Write the error; -1 where a pose is not plainly rigid, or a vertex has no pixel."""
    if not (is_rigid(numbers, 0, tolerance) and is_rigid(numbers, _TRUTH, tolerance)):
        out[0] = -_ONE
        return
    one, other = matrix(numbers, 0), matrix(numbers, _TRUTH)
    if asked == _MEAN:
        out[0] = mean_distance(one - other, blocks, count)
    elif asked == _LARGEST:
        out[0] = largest_distance(one - other, blocks, count)
    elif asked == _PIXELS:
        fx, fy = numbers[_FOCAL], numbers[_FOCAL + 1]
        out[0] = largest_pixels(one, other, blocks, count, fx, fy, near)
    else:
        out[0] = mean_nearest(one, other, points, count)
