"""Depth of a rendered ground-truth scene: what stands for a depth sensor where there was none.

VSD asks which part of an object was visible, and takes the answer from a measured depth image. Views without a sensor
(all fixed views of TACO) have none; there the true scene is rendered instead: all objects at their true poses, and
whatever else is known (hands, table). That is another and a kinder measure than one with a sensor: there is no noise
and nothing is missing, and what was not rendered hides nothing. A table of results must say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.metrics import _crop
from dexman_pose.metrics._images import pose_batch, valid_frames
from dexman_pose.render import rasterizer_of
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
    _crop.require_undistorted(camera, "rendered depth")
    depth = np.zeros((camera.height, camera.width), np.float32)
    for shape, pose in (*objects, *extra):
        matrix = pose_batch(pose, "camera_from_object")
        if matrix.ndim != 2:
            raise InputError(f"scene_depth takes one pose (4, 4) per object, but got {matrix.shape}")
        rasterizer = shape if isinstance(shape, Rasterizer) else rasterizer_of(shape)
        _merge(depth, rasterizer, matrix, camera)
    return depth


def scene_depth_frames(
    objects: Sequence[tuple[Mesh, ArrayLike, ArrayLike | None]],
    camera: Camera | Callable[[int], Camera],
    *,
    extra: Callable[[int], Sequence[tuple[Rasterizer | Mesh, ArrayLike]]] | None = None,
) -> Callable[[int], Depth]:
    """The depth of a scene as a function of the frame, as :func:`dexman_pose.metrics.vsd.vsd` takes it.

    Args:
        objects: each a mesh, its camera_from_object (T, 4, 4) in metres, and the frames in which that is known,
            (T,) bool or None for all; in the others it is not drawn.
        camera: the camera, or a function from the frame to it.
        extra: from the frame to what else is drawn in it.

    Returns:
        A function from the frame's index to (H, W) float32 metres; one frame is in memory at a time.
    """
    tracks = [_track(*one) for one in objects]
    lock = Lock()  # rasterisers serve one thread at a time

    def frame(index: int) -> Depth:
        drawn = [(r, poses[index]) for r, poses, known in tracks if known[index]]
        with lock:
            return scene_depth(
                drawn, camera(index) if callable(camera) else camera, extra=extra(index) if extra else ()
            )

    return frame


def _track(
    mesh: Mesh, poses: ArrayLike, known: ArrayLike | None
) -> tuple[Rasterizer, Array, NDArray[np.bool_]]:
    values = np.asarray(poses, dtype=np.float64)
    if values.ndim != 3 or values.shape[1:] != (4, 4):
        raise InputError(f"poses of an object must have shape (T, 4, 4), but got {values.shape}")
    return Rasterizer(mesh), values, valid_frames(known, len(values))


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
