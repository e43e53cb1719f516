"""The same volume by Open3D."""

from __future__ import annotations

import numpy as np

from dexman_pose._optional import require
from dexman_pose.data import Camera
from dexman_pose.meshing.fusion.volume import Depths, Fused, Grid

_BEYOND = 100.0
"""Metres, farther than any depth: Open3D would cut at 3 m by itself."""


def integrate_by_open3d(depths: Depths, camera: Camera, grid: Grid, band: float) -> Fused:
    """Average the distances that depth images measure, by Open3D's ``UniformTSDFVolume``.

    Its volumes are cubes: the grid is enlarged to one and cut again. Their values belong to the middles of cells, so
    the cube begins half a cell before the grid.

    Args:
        depths: images and poses.
        camera: pinhole.
        grid: where.
        band: metres; what lies farther behind a surface than this is not known.

    Raises:
        MissingExtraError: Open3D is not installed; the message holds the command.
    """
    o3d = require("open3d", "fusion", "fusing depth by Open3D")
    side = max(grid.shape)
    volume = o3d.pipelines.integration.UniformTSDFVolume(
        length=side * grid.spacing,
        resolution=side,
        sdf_trunc=band,
        color_type=o3d.pipelines.integration.TSDFVolumeColorType.NoColor,
        origin=(grid.low - 0.5 * grid.spacing)[:, None],
    )
    k = camera.K
    pinhole = o3d.camera.PinholeCameraIntrinsic(
        camera.width, camera.height, k[0, 0], k[1, 1], k[0, 2], k[1, 2]
    )
    for depth, camera_from_object in depths:
        blank = o3d.geometry.Image(np.zeros((*depth.shape, 3), np.uint8))
        picture = o3d.geometry.RGBDImage.create_from_color_and_depth(
            blank,
            o3d.geometry.Image(np.ascontiguousarray(depth, np.float32)),
            depth_scale=1.0,
            depth_trunc=_BEYOND,
            convert_rgb_to_intensity=False,
        )
        volume.integrate(picture, pinhole, np.ascontiguousarray(camera_from_object, np.float64))
    # (side^3, 2): distance in shares of the band, and weight; the last axis is the fastest.
    values = np.asarray(volume.extract_volume_tsdf()).reshape(side, side, side, 2)
    x, y, z = grid.shape
    weight = values[:x, :y, :z, 1]
    distance = np.where(weight > 0, values[:x, :y, :z, 0] * band, 0.0)
    return Fused(grid, distance, weight, band)
