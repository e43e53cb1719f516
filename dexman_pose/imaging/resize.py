"""The one place where pictures, depth and labels change their size, all by the same rule of where pixels are.

Pixel (0, 0) is the centre of the first pixel, so the pixel x of a picture of width W lies at
(x + 1/2) * w / W - 1/2 in a picture of width w; :meth:`dexman_pose.data.Camera.cropped` moves intrinsics by the same
rule. OpenCV's ``INTER_NEAREST`` does not keep it: it takes the top left pixel of every block, which moves a depth
image by half a block. ``INTER_NEAREST_EXACT`` does.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

_OF_OPENCV = ["uint8", "int8", "uint16", "int16", "int32", "float32", "float64"]


_STEP = 0.005
"""Share of the distance by which interpolated depth differs from the nearest pixel's on one surface at most: 3 mm at
0.6 m, half a pixel of a wall that is seen at 10 degrees by a camera of 600 pixels."""

_ALL = 1.0 - 1e-4
"""Weight of measured neighbours from which on all of them were."""


class Way(IntEnum):
    """How values between pixels are found; each keeps pixel centres."""

    AREA = cv2.INTER_AREA
    LINEAR = cv2.INTER_LINEAR
    CUBIC = cv2.INTER_CUBIC


def resize_picture(image: NDArray[T], size: tuple[int, int], way: Way | None = None) -> NDArray[T]:
    """Bring a picture, or another field of values that may be averaged, to a size; itself when it has that size.

    Args:
        image: (H, W) or (H, W, C), uint8, uint16 or float32.
        size: width and height in pixels.
        way: by default the mean over areas where the picture shrinks, linear where it grows.

    Returns:
        (height, width[, C]), of the same type.
    """
    if (image.shape[1], image.shape[0]) == size:
        return image
    if way is None:
        way = Way.AREA if size[0] <= image.shape[1] and size[1] <= image.shape[0] else Way.LINEAR
    out: NDArray[T] = cv2.resize(image, size, interpolation=int(way))
    return out


def resize_labels(labels: NDArray[T], size: tuple[int, int]) -> NDArray[T]:
    """Bring labels, ids or flags to a size: each pixel takes the value of the one nearest to its centre, never a mean.

    Args:
        labels: (H, W) or (H, W, C), of any type.
        size: width and height in pixels.

    Returns:
        (height, width[, C]), of the same type; the image itself when it has that size.
    """
    height, width = labels.shape[:2]
    if (width, height) == size:
        return labels
    if labels.dtype == np.bool_:
        plain: NDArray[Any] = resize_labels(labels.view(np.uint8), size)
        return plain.view(np.bool_)
    if labels.dtype.name in _OF_OPENCV:
        out: NDArray[T] = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
        return out
    across, down = (((np.arange(n) + 0.5) * m / n).astype(np.intp) for n, m in zip(size, (width, height)))
    return labels[down[:, None], across[None]]


def resize_depth(depth: NDArray[T], size: tuple[int, int]) -> NDArray[T]:
    """Bring a depth image (H, W) to a size: exact on surfaces, the nearest pixel beside steps and gaps.

    The nearest pixel alone is half a pixel off on every even reduction. Between four neighbours that were all measured
    and are of one surface the value is interpolated; a mean across a step, or with pixels that were not measured,
    would invent surfaces.

    Args:
        depth: (H, W), 0 or NaN where nothing was measured.
        size: width and height in pixels.
    """
    nearest = resize_labels(depth, size)
    if nearest is depth or depth.dtype != np.float32:
        return nearest
    near: NDArray[Any] = nearest
    values: NDArray[Any] = depth
    measured = (values > 0).astype(np.float32)
    between: NDArray[Any] = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    whole = cv2.resize(measured, size, interpolation=cv2.INTER_LINEAR) > _ALL
    smooth = whole & (np.abs(between - near) < np.float32(_STEP) * near)  # false where one is NaN
    out: NDArray[T] = np.where(smooth, between, near)
    return out
