"""How far away a palm is, by its size in the picture, whichever way it is turned.

A palm is nearly flat. Seen from far, a flat thing of known shape is an affine map of itself: foreshortening makes the
smaller singular value of the map smaller and leaves the larger one alone, which is focal length over depth. No guess
of the hand's turn is needed, and no average of how far hands are turned away.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dexman_pose.arrays import Array

PALM: Final = (0, 5, 9, 13, 17)
"""Joints of the palm: wrist and knuckles."""

FAN: Final = 0.25
"""Radians between two metacarpal bones that lie side by side. In measured grasps of DexYCB: 0.23 to 0.26."""

MARKED: Final = 0.94
"""Length of a palm between the points that the landmark network marks, over that between a hand's joints.

The network marks wrists nearer to the knuckles than where they bend: in rendered films of measured hands the palm so
seen is 0.94 times as long in the median of 21 hands, and 0.91 to 0.96 times for the middle half of them.
"""


def palm_plan(lengths: Array) -> Array:
    """(5, 2) metres, the joints of :data:`PALM` of a hand with bone lengths (21,), laid flat, their mean at zero."""
    angles = FAN * (np.arange(4) - 1.5)
    reach = lengths[list(PALM[1:])]
    plan = np.zeros((5, 2))
    plan[1:] = reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    centred: Array = plan - plan.mean(0)
    return centred


def palm_depth(rays: Array, lengths: Array) -> tuple[Array, Array]:
    """Depth of palms by their affine maps, and how openly they are seen.

    Args:
        rays: (n, 21, 2) of x / z and y / z of all joints.
        lengths: (21,) metres, of the bones.

    Returns:
        (n,) metres from the camera's plane to the middle of the palms, and (n,) their smaller singular value as a share
        of the larger one: 1 for a palm that faces the camera, 0 for one that is seen from its edge.
    """
    palm = rays[:, list(PALM)]
    maps = np.linalg.pinv(MARKED * palm_plan(lengths)) @ (palm - palm.mean(1, keepdims=True))
    sizes = np.maximum(np.linalg.svd(maps, compute_uv=False), 1e-6)
    depth: Array = 1.0 / sizes[:, 0]
    return depth, sizes[:, 1] / sizes[:, 0]
