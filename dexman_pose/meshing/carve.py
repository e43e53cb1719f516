"""How often each point of space was seen inside the silhouettes of a clip: the soft visual hull.

After Laurentini, "The Visual Hull Concept" (1994), with votes instead of a hard intersection, because poses and masks
err by a pixel or two. Pixels that an occluder or another object covers vote for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import BACKGROUND, Camera
from dexman_pose.geometry.grids import interpolated


@dataclass
class HullVotes:
    """Votes on a regular grid in the object frame.

    Args:
        low: (3,) lower corner in metres.
        high: (3,) upper corner in metres.
        spacing: grid step in metres.
    """

    low: Array
    high: Array
    spacing: float
    _points: Array = field(init=False, repr=False)
    _shape: tuple[int, ...] = field(init=False)
    _inside: Array = field(init=False, repr=False)
    _known: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        counts = np.ceil((self.high - self.low) / self.spacing).astype(int) + 1
        axes = [self.low[i] + self.spacing * np.arange(counts[i]) for i in range(3)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
        self._shape = grid.shape[:3]
        self._points = grid.reshape(-1, 3)
        self._inside = np.zeros(len(self._points))
        self._known = np.zeros(len(self._points))

    def add(self, labels: NDArray[np.uint8], label: int, camera: Camera, camera_from_object: Array) -> None:
        """Let one frame vote: (H, W) uint8 labels, the object's label, and its pose (4, 4)."""
        points = self._points @ camera_from_object[:3, :3].T + camera_from_object[:3, 3]
        points[:, 2] = np.maximum(points[:, 2], 1e-3)
        pixels = camera.project(points).astype(np.float32)
        own = cv2.GaussianBlur((labels == label).astype(np.float32), (0, 0), 0.8)
        known = ((labels == label) | (labels == BACKGROUND)).astype(np.float32)
        known = cv2.erode(known, np.ones((3, 3), np.uint8))
        self._inside += _sample(own * known, pixels)
        self._known += _sample(known, pixels)

    def share(self, points: Array, minimum: float = 2.0) -> Array:
        """(N,) share of votes for "inside" at object-frame points (N, 3); 1 where fewer than ``minimum`` voted."""
        ratio = np.where(self._known >= minimum, self._inside / np.maximum(self._known, 1e-9), 1.0)
        at = ((points - self.low) / self.spacing).T
        return interpolated(ratio.reshape(self._shape), at)

    def known(self, points: Array) -> Array:
        """(N,) number of votes cast at object-frame points (N, 3)."""
        at = ((points - self.low) / self.spacing).T
        return interpolated(self._known.reshape(self._shape), at)


def _sample(image: NDArray[np.float32], pixels: NDArray[np.float32]) -> Array:
    """(N,) bilinear values at pixels (N, 2); 0 outside the image."""
    rows = 4096  # cv2.remap takes pictures of limited size
    out = np.zeros(len(pixels))
    for start in range(0, len(pixels), rows * 8):
        part = pixels[start : start + rows * 8]
        x, y = np.ascontiguousarray(part[None, :, 0]), np.ascontiguousarray(part[None, :, 1])
        width = 4096
        pad = (-len(part)) % width
        x = np.pad(x, ((0, 0), (0, pad)), constant_values=-10).reshape(-1, width)
        y = np.pad(y, ((0, 0), (0, pad)), constant_values=-10).reshape(-1, width)
        value = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        out[start : start + len(part)] = value.reshape(-1)[: len(part)]
    return out
