"""Bodies of revolution within outlines: bowls, cups, bottles, cans.

About a given axis, the largest body is that of all rings which every view sees within its outline: a visual hull
(Laurentini, 1994) whose cross-sections are circles. Its two ends are cones that no outline speaks for; they are cut
off where they begin to add to the outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.meshing.hypotheses.options import RevolvedOptions
from dexman_pose.meshing.hypotheses.outlines import Outline, outside_all, signed_distance

_DEFAULTS = RevolvedOptions()


@dataclass(frozen=True, eq=False)
class Profile:
    """A body of revolution.

    Attributes:
        axis: (3,) unit, object frame.
        base: (3,) the point of the axis at height 0, object frame.
        heights: (N,) metres along the axis, rising.
        radii: (N,) metres.
    """

    axis: Array
    base: Array
    heights: Array
    radii: Array


def revolved_profile(
    views: Sequence[Outline],
    axis: Array,
    *,
    body: NDArray[np.bool_] | None = None,
    options: RevolvedOptions = _DEFAULTS,
) -> Profile | None:
    """The largest body of revolution about an axis of a given direction; None where there is none.

    Args:
        views: the first one places the axis: half way across its outline.
        axis: (3,) unit, object frame.
        body: cells of the first outline that belong to the body, without its handles.
        options: of the grid.
    """
    from scipy.ndimage import gaussian_filter1d

    first = views[0]
    cells = first.small if body is None else body
    field = None if body is None else signed_distance(body)
    base = axis_place(first, cells, axis)
    size = first.size
    slant = float(np.linalg.norm(axis[:2]))
    reach = options.reach * size * (0.5 + 0.5 / max(slant, 0.25))
    heights = np.linspace(-reach, reach, options.heights * 2)
    radii = np.linspace(0.0, 0.5 * options.reach * size, options.radii)
    rings = ring_points(base, axis, heights, radii, options.angles)
    outside = outside_all(rings.reshape(-1, options.angles, 3), views, field).reshape(
        len(heights), len(radii)
    )
    widest = _last_inside(outside, radii)
    if not (widest > 0).any():
        return None
    widest = _one_run(widest)
    keep = widest > options.least_radius * widest.max()
    if keep.sum() < 4:
        return None
    heights, widest = heights[keep], widest[keep]
    ends = [
        _useful(view, cells if k == 0 else view.small, base, axis, heights, widest, options)
        for k, view in enumerate(views)
    ]
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    low, high = _deepened(low, high, heights, widest, options)
    if high - low < 3:
        return None
    inner = gaussian_filter1d(widest[low:high], options.smooth, mode="nearest")
    return Profile(axis, base, heights[low:high], inner)


def axis_place(view: Outline, cells: NDArray[np.bool_], axis: Array) -> Array:
    """(3,) the point nearest to the origin on the axis, object frame: it halves the outline."""
    origin = view.cells(np.zeros((1, 3)))[0]
    toward = view.cells((0.1 * view.size * axis)[None])[0] - origin
    length = float(np.linalg.norm(toward))
    y, x = np.nonzero(cells)
    at = np.stack([x, y], 1) - origin
    if length < 0.02 * 0.1 * view.size / view.metres_per_cell:
        middle = 0.5 * (at.min(0) + at.max(0))
    else:
        along, side = toward / length, np.array([-toward[1], toward[0]]) / length
        rows = np.round(at @ along).astype(int)
        rows -= rows.min()
        off = at @ side
        low, high = np.full(rows.max() + 1, np.inf), np.full(rows.max() + 1, -np.inf)
        np.minimum.at(low, rows, off)
        np.maximum.at(high, rows, off)
        some = np.isfinite(low)
        width = (high - low)[some] + 1.0
        middles = 0.5 * (high[some] + low[some])
        order = np.argsort(middles)
        share = np.cumsum(width[order]) / width.sum()
        middle = middles[order][int(np.searchsorted(share, 0.5))] * side
    to_object = view.camera_from_object[:3, :3].T
    point: Array = to_object @ np.array([middle[0], middle[1], 0.0]) * view.metres_per_cell
    if length >= 0.02 * 0.1 * view.size / view.metres_per_cell:
        point = point - (point @ axis) * axis
    return point


def ring_points(base: Array, axis: Array, heights: Array, radii: Array, angles: int) -> Array:
    """(H, R, A, 3) points of rings about an axis."""
    u, v = across(axis)
    turn = np.linspace(0, 2 * np.pi, angles, endpoint=False)
    circle = np.cos(turn)[:, None] * u + np.sin(turn)[:, None] * v
    out: Array = base + heights[:, None, None, None] * axis + radii[None, :, None, None] * circle[None, None]
    return out


def across(axis: Array) -> tuple[Array, Array]:
    """Two unit vectors that make a right-handed frame with a third, which comes last."""
    helper = np.eye(3)[int(np.argmin(np.abs(axis)))]
    u = np.cross(helper, axis)
    u /= np.linalg.norm(u)
    return u, np.cross(axis, u)


def _last_inside(outside: Array, radii: Array) -> Array:
    """(H,) radius at which the rings of a height leave the outline, 0 where none is inside."""
    inside = outside <= 0
    first_out = np.where(inside.all(1), len(radii) - 1, np.argmin(inside, axis=1))
    rows = np.arange(len(outside))
    before = np.maximum(first_out - 1, 0)
    a, b = outside[rows, before], outside[rows, first_out]
    share = np.clip(np.where(b > a, -a / np.where(b > a, b - a, 1.0), 1.0), 0.0, 1.0)
    out: Array = np.where(inside[:, 0], radii[before] + share * (radii[first_out] - radii[before]), 0.0)
    return out


def _one_run(radii: Array) -> Array:
    """Radii with all but the run around the widest set to 0."""
    widest = int(radii.argmax())
    closed = np.nonzero(radii <= 0)[0]
    low = closed[closed < widest].max(initial=-1) + 1
    high = closed[closed > widest].min(initial=len(radii))
    out = np.zeros_like(radii)
    out[low:high] = radii[low:high]
    return out


def _deepened(low: int, high: int, heights: Array, radii: Array, options: RevolvedOptions) -> tuple[int, int]:
    """Rings below added to a body flatter than vessels are, as long as the outline hides them."""
    wanted = 2.0 * options.flattest * float(radii.max())
    while low > 0 and heights[high - 1] - heights[low] < wanted:
        if radii[low - 1] < options.foot * radii.max():
            break
        low -= 1
    return low, high


def _useful(
    view: Outline,
    cells: NDArray[np.bool_],
    base: Array,
    axis: Array,
    heights: Array,
    radii: Array,
    options: RevolvedOptions,
) -> tuple[int, int]:
    """First and last but one of the rings without which the outline would not be filled."""
    u, v = across(axis)
    turn = np.linspace(0, 2 * np.pi, options.angles, endpoint=False)
    circle = np.cos(turn)[:, None] * u + np.sin(turn)[:, None] * v
    rings = base + heights[:, None, None] * axis + radii[:, None, None] * circle[None]
    drawn = np.round(view.cells(rings.reshape(-1, 3)).reshape(len(heights), -1, 2)).astype(np.int32)
    bands = [cv2.convexHull(np.concatenate([drawn[i], drawn[i + 1]])) for i in range(len(heights) - 1)]
    limit = 0.5 * options.useless * float(cells.sum())
    ends = []
    for order in (range(len(bands)), range(len(bands) - 1, -1, -1)):
        canvas = np.zeros(cells.shape, np.uint8)
        added, last = [], 0
        for k in order:
            cv2.fillConvexPoly(canvas, bands[k], 1)
            now = int(np.count_nonzero(canvas & cells))
            added.append(now - last)
            last = now
        lost = np.cumsum(added[::-1])
        ends.append(int(np.searchsorted(lost, limit, side="right")))
    high = len(heights) - ends[0]
    low = ends[1]
    return low, high
