"""Depth of a rendered ground-truth scene: what stands for a depth sensor where there was none.

VSD asks which part of an object was visible, and takes the answer from a measured depth image. Views without a sensor
(all fixed views of TACO) have none; there the true scene is rendered instead: all objects at their true poses, and
whatever else is known (hands, table). That is another and a kinder measure than one with a sensor: there is no noise
and nothing is missing, and what was not rendered hides nothing. A table of results must say so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.metrics import _crop
from dexman_pose.metrics._images import pose_batch
from dexman_pose.render.rasterizer import Rasterizer

Depth = NDArray[np.float32]


def scene_depth(
    objects: Sequence[tuple[Rasterizer | Mesh, ArrayLike]],
    camera: Camera,
    *,
    extra: Sequence[tuple[Rasterizer | Mesh, ArrayLike]] = (),
) -> Depth:
    """Depth of a scene of meshes at known poses, one frame.

    Args:
        objects: each a mesh (or a rasteriser of it, which is not to be shared between threads) and its
            camera_from_object (4, 4), metres.
        camera: the camera; without distortion.
        extra: more of the same: hands in the camera frame (pose: identity), a table.

    Returns:
        (H, W) float32, metres along the optical axis, 0 where nothing is seen.

    Raises:
        InputError: a pose is not (4, 4), or the camera has distortion.
    """
    from dexman_pose.render import rasterizer_of  # it waits for torch

    _crop.require_undistorted(camera, "rendered depth")
    depth = np.zeros((camera.height, camera.width), np.float32)
    for shape, pose in (*objects, *extra):
        matrix = pose_batch(pose, "camera_from_object")
        if matrix.ndim != 2:
            raise InputError(f"scene_depth takes one pose (4, 4) per object, but got {matrix.shape}")
        rasterizer = shape if isinstance(shape, Rasterizer) else rasterizer_of(shape)
        _merge(depth, rasterizer, matrix, camera)
    return depth


def _merge(depth: Depth, rasterizer: Rasterizer, pose: Array, camera: Camera) -> None:
    """Draw one object over ``depth`` where it is nearer."""
    box = _crop.outline_box(rasterizer.mesh.vertices, pose, camera)
    x0, y0, x1, y1 = box
    if x0 >= x1:
        return
    k = _crop.crop_matrix(camera, box)
    layer = rasterizer.render(pose, k, x1 - x0, y1 - y0, near=_crop.NEAR)
    assert layer.depth is not None
    part = depth[y0:y1, x0:x1]
    np.copyto(part, layer.depth[0], where=layer.mask[0] & ((part == 0) | (layer.depth[0] < part)))
