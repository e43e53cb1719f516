"""The world frame that stands on a table."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import se3


def world_on_table(normal: Array, offset: float, above: Array) -> Array:
    """World from camera (4, 4): z along the table's normal, the origin on the table, x to the right in the picture.

    Args:
        normal: (3,) unit, camera frame, upwards; not along the camera's x axis.
        offset: metres: ``normal @ x + offset`` is a point's height.
        above: (3,) metres, camera frame: a point that the origin lies under.
    """
    x = np.array([1.0, 0.0, 0.0]) - normal[0] * normal
    x /= np.linalg.norm(x)
    rotation = np.stack([x, np.cross(normal, x), normal])
    origin = above - (float(normal @ above) + offset) * normal
    return se3(rotation, -rotation @ origin)
