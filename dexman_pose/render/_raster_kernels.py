"""Warp kernels that turn posed vertices into a buffer of the nearest surface per pixel.

One source for the CPU and CUDA. Every kernel walks its items with a stride, so that a launch may hand one
thread a single item (CUDA) or a whole image (CPU, where launches run one thread after the other and a long
inner loop is what the compiler optimises best).

Pixel positions are double precision: a single-precision pixel coordinate is off by up to 1e-4 px in a large
image, enough to open cracks between neighbours and to move a silhouette. What is stored per pixel is 1 / z:
it is affine in the image, so it steps along a row by one addition, and being positive its bit pattern orders
like its value. Nearest is therefore an (atomic) maximum; 0 is "nothing here".
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp

LANES = 4
"""Pixels of a row taken together, for vector units. A buffer needs LANES - 1 items behind its last pixel."""

EDGE_TOLERANCE = wp.constant(wp.float64(1e-7))
"""Pixels by which a triangle is widened: rounding then opens no crack between faces that share an edge."""

ZERO = wp.constant(wp.float64(0.0))
ONE = wp.constant(wp.float64(1.0))

# The loop over the pixels of a triangle, in C++ because Warp's own loops and branches keep the CPU compiler
# from vectorising it. Whether a pixel is inside cannot be predicted, so on the CPU nothing branches on it:
# outside means a value of 0, and 0 never beats what is there.
_MERGE = """
#if defined(__CUDA_ARCH__)
#define DEXMAN_KEEP_MAX(slot, value) if ((value) > (slot)) wp::atomic_max(&(slot), (value))
#else
#define DEXMAN_KEEP_MAX(slot, value) (slot) = (value) > (slot) ? (value) : (slot)
#endif
    for (int y = y0; y < y1; y += y_step) {
        const double dy = (double)y - v0;
        const double e0 = edge[0] + edge_y[0] * dy;
        const double e1 = edge[1] + edge_y[1] * dy;
        const double e2 = edge[2] + edge_y[2] * dy;
        const double w_row = plane[0] + plane[2] * dy;
        const int row = base + y * width;
        for (int x = x0; x < x1; x += LANES) {
            #pragma unroll
            for (int lane = 0; lane < LANES; ++lane) {
                const double dx = (double)(x - x0 + lane);
                const bool inside = (e0 + edge_x[0] * dx >= 0.0) & (e1 + edge_x[1] * dx >= 0.0)
                    & (e2 + edge_x[2] * dx >= 0.0) & (x + lane < x1);
                double w = w_row + plane[1] * dx;
                w = w < limits[0] ? limits[0] : w;
                w = w > limits[1] ? limits[1] : w;
                const float value = inside ? (float)w : 0.0f;
                STORE
            }
        }
    }
#undef DEXMAN_KEEP_MAX
""".replace("LANES", str(LANES))

_STORE_DEPTH = "DEXMAN_KEEP_MAX(nearest.data[row + x + lane], value);"

_STORE_KEY = """
                wp::uint64 key = ((wp::uint64)wp::cast<wp::uint32, wp::float32>(value) << 32) | tie;
                key = inside ? key : (wp::uint64)0;
                DEXMAN_KEEP_MAX(keys.data[row + x + lane], key);
"""

# Two loops: a choice inside would keep them from being vectorised.
_MERGE_EITHER = (
    "    if (keyed) {"
    + _MERGE.replace("STORE", _STORE_KEY)
    + "    } else {"
    + _MERGE.replace("STORE", _STORE_DEPTH)
    + "    }"
)


@wp.func
def face_of(key: wp.uint64) -> int:
    """The face packed into a pixel's key; -1 where the key is 0, for there is none."""
    return int(~wp.uint32(key & wp.uint64(0xFFFFFFFF)))


@wp.func
def homogeneous(projection: wp.array(dtype=wp.float64), b: int, p: wp.vec3d) -> wp.vec3d:
    """(u z, v z, z) of an object point: the 3x4 matrix K [R | t] of image ``b`` applied to it."""
    o = b * 12
    return wp.vec3d(
        projection[o] * p[0] + projection[o + 1] * p[1] + projection[o + 2] * p[2] + projection[o + 3],
        projection[o + 4] * p[0] + projection[o + 5] * p[1] + projection[o + 6] * p[2] + projection[o + 7],
        projection[o + 8] * p[0] + projection[o + 9] * p[1] + projection[o + 10] * p[2] + projection[o + 11],
    )


@wp.kernel(enable_backward=False)
def project_vertices(
    vertices: wp.array(dtype=wp.vec3d),
    projection: wp.array(dtype=wp.float64),
    near: wp.float64,
    stride: int,
    screen: wp.array(dtype=wp.vec3d),
) -> None:
    """Write (u, v, 1/z) per image and vertex; the last is 0 where the vertex is before the near plane."""
    b, start = wp.tid()
    count = vertices.shape[0]
    for i in range(start, count, stride):
        h = homogeneous(projection, b, vertices[i])
        out = wp.vec3d(ZERO, ZERO, ZERO)
        if h[2] >= near:
            w = ONE / h[2]
            out = wp.vec3d(h[0] * w, h[1] * w, w)
        screen[b * count + i] = out


