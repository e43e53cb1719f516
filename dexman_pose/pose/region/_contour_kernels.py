"""Warp kernel that finds the contours of a drawn pose: its outline, its creases and its inner steps."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors
# ruff: noqa: UP018, RUF046, SIM102

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.region._layout import FAR, LINE_ROOM, Line, LineReport, LineSettings
from dexman_pose.pose.solver._residual_kernels import hypothesis_of, rotation_of

NONE = wp.constant(wp.float32(0.0))
HALF = wp.constant(wp.float32(0.5))
GOLDEN = wp.constant(wp.float32(0.61803399))
"""Multiples of the golden ratio are spread most evenly over the whole numbers."""

RIM = 3
"""Pixels at the border of a drawing that are not looked at: directions need neighbours."""


@wp.func
def rim_at(nearest: wp.array(dtype=wp.float32), here: int, width: int) -> bool:
    """Whether a drawn pixel has nothing on one of its four sides."""
    return (
        nearest[here - 1] == NONE
        or nearest[here + 1] == NONE
        or nearest[here - width] == NONE
        or nearest[here + width] == NONE
    )


@wp.func
def outward(nearest: wp.array(dtype=wp.float32), here: int, width: int) -> wp.vec2f:
    """Unit direction out of a drawing at a pixel of its rim; zero where it has none."""
    nx = wp.float32(0.0)
    ny = wp.float32(0.0)
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            if nearest[here + dy * width + dx] > NONE:
                nx -= wp.float32(dx)
                ny -= wp.float32(dy)
    n = wp.vec2f(nx, ny)
    length = wp.length(n)
    if length < wp.float32(1.0):
        return wp.vec2f(NONE, NONE)
    return n / length


@wp.func
def is_bent(nearest: wp.array(dtype=wp.float32), here: int, width: int, least: wp.float32) -> bool:
    """Whether a surface may bend at a drawn pixel whose four sides are drawn; quick, and no less than it does."""
    w = wp.float32(2.0) * nearest[here]
    xx = nearest[here - 1] + nearest[here + 1] - w
    yy = nearest[here - width] + nearest[here + width] - w
    return wp.abs(xx) + wp.abs(yy) > wp.float32(0.5) * least * w


@wp.func
def bend(nearest: wp.array(dtype=wp.float32), here: int, width: int) -> wp.vec3f:
    """Unit direction across a crease or step of a drawn surface, and how strong it is.

    Inverse depth is affine over the picture of a plane: its second differences are those of creases alone.
    """
    w = nearest[here]
    xx = nearest[here - 1] + nearest[here + 1] - wp.float32(2.0) * w
    yy = nearest[here - width] + nearest[here + width] - wp.float32(2.0) * w
    xy = wp.float32(0.25) * (
        nearest[here + width + 1]
        + nearest[here - width - 1]
        - nearest[here + width - 1]
        - nearest[here - width + 1]
    )
    half = wp.float32(0.5) * (xx - yy)
    root = wp.sqrt(half * half + xy * xy)
    mean = wp.float32(0.5) * (xx + yy)
    large = mean + root
    if mean < NONE:
        large = mean - root
    # Eigenvector of the eigenvalue that is larger in size.
    vx = large - yy
    vy = xy
    if wp.abs(large - xx) > wp.abs(vx):
        vx = xy
        vy = large - xx
    length = wp.sqrt(vx * vx + vy * vy)
    if length <= NONE:
        return wp.vec3f(NONE, NONE, NONE)
    return wp.vec3f(vx / length, vy / length, wp.abs(large) / w)


@wp.func
def is_closed(nearest: wp.array(dtype=wp.float32), here: int, width: int) -> bool:
    """Whether all eight neighbours of a pixel are drawn."""
    closed = True
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            closed = closed and nearest[here + dy * width + dx] > NONE
    return closed


@wp.func
def goes_on(
    nearest: wp.array(dtype=wp.float32),
    base: int,
    width: int,
    height: int,
    x: wp.float32,
    y: wp.float32,
    dx: wp.float32,
    dy: wp.float32,
    drawn: bool,
) -> wp.float32:
    """Pixels along a direction from (x, y) over which a drawing is, or is not; 0 where that is far."""
    for k in range(2, FAR):
        t = wp.float32(k)
        column = int(x + dx * t + HALF)
        row = int(y + dy * t + HALF)
        if column < 0 or row < 0 or column >= width or row >= height:
            return NONE
        if (nearest[base + row * width + column] > NONE) != drawn:
            return t
    return NONE


@wp.func
def wanted(count: int, share: wp.float32) -> bool:
    """Whether an item is one of a share of all, spread evenly over them."""
    turn = wp.float32(count) * GOLDEN
    return turn - wp.floor(turn) < share


@wp.func
def drawn_box(screen: wp.array(dtype=wp.vec3d), first: int, count: int, width: int, height: int) -> wp.vec4i:
    """Columns and rows x0, y0 <= . < x1, y1 of a drawing that corners (u, v, 1/z) on the screen reach.

    All of them where a corner lies before the near plane: then its face is cut, and may be anywhere.
    """
    x0 = wp.float64(width)
    y0 = wp.float64(height)
    x1 = wp.float64(-1.0)
    y1 = wp.float64(-1.0)
    cut = bool(False)
    for i in range(first, first + count):
        p = screen[i]
        x0 = wp.min(x0, p[0])
        y0 = wp.min(y0, p[1])
        x1 = wp.max(x1, p[0])
        y1 = wp.max(y1, p[1])
        cut = cut or p[2] <= wp.float64(0.0)
    if cut:
        return wp.vec4i(0, 0, width, height)
    x0 = wp.max(x0, wp.float64(0.0))
    y0 = wp.max(y0, wp.float64(0.0))
    x1 = wp.min(x1 + wp.float64(2.0), wp.float64(width))
    y1 = wp.min(y1 + wp.float64(2.0), wp.float64(height))
    return wp.vec4i(int(x0), int(y0), int(x1), int(y1))


@wp.kernel(enable_backward=False)
def find_contours(
    screen: wp.array(dtype=wp.vec3d),
    vertices: int,
    nearest: wp.array(dtype=wp.float32),
    state: wp.array(dtype=wp.float64),
    middle: wp.vec3d,
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    width: int,
    height: int,
    settings: LineSettings,
    pixels: wp.array(dtype=wp.int32),
    row_stride: int,
    points: wp.array(dtype=wp.float64),
    lines: wp.array(dtype=wp.float32),
    report: wp.array(dtype=wp.float32),
):
    """Write for each hypothesis points of its contours in object coordinates, and the direction across each.

    ``screen`` holds the ``vertices`` of each hypothesis as they were projected for its drawing.
    """
    b = wp.tid()
    h = hypothesis_of(b, b, view_of[b], views, state)
    base = b * width * height
    rim = int(0)
    creases = int(0)
    least = settings.crease / wp.float32(h.lens.fx)
    # Rim pixels are listed from the front, creases from the back.
    last = base + width * height - 1
    box = drawn_box(screen, b * vertices, vertices, width, height)
    for y in range(wp.max(RIM, box[1]), wp.min(height - RIM, box[3])):
        for x in range(wp.max(RIM, box[0]), wp.min(width - RIM, box[2])):
            here = base + y * width + x
            if nearest[here] > NONE:
                if rim_at(nearest, here, width):
                    pixels[base + rim] = here
                    rim += 1
                elif settings.inner > 0:
                    if is_bent(nearest, here, width, least):
                        pixels[last - creases] = here
                        creases += 1
    rotation = wp.transpose(rotation_of(state, h.state))
    outline_share = wp.float32(settings.outline) / wp.float32(wp.max(rim, 1))
    inner_share = wp.float32(settings.inner) / wp.float32(wp.max(creases, 1))
    count = int(0)
    inners = int(0)
    for k in range(rim + creases):
        outline = k < rim
        here = pixels[base + wp.min(k, rim)]
        share = outline_share
        if not outline:
            here = pixels[last - (k - rim)]
            share = inner_share
        if count < LINE_ROOM and wanted(k, share):
            n = wp.vec2f(NONE, NONE)
            out = NONE
            if outline:
                n = outward(nearest, here, width)
                # The drawn outline lies outside the centres of its rim by half a pixel of the longer axis.
                out = HALF * wp.max(wp.abs(n[0]), wp.abs(n[1]))
            elif is_closed(nearest, here, width):
                c = bend(nearest, here, width)
                if c[2] > least:
                    n = wp.vec2f(c[0], c[1])
            if wp.length(n) > NONE:
                y = (here - base) // width
                u = wp.float64(wp.float32(here - base - y * width) + out * n[0])
                v = wp.float64(wp.float32(y) + out * n[1])
                z = wp.float64(1.0) / wp.float64(nearest[here])
                p = wp.vec3d((u - h.lens.cx) / h.lens.fx * z, (v - h.lens.cy) / h.lens.fy * z, z)
                local = rotation * (p - h.center) + middle
                i = b * row_stride + count
                at = (b * LINE_ROOM + count) * Line.SIZE
                for j in range(3):
                    points[i * 3 + j] = local[j]
                lines[at + Line.NORMAL_X] = n[0]
                lines[at + Line.NORMAL_Y] = n[1]
                lines[at + Line.KIND] = wp.float32(0.0)
                lines[at + Line.INSIDE] = NONE
                lines[at + Line.OUTSIDE] = NONE
                if outline:
                    lines[at + Line.KIND] = wp.float32(1.0)
                    px = wp.float32(here - base - y * width)
                    py = wp.float32(y)
                    lines[at + Line.INSIDE] = goes_on(
                        nearest, base, width, height, px, py, -n[0], -n[1], True
                    )
                    lines[at + Line.OUTSIDE] = goes_on(
                        nearest, base, width, height, px, py, n[0], n[1], False
                    )
                else:
                    inners += 1
                count += 1
    for i in range(count, LINE_ROOM):
        lines[(b * LINE_ROOM + i) * Line.SIZE + Line.KIND] = wp.float32(-1.0)
    report[b * LineReport.SIZE + LineReport.INNER] = wp.float32(inners)
