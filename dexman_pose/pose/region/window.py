"""The window of a picture in which poses of one frame are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools, Gray
from dexman_pose.data import Camera
from dexman_pose.pose.region.options import WindowOptions

_NEAREST = 1e-3
"""Metres; points nearer to the camera's plane are taken as far as this, so that a window exists."""


@dataclass(frozen=True)
class Window:
    """A rectangle of the picture, reduced where it is large.

    Attributes:
        x0: of its first pixel in the image; the window may reach beyond the image.
        y0: of its first pixel.
        scale: window pixels per image pixel, at most 1.
        width: window pixels.
        height: window pixels.
        K: (3, 3) intrinsics in window pixels.
    """

    x0: float
    y0: float
    scale: float
    width: int
    height: int
    K: Array

    @property
    def view(self) -> Array:
        """(6,) the numbers of a view, as the kernels read them."""
        k = self.K
        return np.array([k[0, 0], k[1, 1], k[0, 2], k[1, 2], self.scale, self.scale])

    def to_window(self, pixels: Array) -> Array:
        """Window pixels (N, 2) of image pixels (N, 2)."""
        moved: Array = (pixels - np.array([self.x0, self.y0]) + 0.5) * self.scale - 0.5
        return moved

    def to_image(self, pixels: Array) -> Array:
        """Image pixels (N, 2) of window pixels (N, 2)."""
        moved: Array = (pixels + 0.5) / self.scale - 0.5 + np.array([self.x0, self.y0])
        return moved

    @property
    def from_image(self) -> Array:
        """(2, 3) window pixels of image pixels."""
        s = self.scale
        return np.array([[s, 0.0, (0.5 - self.x0) * s - 0.5], [0.0, s, (0.5 - self.y0) * s - 0.5]])

    def gray(self, image: NDArray[np.uint8]) -> Gray:
        """(height, width) the picture (H, W, 3) in this window, grey; beyond its border it is repeated."""
        return self.seen(GrayPart.around(self, image))

    def seen(self, part: GrayPart) -> Gray:
        """(height, width) a part of a picture in this window, grey."""
        return part.through(self.from_image, self.width, self.height)

    def covered(self, hidden: Bools, around: int = 1) -> Bools:
        """Where something hides what is behind it.

        Args:
            hidden: (H, W) pixels of the picture.
            around: pixels of this window, side of the square around each of which no part is hidden.

        Returns:
            (height, width) pixels of this window.
        """
        part = cv2.warpAffine(
            255 * hidden.astype(np.uint8),
            self.from_image,
            (self.width, self.height),
            flags=cv2.INTER_LINEAR,
        )
        if around > 1:
            part = cv2.dilate(part, np.ones((around, around), np.uint8))
        return np.asarray(part > 0, np.bool_)


@dataclass(frozen=True, eq=False)
class GrayPart:
    """A part of a picture, grey.

    Attributes:
        gray: (h, w) its pixels, as the picture has them.
        x0: of its first pixel in the image.
        y0: of its first pixel.
    """

    gray: Gray
    x0: int
    y0: int

    @classmethod
    def around(cls, window: Window, image: NDArray[np.uint8]) -> GrayPart:
        """The part of a picture (H, W, 3) that a window looks at, or the pixels nearest to it."""
        height, width = image.shape[:2]
        x0 = min(max(int(window.x0) - 1, 0), width - 1)
        y0 = min(max(int(window.y0) - 1, 0), height - 1)
        x1 = min(max(int(window.x0 + window.width / window.scale) + 2, x0 + 1), width)
        y1 = min(max(int(window.y0 + window.height / window.scale) + 2, y0 + 1), height)
        return cls(np.asarray(cv2.cvtColor(image[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY), np.uint8), x0, y0)

    def through(self, there_from_image: Array, width: int, height: int) -> Gray:
        """(height, width) the part where an affine map (2, 3) of image pixels puts it; its border is repeated."""
        matrix = there_from_image.copy()
        matrix[:, 2] += matrix[:, :2] @ (self.x0, self.y0)
        moved = cv2.warpAffine(
            self.gray, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(moved, np.uint8)


def window_around(
    points: Array, pose: Array, camera: Camera, options: WindowOptions, last: Window | None = None
) -> Window:
    """The window around a posed object.

    Args:
        points: (N, 3) outermost points of the mesh, metres.
        pose: (4, 4) camera_from_object.
        camera: an ideal pinhole.
        options: size and margin.
        last: the window before, of the same camera: taken again where it still fits.
    """
    seen = points @ pose[:3, :3].T + pose[:3, 3]
    pixels = seen @ camera.K.T
    pixels = pixels[:, :2] / np.maximum(pixels[:, 2:], _NEAREST)
    pixels = np.clip(pixels, -options.largest, options.largest)
    low, high = pixels.min(0), pixels.max(0)
    pad = options.margin * float((high - low).max()) + options.border
    if last is not None and _fits(last, low, high, pad, options):
        return last
    low, high = np.floor(low - pad), np.ceil(high + pad)
    size = high - low
    scale = min(1.0, options.side / float(size.max()))
    width, height = (max(options.least, int(np.ceil(s * scale))) for s in size)
    k = camera.K.copy()
    k[:2] *= scale
    k[:2, 2] = (camera.K[:2, 2] - low + 0.5) * scale - 0.5
    return Window(float(low[0]), float(low[1]), scale, width, height, k)


def _fits(window: Window, low: Array, high: Array, pad: float, options: WindowOptions) -> bool:
    """Whether a window still suits an object between image pixels ``low`` and ``high`` (2,) with a margin ``pad``."""
    first = np.array([window.x0, window.y0])
    size = np.array([window.width, window.height]) / window.scale
    free = options.kept * pad
    inside = (low - free >= first).all() and (high + free <= first + size).all()
    wanted = float((high - low).max()) + 2.0 * pad
    return bool(inside and wanted >= options.shrunk * float(size.max()))
