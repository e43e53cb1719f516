"""Images per frame however they are given: one for all frames, a stack, or a function that reads them one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data import _check
from dexman_pose.data.camera import Camera
from dexman_pose.errors import InputError
from dexman_pose.metrics import _given

ImageSource = ArrayLike | Callable[[int], Any]
"""(H, W) for all frames, (N, H, W), or a function from the frame's index to (H, W); only the last is small."""

_RIGID = 1e-3  # by which a rotation may miss orthonormality: poses of float32 files pass, scaled ones do not


class Images:
    """The images of N frames, each checked when it is asked for.

    Args:
        source: what the user gave.
        count: number of frames N.
        camera: gives the size that every image must have.
        name: what messages call them.
        masks: whether they are masks, which come out as booleans; else they are depth, real numbers.
    """

    def __init__(
        self, source: ImageSource, count: int, camera: Camera, name: str, *, masks: bool = False
    ) -> None:
        self._name, self._size, self._masks = name, (camera.height, camera.width), masks
        self._read: Callable[[int], Any]
        if callable(source):
            self._read = source
            return
        stack = np.asarray(source)
        if stack.shape == self._size:
            self._read = lambda _: stack
        elif stack.shape == (count, *self._size):
            self._read = lambda i: stack[i]
        else:
            raise InputError(
                f"{name} must have shape {self._size} or {(count, *self._size)} (or be a function of the frame's "
                f"index) for {count} poses and this camera, but got {stack.shape}"
            )

    def frame(self, index: int) -> NDArray[Any]:
        """The image (H, W) of one frame: bool of a mask, of whatever real number type it came in of a depth image."""
        given = self._read(index)
        image: NDArray[Any] = np.asarray(given)
        if image.shape != self._size:
            raise InputError(
                f"{self._name} of frame {index} must have shape {self._size}, but got {image.shape}"
            )
        if self._masks:
            return _given.mask(image, f"{self._name} of frame {index}")
        if image.dtype.kind not in "fiu":
            raise InputError(
                f"{self._name} of frame {index} must be real numbers in metres, but is {image.dtype}"
            )
        return image


def measured(depth: NDArray[Any]) -> NDArray[np.bool_]:
    """(H, W) bool, pixels that hold a depth: positive and finite."""
    known: NDArray[np.bool_] = (depth > 0) & np.isfinite(depth)
    return known


def pose_batch(value: ArrayLike, name: str) -> NDArray[np.float64]:
    """Rigid transforms (..., 4, 4) float64, checked.

    Raises:
        InputError: another shape, NaN, or a matrix that is no rotation and translation.
    """
    out = _given.real(value, name)
    if out.ndim < 2 or out.shape[-2:] != (4, 4):
        raise InputError(f"{name} must have shape (..., 4, 4), but got {out.shape}")
    if out.size:
        _check.rigid(out.reshape(-1, 4, 4), name, _RIGID)
    return out


def valid_frames(valid: ArrayLike | None, count: int) -> NDArray[np.bool_]:
    """(N,) bool; None stands for all."""
    if valid is None:
        return np.ones(count, np.bool_)
    return _given.flags(valid, "valid", (count,))
