"""Points on an object's surface, followed from frame to frame by sparse optical flow checked both ways."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Gray
from dexman_pose.data import Camera
from dexman_pose.imaging.flow import follow
from dexman_pose.pose.solver.residuals import PointMatches


@dataclass
class SurfaceTracks:
    """Surface points being followed: fixed in the object frame, moving in the image.

    Attributes:
        points: (N, 3) object frame, metres, as lifted when the point was found.
        pixels: (N, 2) where each was in the last frame.
        age: (N,) frames it has been followed.
    """

    points: Array = field(default_factory=lambda: np.zeros((0, 3)))
    pixels: Array = field(default_factory=lambda: np.zeros((0, 2)))
    age: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.points)

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Drop all points but these."""
        self.points, self.pixels, self.age = self.points[which], self.pixels[which], self.age[which]

    def advance(self, first: Gray, second: Gray, guess: Array, own: NDArray[np.bool_]) -> PointMatches | None:
        """Follow all points into the next frame; points that leave the pixels ``own`` (H, W) are dropped."""
        if len(self) == 0:
            return None
        end, good = follow(first, second, self.pixels, guess)
        at = np.round(end).astype(int).clip(0, [own.shape[1] - 1, own.shape[0] - 1])
        good &= own[at[:, 1], at[:, 0]]
        self.pixels = end
        self.keep(good)
        self.age += 1
        if len(self) == 0:
            return None
        return PointMatches(self.points, self.pixels, np.ones(len(self)))

    def refill(
        self,
        gray: Gray,
        depth: NDArray[np.float32],
        origin: tuple[int, int],
        mask: NDArray[np.bool_],
        camera: Camera,
        camera_from_object: Array,
        wanted: int,
    ) -> None:
        """Find new corners on the object where there are none yet and lift them onto the rendered surface.

        Args:
            gray: (h, w) crop of the frame.
            depth: (h, w) rendered depth of the crop at full resolution, metres.
            origin: x0, y0 of the crop.
            mask: (h, w) bool, where points may lie.
            camera: of the whole image.
            camera_from_object: (4, 4) pose the depth was rendered at.
            wanted: number of points to have afterwards.
        """
        missing = wanted - len(self)
        if missing < max(4, wanted // 5):
            return
        free = cv2.erode(((depth > 0) & mask).astype(np.uint8), np.ones((5, 5), np.uint8))
        for x, y in np.round(self.pixels - np.array(origin)).astype(int):
            cv2.circle(free, (int(x), int(y)), 5, 0, -1)
        corners = cv2.goodFeaturesToTrack(gray, missing, 0.01, 5, mask=free)
        if corners is None:
            return
        local = corners.reshape(-1, 2).astype(np.float64)
        ix, iy = np.round(local).astype(int).T
        z = depth[iy, ix].astype(np.float64)
        pixels = local + np.array(origin)
        points = (camera.unproject(pixels, z) - camera_from_object[:3, 3]) @ camera_from_object[:3, :3]
        self.points = np.concatenate([self.points, points])
        self.pixels = np.concatenate([self.pixels, pixels])
        self.age = np.concatenate([self.age, np.zeros(len(points), np.int64)])
