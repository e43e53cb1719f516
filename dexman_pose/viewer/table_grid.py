"""A faint grid on the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Trajectory
from dexman_pose.geometry import inverse, transform_points
from dexman_pose.viewer.canvas import Canvas
from dexman_pose.viewer.palette import GREY, RGB

WHITE: RGB = (255, 255, 255)


@dataclass(frozen=True)
class GridOptions:
    """How the grid is drawn.

    Attributes:
        step: metres between lines.
        half: metres from the origin to the outermost lines.
        points: of a line.
        nearest: metres in front of the camera, nearer parts are not drawn.
        share: of the lines' colour in the picture.
    """

    step: float = 0.1
    half: float = 0.5
    points: int = 41
    nearest: float = 0.05
    share: float = 0.6


class TableGrid:
    """The grid's pixels, found once for all frames: the camera stands still.

    Args:
        trajectory: whose world stands on its table; without a table nothing is drawn.
        camera: of the pictures drawn on.
        options: of the grid.
    """

    def __init__(self, trajectory: Trajectory, camera: Camera, options: GridOptions | None = None) -> None:
        o = options or GridOptions()
        cover = np.zeros((camera.height, camera.width, 3), np.uint8)
        curves = grid_curves(trajectory, camera, o)
        if curves:
            Canvas(cover).lines(curves, WHITE, 0.0, rim=False)
        self._pixels = np.flatnonzero(cover[..., 0])
        self._share = o.share / 255 * cover.reshape(-1, 3)[self._pixels, :1].astype(np.float32)

    def draw(self, image: NDArray[np.uint8], where: NDArray[np.bool_] | None = None) -> None:
        """Mix the grid into a picture (H, W, 3), where ``where`` (H, W) is true."""
        pixels, share = self._pixels, self._share
        if where is not None:
            kept = where.reshape(-1)[pixels]
            pixels, share = pixels[kept], share[kept]
        flat = image.reshape(-1, 3)
        under = flat[pixels].astype(np.float32)
        flat[pixels] = (under + share * (np.array(GREY, np.float32) - under)).astype(np.uint8)


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
