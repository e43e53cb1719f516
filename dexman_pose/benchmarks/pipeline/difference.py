"""How far the results of two runs are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.pipeline.process import Run
from dexman_pose.metrics.poses import rotation_error, translation_error


@dataclass(frozen=True)
class Difference:
    """The results for one object; NaN where there is nothing to compare.

    Attributes:
        frames: that are valid in both runs.
        own_valid: valid frames of this checkout.
        other_valid: valid frames of the other.
        mm: median and largest distance of the origins, over the frames valid in both.
        deg: median and largest angle.
        iou: median and smallest overlap of the masks, over frames in which one of them has a mask.
    """

    frames: int
    own_valid: int
    other_valid: int
    mm: tuple[float, float]
    deg: tuple[float, float]
    iou: tuple[float, float]


def difference(own: Run, other: Run) -> dict[str, Difference]:
    """Compare the objects that both runs have."""
    return {name: _object(name, own, other) for name in own.poses if name in other.poses}


def _object(name: str, own: Run, other: Run) -> Difference:
    count = min(len(own.poses[name]), len(other.poses[name]))
    a, b = own.valid[name][:count], other.valid[name][:count]
    both = a & b
    one, two = own.poses[name][:count][both], other.poses[name][:count][both]
    overlap = _overlap(own.masks.get(name), other.masks.get(name))
    return Difference(
        int(both.sum()),
        int(a.sum()),
        int(b.sum()),
        _median_and(np.max, 1e3 * translation_error(one, two)),
        _median_and(np.max, np.degrees(rotation_error(one, two))),
        _median_and(np.min, overlap),
    )


def _median_and(extreme: Any, values: Array) -> tuple[float, float]:
    if values.size == 0:
        return float("nan"), float("nan")
    return float(np.median(values)), float(extreme(values))


def _overlap(own: Any, other: Any) -> Array:
    """Intersection over union per frame, of bits (T, bytes); nothing where a run has no masks or of another size."""
    if own is None or other is None or own.shape[1:] != other.shape[1:]:
        return np.zeros(0)
    count = min(len(own), len(other))
    shared = np.array([np.unpackbits(own[i] & other[i]).sum() for i in range(count)], np.float64)
    either = np.array([np.unpackbits(own[i] | other[i]).sum() for i in range(count)], np.float64)
    out: Array = shared[either > 0] / either[either > 0]
    return out
