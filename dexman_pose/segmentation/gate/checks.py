"""The judgements of the gate: pure functions of a few numbers per frame."""

from __future__ import annotations

from collections import deque
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from dexman_pose.segmentation.gate.measures import Measures
from dexman_pose.segmentation.gate.options import DEFAULTS, GateOptions

Codes = NDArray[np.uint8]


class Fault(IntFlag):
    """What is wrong with a mask; they add up."""

    LARGE = 1
    """Suddenly much larger than usual: it holds something else too."""
    JUMP = 2
    """Farther from its last place than the object can move: it may be something else."""
    SMALL = 4
    """Suddenly much smaller than usual: hidden, or most of it is missing."""
    FLICKER = 8
    """Small for a moment, between frames that agree with each other."""
    LASTING = 16
    """After a leak or a jump that did not end."""
    EXCHANGED = 32
    """It has changed places with another object."""
    SHOWN_AGAIN = 64
    """It had turned away from a pose followed beside it, and was shown to the network again: no fault of this mask."""


def outward(
    measures: Measures, options: GateOptions = DEFAULTS, trusted: NDArray[np.bool_] | None = None
) -> Codes:
    """Judge masks one by one, away from a first one that is trusted.

    A mask that follows from those before it is accepted and tells what is usual for those after it.

    Args:
        measures: of T frames, the trusted one first.
        options: thresholds.
        trusted: (T,) other frames whose masks are trusted; what was usual before them is forgotten, and what is usual
            now is for the frames after them to tell: such masks may be of a part.

    Returns:
        (T,) sums of :class:`Fault`: LARGE, JUMP, SMALL, LASTING.
    """
    codes = np.zeros(len(measures.areas), np.uint8)
    areas: deque[float] = deque(maxlen=options.recent)
    sides: deque[float] = deque(maxlen=options.recent)
    last, step, kept, since, run, lasting = np.zeros(2), np.zeros(2), 0, 1, 0, False
    for k in np.flatnonzero(measures.present):
        area, middle = measures.areas[k], measures.middles[k]
        if trusted is not None and trusted[k]:
            areas.clear()
            sides.clear()
            last, step, kept, run, lasting = middle, np.zeros(2), int(k), 0, False
            continue
        fault = Fault(0)
        if areas:
            # Frames without a mask give it time to move; frames with a wrong one do not.
            usual, since = float(np.median(areas)), int(k - kept) - run
            reach = options.jump * float(np.median(sides)) * since + 2 * float(np.hypot(*step)) * since
            fault |= Fault.LARGE if area > options.large * usual else Fault(0)
            fault |= Fault.JUMP if float(np.hypot(*(middle - last))) > reach else Fault(0)
            fault |= Fault.SMALL if area * options.small < usual else Fault(0)
        run = run + 1 if fault else 0
        if run > options.patience:
            lasting |= bool(fault & (Fault.LARGE | Fault.JUMP))
            areas.clear()
            sides.clear()
            fault, run = Fault(0), 0
        if not fault:
            step = (middle - last) / (k - kept) if areas else np.zeros(2)
            areas.append(area)
            sides.append(measures.sides[k])
            last, kept = middle, int(k)
        codes[k] = fault | (Fault.LASTING if lasting else 0)
    return codes


def flicker(measures: Measures, options: GateOptions = DEFAULTS) -> Codes:
    """Find short runs of small masks between two that agree in area.

    Returns:
        (T,) FLICKER or 0. Frames without any mask are not marked: there is nothing to be marked.
    """
    areas = measures.areas
    codes = np.zeros(len(areas), np.uint8)
    for start in range(1, len(areas)):
        before = areas[start - 1]
        if before == 0 or areas[start] * options.small >= before:
            continue
        for stop in range(start + 1, min(start + options.brief, len(areas) - 1) + 1):
            if areas[stop] * options.small < before:
                continue
            ratio = max(areas[stop], before) / min(areas[stop], before)
            if ratio <= options.agree:
                inside = slice(start, stop)
                codes[inside][areas[inside] > 0] = Fault.FLICKER
            break
    return codes


def exchanges(one: Measures, other: Measures, options: GateOptions = DEFAULTS) -> NDArray[np.bool_]:
    """Find the frames from which on two objects have each other's places.

    Args:
        one: of T frames.
        other: of the same frames.

    Returns:
        (T,) bool, True in frames in which they changed places since the frame before.
    """
    both = np.flatnonzero(one.present & other.present)
    out = np.zeros(len(one.areas), bool)
    if len(both) < 2:
        return out
    before, now = both[:-1], both[1:]
    stayed = _far(one, now, one, before) + _far(other, now, other, before)
    crossed = _far(one, now, other, before) + _far(other, now, one, before)
    apart = _far(one, before, other, before)
    reach = options.jump * np.minimum(one.sides[before], other.sides[before])
    # Objects that touch may seem to do so by a pixel: they must have been apart.
    out[now] = (crossed < options.exchange * stayed) & (apart > reach)
    return out


def _far(
    one: Measures, at: NDArray[np.int64], other: Measures, where: NDArray[np.int64]
) -> NDArray[np.float64]:
    return np.linalg.norm(one.middles[at] - other.middles[where], axis=1)
