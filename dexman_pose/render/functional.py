"""``render()``: a posed mesh as torch images, through a camera object."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

from dexman_pose.data.camera import Camera
from dexman_pose.data.mesh import Mesh
from dexman_pose.render import _inputs
from dexman_pose.render.rasterizer import Rasterizer

_KEPT = 16  # rasterisers kept ready per thread


class Images(NamedTuple):
    """What :func:`render` returns; the leading batch dimension is there when the poses had one.

    Attributes:
        mask: ([B,] H, W) bool.
        depth: ([B,] H, W) float32, metres, 0 where the mask is False.
        normal: ([B,] H, W, 3) float32, unit, camera frame, facing the camera; 0 where the mask is False.
        colour: ([B,] H, W, 3) float32, RGB in 0..1; 0 where the mask is False.
    """

    mask: torch.Tensor
    depth: torch.Tensor
    normal: torch.Tensor
    colour: torch.Tensor


class _Cache(threading.local):
    """The latest rasterisers of this thread. Each holds its mesh, so its identity stays taken."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str], Rasterizer] = OrderedDict()

    def get(self, mesh: Mesh, device: str) -> Rasterizer:
        key = (id(mesh), device)
        if key not in self._kept:
            self._kept[key] = Rasterizer(mesh, device)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]


_cache = _Cache()


def rasterizer_of(mesh: Mesh, device: str = "cpu") -> Rasterizer:
    """The rasteriser of a mesh object, built at its first use in this thread and kept for the next ones.

    The mesh is told by identity, not by content: do not write into the arrays of a mesh that was rendered.
    """
    return _cache.get(mesh, device)


def render(
    mesh: Mesh,
    camera_from_object: ArrayLike | torch.Tensor,
    camera: Camera,
    size: tuple[int, int] | None = None,
    *,
    near: float = 0.01,
) -> Images:
    """Render a mesh from one pose or many.

    Forward only: the images carry no gradient yet, whatever ``requires_grad`` says of the pose.

    Args:
        mesh: the mesh, metres. Its rasteriser is kept for later calls with the same mesh object.
        camera_from_object: (4, 4) or (B, 4, 4), numpy or torch, metres. A tensor on a CUDA device is
            rendered there.
        camera: the camera. Its lens distortion is not modelled: this is the picture of the ideal pinhole.
        size: (height, width) of the images in pixels, the camera being rescaled to it; None for the
            camera's own.
        near: surface nearer than this depth, in metres, is cut away.

    Returns:
        Mask, depth, normal and colour on the device of the pose, sampled at pixel centres.

    Raises:
        InputError: wrong shapes, NaN, a size that is not positive.
    """
    height, width = (camera.height, camera.width) if size is None else size
    width, height = _inputs.image_size(width, height)
    k = resized_intrinsics(camera, width, height)
    device = (
        camera_from_object.device if isinstance(camera_from_object, torch.Tensor) else torch.device("cpu")
    )
    poses = _inputs.as_array(camera_from_object, "camera_from_object")
    result = rasterizer_of(mesh, str(device)).render(
        poses, k, width, height, attributes=("depth", "normal", "color"), near=near
    )
    arrays = (result.mask, result.depth, result.normal, result.color)
    tensors = (torch.from_numpy(a if poses.ndim == 3 else a[0]).to(device) for a in arrays if a is not None)
    return Images(*tensors)


def resized_intrinsics(camera: Camera, width: int, height: int) -> _inputs.Array:
    """K (3, 3) of the same view in an image of another size; pixel areas, not centres, are what scales."""
    sx, sy = width / camera.width, height / camera.height
    k = np.array(camera.K)
    k[0] *= sx
    k[1] *= sy
    k[0, 2] = (camera.cx + 0.5) * sx - 0.5
    k[1, 2] = (camera.cy + 0.5) * sy - 0.5
    return k
