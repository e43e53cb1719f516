"""Warp kernels of the part of an image that a mesh can reach: only that part is cleared and looked at.

Buffers keep the layout of whole images. What lies outside the box of its image holds whatever was there, and nothing
reads it.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.render._raster_kernels import ZERO

BEFORE = wp.constant(wp.float64(1.0))
"""Pixels before the first vertex: a pair of neighbours begins one earlier."""

BEHIND = wp.constant(wp.float64(3.0))
"""Pixels from the last vertex to the end of the box, which is exclusive: the pixel, its neighbour, the end."""


@wp.kernel(enable_backward=False)
def find_boxes(
    screen: wp.array(dtype=wp.vec3d),
    vertices: int,
    width: int,
    height: int,
    stride: int,
    boxes: wp.array(dtype=wp.int32),
) -> None:
    """Widen the box (x0, y0, x1, y1) of every image to hold its vertices; one before the near plane takes it all."""
    b, start = wp.tid()
    wide = wp.float64(width)
    high = wp.float64(height)
    x0 = wide
    y0 = high
    x1 = ZERO
    y1 = ZERO
    for i in range(start, vertices, stride):
        p = screen[b * vertices + i]
        if p[2] == ZERO:
            x0 = ZERO
            y0 = ZERO
            x1 = wide
            y1 = high
        else:
            x0 = wp.min(x0, p[0] - BEFORE)
            y0 = wp.min(y0, p[1] - BEFORE)
            x1 = wp.max(x1, p[0] + BEHIND)
            y1 = wp.max(y1, p[1] + BEHIND)
    wp.atomic_min(boxes, 4 * b, int(wp.floor(wp.clamp(x0, ZERO, wide))))
    wp.atomic_min(boxes, 4 * b + 1, int(wp.floor(wp.clamp(y0, ZERO, high))))
    wp.atomic_max(boxes, 4 * b + 2, int(wp.floor(wp.clamp(x1, ZERO, wide))))
    wp.atomic_max(boxes, 4 * b + 3, int(wp.floor(wp.clamp(y1, ZERO, high))))


@wp.kernel(enable_backward=False)
def clear_boxes(
    boxes: wp.array(dtype=wp.int32),
    width: int,
    height: int,
    row_step: int,
    part: int,
    keys: wp.array(dtype=wp.uint64),
    crossings: wp.array(dtype=wp.uint64),
) -> None:
    """Empty the keys, and the crossings of both kinds of pairs, within the boxes."""
    b, first_row, column = wp.tid()
    start = boxes[4 * b] + column * part
    stop = wp.min(boxes[4 * b + 2], start + part)
    pixels = width * height
    nothing = wp.uint64(0)
    for y in range(boxes[4 * b + 1] + first_row, boxes[4 * b + 3], row_step):
        for x in range(start, stop):
            i = y * width + x
            keys[b * pixels + i] = nothing
            crossings[2 * b * pixels + i] = nothing
            crossings[2 * b * pixels + pixels + i] = nothing