@wp.func_native(_MERGE_EITHER)
def merge_pixels(
    edge: wp.vec3d,
    edge_x: wp.vec3d,
    edge_y: wp.vec3d,
    plane: wp.vec3d,
    limits: wp.vec2d,
    v0: wp.float64,
    x0: int,
    x1: int,
    y0: int,
    y1: int,
    y_step: int,
    base: int,
    width: int,
    keyed: bool,
    tie: wp.uint64,
    nearest: wp.array(dtype=wp.float32),
    keys: wp.array(dtype=wp.uint64),
) -> None:
    """Merge the pixels x0 <= x < x1, y0 <= y < y1 that lie inside a triangle into a buffer of 1/z.

    ``edge`` is how far (x0, v0) lies inside each edge and ``edge_x``, ``edge_y`` how that grows per pixel;
    ``plane`` is 1/z at (x0, v0) and its slopes; ``limits`` its range over the corners. If ``keyed``, the buffer is
    ``keys``, of packed (1/z bits, tie), and otherwise ``nearest``.
    """
    ...


@wp.func
def fill_triangle(
    p0: wp.vec3d,
    p1: wp.vec3d,
    p2: wp.vec3d,
    face: int,
    base: int,
    width: int,
    height: int,
    first_row: int,
    row_stride: int,
    keyed: bool,
    nearest: wp.array(dtype=wp.float32),
    keys: wp.array(dtype=wp.uint64),
) -> None:
    """Merge one projected triangle (u, v, 1/z per corner), of either orientation, into one image."""
    x_min = wp.max(wp.ceil(wp.min(p0[0], wp.min(p1[0], p2[0])) - EDGE_TOLERANCE), ZERO)
    x_max = wp.min(wp.floor(wp.max(p0[0], wp.max(p1[0], p2[0])) + EDGE_TOLERANCE), wp.float64(width - 1))
    y_min = wp.max(wp.ceil(wp.min(p0[1], wp.min(p1[1], p2[1])) - EDGE_TOLERANCE), ZERO)
    y_max = wp.min(wp.floor(wp.max(p0[1], wp.max(p1[1], p2[1])) + EDGE_TOLERANCE), wp.float64(height - 1))
    if x_min > x_max or y_min > y_max:
        return
    ax = p1[0] - p0[0]
    ay = p1[1] - p0[1]
    bx = p2[0] - p0[0]
    by = p2[1] - p0[1]
    area = ax * by - ay * bx
    if area == ZERO:
        return
    s = ONE / area
    # Slopes of the barycentric coordinates of corners 1 and 2, and of 1/z.
    b1x = by * s
    b1y = -bx * s
    b2x = -ay * s
    b2y = ax * s
    wx = b1x * (p1[2] - p0[2]) + b2x * (p2[2] - p0[2])
    wy = b1y * (p1[2] - p0[2]) + b2y * (p2[2] - p0[2])
    # How far a pixel lies inside each edge, in barycentric units; the tolerance widens the triangle.
    edge_x = wp.vec3d(-b1x - b2x, b1x, b2x)
    edge_y = wp.vec3d(-b1y - b2y, b1y, b2y)
    dx = x_min - p0[0]
    edge = wp.vec3d(
        ONE + edge_x[0] * dx + EDGE_TOLERANCE * (wp.abs(edge_x[0]) + wp.abs(edge_y[0])),
        b1x * dx + EDGE_TOLERANCE * (wp.abs(b1x) + wp.abs(b1y)),
        b2x * dx + EDGE_TOLERANCE * (wp.abs(b2x) + wp.abs(b2y)),
    )
    plane = wp.vec3d(p0[2] + wx * dx, wx, wy)
    # A sliver's slope is unbounded; no pixel of it may leave the range of its corners.
    limits = wp.vec2d(wp.min(p0[2], wp.min(p1[2], p2[2])), wp.max(p0[2], wp.max(p1[2], p2[2])))
    x0 = int(x_min)
    x1 = int(x_max) + 1
    y0 = int(y_min) + first_row
    y1 = int(y_max) + 1
    tie = wp.uint64(~wp.uint32(face))
    merge_pixels(
        edge,
        edge_x,
        edge_y,
        plane,
        limits,
        p0[1],
        x0,
        x1,
        y0,
        y1,
        row_stride,
        base,
        width,
        keyed,
        tie,
        nearest,
        keys,
    )


