"""Where objects are looked for: windows of the current frame, and regions that flow is computed in."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from dexman_pose.arrays import Gray
from dexman_pose.imaging.masks import Window, window_around
from dexman_pose.imaging.windows import around_both, overlap, shape_of, widened
from dexman_pose.segmentation.grabcut.motion import ObjectMotion
from dexman_pose.segmentation.grabcut.options import PropagationOptions
from dexman_pose.segmentation.grabcut.state import ObjectState


def core_window(state: ObjectState, options: PropagationOptions) -> Window | None:
    """The window of the last frame that holds the object, seen or hidden; None where nothing of it is left."""
    core = window_around(state.support > options.core, 0)
    if core is None:
        return None
    rows, cols = (slice(s.start + own.start, s.stop + own.start) for s, own in zip(core, state.window))
    return rows, cols


def search_margin(state: ObjectState, options: PropagationOptions) -> int:
    """How far in pixels beyond its prediction an object is looked for: a fraction of its size."""
    size = np.sqrt(np.count_nonzero(state.support > options.core))
    return int(np.clip(options.search_margin * size, *options.search_limits))


def window_of(
    state: ObjectState, motion: ObjectMotion, shape: tuple[int, ...], options: PropagationOptions
) -> Window:
    """The window of the current frame, of a shape (H, W), that may hold the object."""
    core = core_window(state, options)
    start = (
        (slice(0, shape[0]), slice(0, shape[1]))
        if core is None
        else widened(core, options.core_margin, shape)
    )
    margin = search_margin(state, options) + round(options.search_per_step * motion.speed)
    rows, cols = start
    corners = np.array([[x, y] for x in (cols.start, cols.stop) for y in (rows.start, rows.stop)], float)
    moved = corners @ motion.matrix[:, :2].T + motion.matrix[:, 2]
    low = np.clip(np.floor(moved.min(0)) - margin, 0, [shape[1] - 2, shape[0] - 2]).astype(int)
    high = np.clip(np.ceil(moved.max(0)) + margin, low + 2, [shape[1], shape[0]]).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def flow_regions(
    states: list[ObjectState], moved: list[float], shape: tuple[int, ...], options: PropagationOptions
) -> list[Window | None]:
    """The region of each object in which flow is needed; None for lost ones, one window for those that overlap.

    Args:
        states: the objects.
        moved: pixels that each has moved since the last frame, roughly.
        shape: of the frames, (H, W).
        options: margins.
    """
    regions: list[Window | None] = []
    for state, step in zip(states, moved):
        core = core_window(state, options) if state.frames_lost == 0 else None
        if core is None:
            regions.append(None)
            continue
        reach = max(shape_of(core)) * options.flow_margin
        region = widened(core, search_margin(state, options) + round(reach + step), shape)
        regions.append(region if min(shape_of(region)) > options.least_side else None)
    return _merged(regions)


def _merged(regions: list[Window | None]) -> list[Window | None]:
    """The regions, those that overlap replaced by one that holds both as long as that is no larger."""
    for a, b in itertools.combinations([r for r in regions if r is not None], 2):
        if a is not b and _shareable(a, b):
            both = around_both(a, b)
            return _merged([both if r is a or r is b else r for r in regions])
    return regions


def _shareable(a: Window, b: Window) -> bool:
    """Whether flow around both takes no longer than around each."""
    area = [shape_of(w)[0] * shape_of(w)[1] for w in (a, b, around_both(a, b))]
    return overlap(a, b) and area[2] <= area[0] + area[1]


def unchanged(state: ObjectState, small: Gray, shape: tuple[int, ...], levels: int) -> bool:
    """Whether the surroundings of an object in sight look as they did when its mask was made.

    Args:
        state: the object.
        small: the current frame, grey and reduced.
        shape: of the frames, (H, W).
        levels: of grey, the largest change of three by three pixels that is noise.
    """
    before = state.looked
    if before is None or state.frames_lost > 0:
        return False
    rows, cols = (
        slice(s.start * n // size, -(-s.stop * n // size))
        for s, n, size in zip(state.window, small.shape, shape)
    )
    then, now = (cv2.blur(np.ascontiguousarray(image[rows, cols]), (3, 3)) for image in (before, small))
    return int(cv2.absdiff(then, now).max()) <= levels
