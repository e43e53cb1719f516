"""Cameras of callers: intrinsics by matrix, numbers or file, for pictures of a known size."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.data.camera import Camera
from dexman_pose.data.camera_file import load_camera
from dexman_pose.data.numbers import described, plain
from dexman_pose.errors import InputError

_TINY = 8
"""Pixels; in images no larger a principal point below 1 is one in pixels."""


def as_camera(value: Any, size: tuple[int, int] | None = None, name: str = "camera") -> Camera:
    """The camera of pictures of a known size.

    Args:
        value: a camera, a 3x3 matrix, (fx, fy, cx, cy) in pixels, or the path of a camera file.
        size: (height, width) of the pictures, or None to leave a camera's own size unchecked.
        name: what messages call it.

    Raises:
        InputError: none of these, or intrinsics of pictures of another size.
    """
    if isinstance(value, Camera):
        return _fitting(value, size, name)
    if size is None:
        raise InputError(
            f"{name} must be a Camera, but got {described(value)}; make one with Camera(K, width, height)"
        )
    height, width = size
    if isinstance(value, (str, PathLike)):
        return load_camera(Path(value).expanduser(), width, height)
    if value is None or isinstance(value, (dict, bytes)) or not _numeric(value):
        raise InputError(
            f"{name} must be a Camera, a 3x3 matrix, (fx, fy, cx, cy) or a camera file, but got {described(value)}"
        )
    k = plain(value, name)
    if k.shape == (4,):
        fx, fy, cx, cy = k.tolist()
        k = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    return _in_pixels(Camera(k, width, height), name)


def _in_pixels(camera: Camera, name: str) -> Camera:
    """A camera whose numbers came without their image size, where they fit this one."""
    if camera.cx <= 1.0 and camera.cy <= 1.0 and min(camera.width, camera.height) > _TINY:
        raise InputError(
            f"{name} has its principal point at ({camera.cx:g}, {camera.cy:g}): give pixels, not shares of the image"
        )
    if not (0 <= camera.cx <= camera.width and 0 <= camera.cy <= camera.height):
        raise InputError(
            f"{name} has its principal point ({camera.cx:g}, {camera.cy:g}) outside the {camera.width}x"
            f"{camera.height} image; give intrinsics in pixels of these images"
        )
    return camera


def _numeric(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or hasattr(value, "__array__") or hasattr(value, "detach")


def _fitting(camera: Camera, size: tuple[int, int] | None, name: str) -> Camera:
    if size is not None and (camera.height, camera.width) != tuple(size):
        raise InputError(
            f"the {name} is for {camera.width}x{camera.height} images, but these are {size[1]}x{size[0]}; "
            "give intrinsics in pixels of these images"
        )
    return camera