@wp.func
def cut(a: wp.vec3d, b: wp.vec3d, near: wp.float64) -> wp.vec3d:
    """(u, v, 1/z) where the segment between points on both sides of the near plane meets it."""
    t = (near - a[2]) / (b[2] - a[2])
    return wp.vec3d(
        (a[0] + t * (b[0] - a[0])) / near,
        (a[1] + t * (b[1] - a[1])) / near,
        ONE / near,
    )


@wp.func
def onscreen(h: wp.vec3d) -> wp.vec3d:
    """(u, v, 1/z) of a homogeneous point in front of the camera."""
    return wp.vec3d(h[0] / h[2], h[1] / h[2], ONE / h[2])


@wp.struct
class Clipped:
    """What of a triangle lies beyond the near plane, (u, v, 1/z) per corner: triangle a b c, and a c d if ``two``."""

    a: wp.vec3d
    b: wp.vec3d
    c: wp.vec3d
    d: wp.vec3d
    two: bool


@wp.func
def clipped(h0: wp.vec3d, h1: wp.vec3d, h2: wp.vec3d, near: wp.float64) -> Clipped:
    """The one or two triangles that a triangle (homogeneous corners) across the near plane leaves beyond it."""
    a = h0
    b = h1
    c = h2
    # Turn the corners round until ``a`` is the only one on its side of the plane.
    if (b[2] >= near) != (a[2] >= near) and (b[2] >= near) != (c[2] >= near):
        a = h1
        b = h2
        c = h0
    elif (c[2] >= near) != (a[2] >= near) and (c[2] >= near) != (b[2] >= near):
        a = h2
        b = h0
        c = h1
    ab = cut(a, b, near)
    ac = cut(a, c, near)
    out = Clipped()
    out.two = a[2] < near
    if out.two:
        out.a = ab
        out.b = onscreen(b)
        out.c = onscreen(c)
        out.d = ac
    else:
        out.a = onscreen(a)
        out.b = ab
        out.c = ac
    return out


@wp.func
def hides_backs(
    hull: wp.array(dtype=wp.vec3d), projection: wp.array(dtype=wp.float64), b: int, near: wp.float64
) -> bool:
    """Whether every face seen from behind lies behind another: a closed mesh, wholly beyond the near plane.

    ``hull`` holds points that enclose the mesh when it is closed and its faces look outwards, and nothing otherwise.
    """
    o = b * 12
    # A mirror among the factors of the projection would turn all faces round.
    across = wp.vec3d(projection[o], projection[o + 1], projection[o + 2])
    down = wp.vec3d(projection[o + 4], projection[o + 5], projection[o + 6])
    along = wp.vec3d(projection[o + 8], projection[o + 9], projection[o + 10])
    hidden = hull.shape[0] > 0 and wp.dot(wp.cross(across, down), along) > ZERO
    for i in range(hull.shape[0]):
        h = homogeneous(projection, b, hull[i])
        hidden = hidden and h[2] >= near
    return hidden


@wp.kernel(enable_backward=False)
def rasterize(
    vertices: wp.array(dtype=wp.vec3d),
    faces: wp.array(dtype=wp.vec3i),
    hull: wp.array(dtype=wp.vec3d),
    projection: wp.array(dtype=wp.float64),
    screen: wp.array(dtype=wp.vec3d),
    near: wp.float64,
    width: int,
    height: int,
    face_stride: int,
    row_stride: int,
    keyed: bool,
    nearest: wp.array(dtype=wp.float32),
    keys: wp.array(dtype=wp.uint64),
) -> None:
    """Merge all faces of all images: into ``keys`` (1/z bits, then lowest face) or, unkeyed, 1/z alone."""
    b, start, first_row = wp.tid()
    corner = b * vertices.shape[0]
    base = b * width * height
    fronts_only = hides_backs(hull, projection, b, near)
    for i in range(start, faces.shape[0], face_stride):
        f = faces[i]
        p0 = screen[corner + f[0]]
        p1 = screen[corner + f[1]]
        p2 = screen[corner + f[2]]
        if p0[2] > ZERO and p1[2] > ZERO and p2[2] > ZERO:
            # Rows grow downwards: the front of a face goes round the other way.
            turn = (p1[0] - p0[0]) * (p2[1] - p0[1]) - (p1[1] - p0[1]) * (p2[0] - p0[0])
            if turn < ZERO or not fronts_only:
                fill_triangle(p0, p1, p2, i, base, width, height, first_row, row_stride, keyed, nearest, keys)
        elif p0[2] > ZERO or p1[2] > ZERO or p2[2] > ZERO:
            h0 = homogeneous(projection, b, vertices[f[0]])
            h1 = homogeneous(projection, b, vertices[f[1]])
            h2 = homogeneous(projection, b, vertices[f[2]])
            t = clipped(h0, h1, h2, near)
            fill_triangle(t.a, t.b, t.c, i, base, width, height, first_row, row_stride, keyed, nearest, keys)
            if t.two:
                fill_triangle(
                    t.a, t.c, t.d, i, base, width, height, first_row, row_stride, keyed, nearest, keys
                )
