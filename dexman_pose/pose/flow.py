"""Points of one picture found in another by optical flow, checked both ways."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Gray = NDArray[np.uint8]

_LK: dict[str, Any] = {
    "winSize": (15, 15),
    "maxLevel": 2,
    "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01),
    "minEigThreshold": 1e-3,
}
# The way back begins where it should end: whoever leaves from there was wrong, and no pyramid is needed to see it.
_LK_BACK = _LK | {"maxLevel": 0, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
_RETURNS = 0.7  # pixels from where it left to where a point comes back


def flow_both_ways(
    first: Gray, second: Gray, points: NDArray[np.floating]
) -> tuple[Array, NDArray[np.bool_]]:
    """Where points of one picture are in another that shows them nearly in the same places.

    Args:
        first: (h, w) uint8.
        second: the same size.
        points: (N, 2) pixels of ``first``, N at least 1.

    Returns:
        Pixels (N, 2) of ``second``, and (N,) whether they were found, and led back to where they came from.
    """
    start = np.ascontiguousarray(points, np.float32).reshape(-1, 1, 2)
    moved, there, _ = cv2.calcOpticalFlowPyrLK(first, second, start, np.zeros_like(start), **_LK)
    back, again, _ = cv2.calcOpticalFlowPyrLK(second, first, moved, start.copy(), **_LK_BACK)
    found: NDArray[np.bool_] = (there[:, 0] == 1) & (again[:, 0] == 1)
    found &= np.linalg.norm((back - start)[:, 0], axis=1) < _RETURNS
    return np.nan_to_num(moved[:, 0]).astype(np.float64), found
