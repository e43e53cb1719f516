"""An outline parted into its body and what is thin and sticks out: handles, spouts, stalks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.meshing.hypotheses.options import OutlineOptions

_DEFAULTS = OutlineOptions()


def body_and_appendages(
    mask: NDArray[np.bool_], options: OutlineOptions = _DEFAULTS
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The outline without its thin parts, and the thin parts alone; the latter is empty where nothing sticks out.

    Args:
        mask: (h, w) cells, holes of handles open.
        options: what is thin.
    """
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    radius = options.thin * float(depth.max())
    if radius < 2:
        return mask, np.zeros_like(mask)
    padded = np.pad(mask, int(radius) + 2)
    away = cv2.distanceTransform(padded.astype(np.uint8), cv2.DIST_L2, 5) <= radius
    grown = cv2.distanceTransform(away.astype(np.uint8), cv2.DIST_L2, 5) < radius + 0.5
    margin = int(radius) + 2
    core = grown[margin:-margin, margin:-margin] & mask
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (mask & ~core).astype(np.uint8), connectivity=4
    )
    thin = np.zeros_like(mask)
    for k in range(1, count):
        part = labels == k
        reach = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 5)[part].max()
        if stats[k, cv2.CC_STAT_AREA] >= options.appendage * mask.sum() and reach > 0.5 * radius:
            thin |= part
    return mask & ~thin, thin
