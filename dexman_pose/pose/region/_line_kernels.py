"""Warp kernel that reads a picture along lines across the contours of a pose.

The likelihood of a contour's place on its line is that of Stoiber et al. (SRT3D, IJCV 2022) with hard steps: the sum of
log-odds up to the place. An edge of the picture is a second voice on the same line.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.region._layout import (
    BINS,
    COLORS,
    LINE_ROOM,
    SPAN,
    STEPS,
    Line,
    LineReport,
    LineSettings,
    Picture,
)
from dexman_pose.pose.region._picture_kernels import is_seen, sector_of
from dexman_pose.pose.solver._layout import Target
from dexman_pose.pose.solver._residual_kernels import hypothesis_of, rotation_of

NONE = wp.constant(wp.float32(0.0))
ONE = wp.constant(wp.float32(1.0))
HALF = wp.constant(wp.float32(0.5))
QUARTER = wp.constant(wp.float32(0.25))
HALF64 = wp.constant(wp.float64(0.5))
UNLIKELY = wp.constant(wp.float32(-12.0))
"""Log of a share of the likeliest place's probability that changes no mean."""
NEAR = wp.constant(wp.float64(0.02))
"""Contour points less than so many metres before the camera are not looked at."""

LONG = STEPS + 2 * SPAN
Steps = wp.types.vector(length=LONG, dtype=wp.float32)
Samples = wp.types.vector(length=2 * LONG + 1, dtype=wp.float32)
Places = wp.types.vector(length=STEPS + 1, dtype=wp.float32)


@wp.struct
class Reading:
    """What a line says.

    The contour's place in image pixels from the line's middle and the variance of it, the log-odds of a step on its
    side, the picture's edge at the middle, and whether the whole line was to be seen.
    """

    mean: wp.float32
    variance: wp.float32
    odds: wp.float32
    edge: wp.float32
    seen: bool


# In C++, because Warp's own functions read a pixel several times as slowly.
_SAMPLE = """
    Samples out;
    const wp::uint8* rgb = picture.rgb.data;
    const wp::uint8* hidden = picture.hidden.shape[0] > 0 ? picture.hidden.data : nullptr;
    const wp::uint8* mask = outline && picture.mask.shape[0] > 0 ? picture.mask.data : nullptr;
    const float* odds = table.data + first;
    const int step = settings.step, stride = settings.stride, width = picture.width;
    const bool edges = settings.edge > 0.0f;
    // A sample stands for the pixels up to the next one: it is taken in their middle.
    const float middle = 0.5f * (float)stride + (float)(-LONG / 2 * step);
    const float temper = settings.temper * (float)stride;
    float before[3] = {0.0f, 0.0f, 0.0f};
    for (int k = -1; k < LONG; ++k) {
        float total = 0.0f;
        int red = 0, green = 0, blue = 0;
        for (int j = 0; j < step; j += stride) {
            const float t = (float)(k * step + j) + middle;
            const int x = (int)(cx + nx * t + 0.5f), y = (int)(cy + ny * t + 0.5f);
            const int i = y * width + x;
            if (hidden && hidden[i]) {
                out[2 * LONG] = 0.0f;
                return out;
            }
            const int r = rgb[3 * i], g = rgb[3 * i + 1], b = rgb[3 * i + 2];
            red += r;
            green += g;
            blue += b;
            if (outline && k >= 0) {
                total += odds[((r * BINS / 256) * BINS + g * BINS / 256) * BINS + b * BINS / 256];
                if (mask) total += mask[i] ? settings.mask : -settings.mask;
            }
        }
        float change = 0.0f;
        if (edges) {
            const float color[3] = {red * settings.share, green * settings.share, blue * settings.share};
            for (int c = 0; c < 3; ++c) {
                const float d = fabsf(color[c] - before[c]);
                change = d > change ? d : change;
                before[c] = color[c];
            }
        }
        if (k >= 0) {
            // Beyond the object's other side, and beyond the gap beside it, colours say nothing of this contour.
            const float at = (float)(k * step) + middle;
            if (outline && ((inside > 0.0f && at < -inside) || (outside > 0.0f && at > outside))) {
                total = 0.0f;
                change = 0.0f;
            }
            total *= temper;
            out[k] = outline ? total / (1.0f + fabsf(total) / settings.limit) : 0.0f;
            out[LONG + k] = change;
        }
    }
    out[2 * LONG] = 1.0f;
    return out;
"""


