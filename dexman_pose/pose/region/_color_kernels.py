"""Warp kernels that learn what object and background look like on both sides of an outline."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors
# ruff: noqa: UP018

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.region._layout import COLORS, LINE_ROOM, SECTORS, Line, Picture
from dexman_pose.pose.region._picture_kernels import bin_at, is_seen, sector_of


@wp.kernel(enable_backward=False)
def count_colors(
    lines: wp.array(dtype=wp.float32),
    nearest: wp.array(dtype=wp.float32),
    width: int,
    height: int,
    picture: Picture,
    inwards: int,
    outwards: int,
    gap: int,
    counts: wp.array(dtype=wp.float32),
    totals: wp.array(dtype=wp.float32),
):
    """Count colours along the outline lines, inside and outside, per sector; ``counts`` (2, SECTORS, COLORS)."""
    b = wp.tid()
    for i in range(b * LINE_ROOM, (b + 1) * LINE_ROOM):
        at = i * Line.SIZE
        if lines[at + Line.KIND] > wp.float32(0.5):
            nx = lines[at + Line.NORMAL_X]
            ny = lines[at + Line.NORMAL_Y]
            sector = b * 2 * SECTORS + sector_of(nx, ny)
            first = sector * COLORS
            for k in range(gap - inwards - gap, outwards + gap + 1):
                if k <= -gap or k >= gap:
                    t = wp.float32(k)
                    x = int(lines[at + Line.X] + nx * t + wp.float32(0.5))
                    y = int(lines[at + Line.Y] + ny * t + wp.float32(0.5))
                    if is_seen(picture, x, y):
                        wx = int((wp.float32(x) + wp.float32(0.5) - picture.x0) * picture.scale)
                        wy = int((wp.float32(y) + wp.float32(0.5) - picture.y0) * picture.scale)
                        drawn = bool(False)
                        if wx >= 0 and wy >= 0 and wx < width and wy < height:
                            drawn = nearest[(b * height + wy) * width + wx] > wp.float32(0.0)
                        c = bin_at(picture, x, y)
                        if k < 0 and drawn:
                            counts[first + c] += wp.float32(1.0)
                            totals[sector] += wp.float32(1.0)
                        elif k > 0 and not drawn:
                            counts[first + SECTORS * COLORS + c] += wp.float32(1.0)
                            totals[sector + SECTORS] += wp.float32(1.0)


@wp.func
def rate_of(rate: wp.float32, count: wp.float32) -> wp.float32:
    """How much of what was counted joins what is known: few pixels say little."""
    if rate >= wp.float32(1.0):
        return rate
    return rate * count / (count + wp.float32(50.0))


@wp.kernel(enable_backward=False)
def blend_colors(
    counts: wp.array(dtype=wp.float32),
    totals: wp.array(dtype=wp.float32),
    rate: wp.float32,
    local: wp.float32,
    floor: wp.float32,
    shares: wp.array(dtype=wp.float32),
    table: wp.array(dtype=wp.float32),
):
    """Blend counts into the shares of colours and write the log-odds of each colour; empties the counts.

    ``shares`` (2, SECTORS + 1, COLORS): of each sector, and of all together last; ``totals`` (2, SECTORS) pixels.
    """
    b = wp.tid()
    side = (SECTORS + 1) * COLORS
    for which in range(2):
        first = (b * 2 + which) * SECTORS * COLORS
        to = (b * 2 + which) * side
        all = wp.float32(0.0)
        for s in range(SECTORS):
            total = totals[(b * 2 + which) * SECTORS + s]
            all += total
            # Whoever begins anew forgets the sectors too in which nothing is seen this time.
            if total > wp.float32(0.0) or rate >= wp.float32(1.0):
                r = rate_of(rate, total)
                keep = wp.float32(1.0) - r
                add = r / wp.max(total, wp.float32(1.0))
                for c in range(COLORS):
                    shares[to + s * COLORS + c] = (
                        shares[to + s * COLORS + c] * keep + add * counts[first + s * COLORS + c]
                    )
        if all > wp.float32(0.0) or rate >= wp.float32(1.0):
            keep = wp.float32(1.0) - rate
            add = rate / wp.max(all, wp.float32(1.0))
            for c in range(COLORS):
                shares[to + SECTORS * COLORS + c] *= keep
            for s in range(SECTORS):
                if totals[(b * 2 + which) * SECTORS + s] > wp.float32(0.0):
                    for c in range(COLORS):
                        shares[to + SECTORS * COLORS + c] += add * counts[first + s * COLORS + c]
                        counts[first + s * COLORS + c] = wp.float32(0.0)
                totals[(b * 2 + which) * SECTORS + s] = wp.float32(0.0)
    near = b * 2 * side
    far = near + side
    remote = wp.float32(1.0) - local
    for c in range(COLORS):
        object = shares[near + SECTORS * COLORS + c]
        ground = shares[far + SECTORS * COLORS + c]
        if object + ground < wp.float32(0.04) * floor:
            for s in range(SECTORS):
                table[(b * SECTORS + s) * COLORS + c] = wp.float32(0.0)
        else:
            object = remote * object + floor
            ground = remote * ground + floor
            for s in range(SECTORS):
                f = local * shares[near + s * COLORS + c] + object
                g = local * shares[far + s * COLORS + c] + ground
                table[(b * SECTORS + s) * COLORS + c] = wp.log(f / g)
