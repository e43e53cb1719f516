"""A grid on the table, in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Trajectory
from dexman_pose.geometry import inverse, transform_points

GRID_SHARE = 0.6
"""Of the lines' colour in the picture."""


@dataclass(frozen=True)
class GridOptions:
    """How the grid is drawn.

    Attributes:
        step: metres between lines.
        half: metres from the origin to the outermost lines.
        points: of a line.
        nearest: metres in front of the camera, nearer parts are not drawn.
    """

    step: float = 0.1
    half: float = 0.5
    points: int = 41
    nearest: float = 0.05


def grid_curves(trajectory: Trajectory, camera: Camera, options: GridOptions | None = None) -> list[Array]:
    """Curves (N, 2) in pixels of a grid on the table about the world's origin; none without a table.

    Args:
        trajectory: whose world stands on its table.
        camera: of the picture drawn.
        options: of the grid.
    """
    o = options or GridOptions()
    if trajectory.table is None:
        return []
    places = np.arange(-o.half, o.half + 0.5 * o.step, o.step)
    along = np.linspace(-o.half, o.half, o.points)
    still, going = np.meshgrid(places, along, indexing="ij")
    lines = np.stack([still, going, np.zeros_like(still)], -1)
    lines = np.concatenate([lines, lines[..., [1, 0, 2]]])
    points = transform_points(inverse(trajectory.world_from_camera), lines.reshape(-1, 3)).reshape(
        lines.shape
    )
    out = []
    for line in points:
        seen = line[line[:, 2] > o.nearest]
        if len(seen) > 1:
            out.append(camera.project_finite(seen))
    return out
