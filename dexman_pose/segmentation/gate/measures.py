"""The few numbers of a mask that the gate judges by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import MaskSequence


@dataclass(frozen=True)
class Measures:
    """Of one object in T frames. Rows of frames without a mask are zeros, and not ``present``.

    Attributes:
        areas: (T,) pixels.
        middles: (T, 2) x, y, pixels.
        sides: (T,) longer side of the box around the mask, pixels.
    """

    areas: Array
    middles: Array
    sides: Array

    @property
    def present(self) -> NDArray[np.bool_]:
        """(T,) frames with a mask."""
        return self.areas > 0

    def taken(self, order: NDArray[np.int64]) -> Measures:
        """Of some frames, in an order."""
        return Measures(self.areas[order], self.middles[order], self.sides[order])


def measures_of(masks: MaskSequence) -> dict[str, Measures]:
    """Measure all masks of a clip, each label image read once."""
    count, names = masks.num_frames, masks.names
    found = {name: Measures(np.zeros(count), np.zeros((count, 2)), np.zeros(count)) for name in names}
    for frame in range(count):
        labels = masks.labels(frame)
        for name, one in found.items():
            mask = labels == masks.label_of(name)
            columns, rows = mask.sum(0), mask.sum(1)
            area = int(rows.sum())
            if area == 0:
                continue
            xs, ys = np.flatnonzero(columns), np.flatnonzero(rows)
            one.areas[frame] = area
            one.middles[frame] = columns[xs] @ xs / area, rows[ys] @ ys / area
            one.sides[frame] = max(xs[-1] - xs[0], ys[-1] - ys[0]) + 1
    return found