@wp.func_native(
    _SAMPLE.replace("LONG", str(LONG))
    .replace("BINS", str(BINS))
    .replace("Samples", f"wp::vec_t<{2 * LONG + 1}, wp::float32>")
)
def sample_line(
    picture: Picture,
    table: wp.array(dtype=wp.float32),
    first: int,
    cx: wp.float32,
    cy: wp.float32,
    nx: wp.float32,
    ny: wp.float32,
    inside: wp.float32,
    outside: wp.float32,
    settings: LineSettings,
    outline: bool,
) -> Samples:
    """Log-odds of the steps of a line (LONG), changes of colour before them (LONG), and 1 where nothing hides it.

    Arguments as of :func:`read_line`. Without an outline the log-odds are 0, without edges the changes.
    """
    ...


@wp.func
def edge_place(change: Steps, place: wp.float32, contrast: wp.float32) -> wp.float32:
    """The contour's place to a part of a pixel: the middle of the likeliest change of colour within two pixels of it.

    A change is the likelier the stronger and the nearer it is. ``change`` holds grey levels from step to step. Where
    nothing changes much the place is given back as it is.
    """
    at = LONG // 2 + int(wp.round(place))
    top = at
    best = NONE
    for j in range(-2, 3):
        off = wp.float32(at + j - LONG // 2) - place
        likely = change[at + j] / (ONE + QUARTER * off * off)
        if likely > best:
            best = likely
            top = at + j
    if change[top] < contrast:
        return place
    before = change[top - 1] * change[top - 1]
    here = change[top] * change[top]
    after = change[top + 1] * change[top + 1]
    return wp.float32(top - LONG // 2) + (after - before) / (before + here + after)


@wp.func
def read_line(
    picture: Picture,
    table: wp.array(dtype=wp.float32),
    first: int,
    cx: wp.float32,
    cy: wp.float32,
    nx: wp.float32,
    ny: wp.float32,
    inside: wp.float32,
    outside: wp.float32,
    settings: LineSettings,
    outline: bool,
) -> Reading:
    """Read the picture along the line through (cx, cy), image pixels, along a unit direction out of the object.

    The object goes on for ``inside`` image pixels, the background for ``outside``; 0 or less where that is far.
    """
    out = Reading()
    out.seen = False
    step = settings.step
    reach = wp.float32((LONG // 2 + 1) * step)
    if not is_seen(picture, int(cx + nx * reach + HALF), int(cy + ny * reach + HALF)):
        return out
    if not is_seen(picture, int(cx - nx * reach + HALF), int(cy - ny * reach + HALF)):
        return out
    # The ends are in the picture, so all of the line is.
    read = sample_line(picture, table, first, cx, cy, nx, ny, inside, outside, settings, outline)
    if read[2 * LONG] == NONE:
        return out
    odds = Steps()
    strength = Steps()
    change = Steps()
    for k in range(LONG):
        odds[k] = read[k]
        change[k] = read[LONG + k]
    for k in range(SPAN, SPAN + STEPS + 1):
        strength[k] = change[k] / (change[k] + settings.edge_half)
    # The place d lies before step SPAN + d: everything before it is object, everything behind it background.
    place = Places()
    sum = wp.float32(0.0)
    for k in range(SPAN):
        sum += odds[k]
    most = wp.float32(-1.0e30)
    for d in range(STEPS + 1):
        place[d] = sum + settings.edge * strength[SPAN + d]
        most = wp.max(most, place[d])
        if d < STEPS:
            sum += odds[SPAN + d]
    weight = wp.float32(0.0)
    mean = wp.float32(0.0)
    square = wp.float32(0.0)
    for d in range(STEPS + 1):
        below = place[d] - most
        if below > UNLIKELY:
            p = wp.exp(below)
            at = wp.float32(d - STEPS // 2)
            weight += p
            mean += p * at
            square += p * at * at
    mean = mean / weight
    out.variance = (square / weight - mean * mean) * wp.float32(step * step)
    if step == 1 and settings.contrast > NONE:
        mean = edge_place(change, mean, settings.contrast)
    out.mean = mean * wp.float32(step)
    side = wp.float32(0.0)
    for k in range(SPAN):
        side += odds[LONG // 2 - 1 - k] - odds[LONG // 2 + k]
    out.odds = side / wp.float32(2 * SPAN)
    middle = LONG // 2
    out.edge = wp.max(strength[middle], wp.max(strength[middle - 1], strength[middle + 1]))
    out.seen = True
    return out


@wp.kernel(enable_backward=False)
def read_lines(
    state: wp.array(dtype=wp.float64),
    middle: wp.vec3d,
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    picture: Picture,
    table: wp.array(dtype=wp.float32),
    table_stride: int,
    settings: LineSettings,
    row_stride: int,
    kinds: wp.array(dtype=wp.int32),
    points: wp.array(dtype=wp.float64),
    targets: wp.array(dtype=wp.float64),
    lines: wp.array(dtype=wp.float32),
    report: wp.array(dtype=wp.float32),
):
    """Write where on its line each contour point of a hypothesis should be, and how sure that is.

    ``lines`` holds per line: image pixel x, y of the contour, direction x, y, 1 for an outline, 0 for an inner edge.
    """
    b = wp.tid()
    h = hypothesis_of(b, b, view_of[b], views, state)
    rotation = rotation_of(state, h.state)
    scale = wp.float64(picture.scale)
    agree = NONE
    offset = NONE
    outlines = NONE
    hidden = NONE
    odds = NONE
    edges = NONE
    for k in range(LINE_ROOM):
        i = b * row_stride + k
        at = (b * LINE_ROOM + k) * Line.SIZE
        t = i * Target.SIZE
        targets[t + Target.WEIGHT] = wp.float64(0.0)
        kinds[i] = settings.kind
        flag = lines[at + Line.KIND]
        if flag > wp.float32(-0.5):
            outline = flag > HALF
            local = wp.vec3d(points[i * 3], points[i * 3 + 1], points[i * 3 + 2]) - middle
            p = rotation * local + h.center
            if p[2] > NEAR and (outline or settings.inner > 0):
                u = h.lens.fx * p[0] / p[2] + h.lens.cx
                v = h.lens.fy * p[1] / p[2] + h.lens.cy
                ix = wp.float32((u + HALF64) / scale - HALF64) + picture.x0
                iy = wp.float32((v + HALF64) / scale - HALF64) + picture.y0
                nx = lines[at + Line.NORMAL_X]
                ny = lines[at + Line.NORMAL_Y]
                lines[at + Line.X] = ix
                lines[at + Line.Y] = iy
                first = b * table_stride + sector_of(nx, ny) * COLORS
                inside = lines[at + Line.INSIDE] / picture.scale
                outside = lines[at + Line.OUTSIDE] / picture.scale
                r = read_line(picture, table, first, ix, iy, nx, ny, inside, outside, settings, outline)
                if r.seen:
                    weight = settings.weight
                    if not outline:
                        weight = settings.inner_weight
                    weight = weight / (r.variance + settings.least_sigma * settings.least_sigma)
                    targets[t + Target.PIXEL_X] = u + wp.float64(r.mean * nx) * scale
                    targets[t + Target.PIXEL_Y] = v + wp.float64(r.mean * ny) * scale
                    targets[t + Target.NORMAL_X] = wp.float64(nx)
                    targets[t + Target.NORMAL_Y] = wp.float64(ny)
                    targets[t + Target.WEIGHT] = wp.float64(weight)
                    if outline:
                        outlines += ONE
                        odds += r.odds
                        edges += r.edge
                        offset += wp.abs(r.mean)
                        if wp.abs(r.mean) < wp.float32(2.0):
                            agree += ONE
                elif outline:
                    hidden += ONE
    to = b * LineReport.SIZE
    report[to + LineReport.OUTLINE] = outlines
    report[to + LineReport.HIDDEN] = hidden
    report[to + LineReport.AGREE] = agree
    report[to + LineReport.OFFSET] = offset
    report[to + LineReport.ODDS] = odds
    report[to + LineReport.EDGE] = edges
