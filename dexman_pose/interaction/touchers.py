"""Which finger tips, and whether the palm, touch what a hand grips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.interaction.probes import PALM, RADII, TIPS, TOUCHERS
from dexman_pose.interaction.surface import Tangents


def chosen_touchers(
    near: Tangents, points: Array, gripped: NDArray[np.bool_], gate: float, fewest: int
) -> NDArray[np.bool_]:
    """(T, 6) which of ``TOUCHERS`` touch: those within a gate, and those nearest that close a grip in any case.

    The decision is one for the whole grip, by the middle of the gaps, so that fingers do not come and go.

    Args:
        near: the surface.
        points: (T, 42, 3) the probes.
        gripped: (T,).
        gate: metres.
        fewest: fingers beside thumb or palm.
    """
    gap = (near.at(points) - RADII)[:, list(TOUCHERS)]
    out = np.zeros(gap.shape, np.bool_)
    known = gripped & near.valid
    if not known.any():
        return out
    usual = np.median(gap[known], axis=0)
    touching = usual < gate
    thumb, palm = 0, TOUCHERS.index(PALM)
    touching[thumb if usual[thumb] <= usual[palm] else palm] = True
    touching[np.argsort(usual[1 : len(TIPS)])[:fewest] + 1] = True
    out[known] = touching
    return out
