"""Points on an object's surface, followed from frame to frame by sparse optical flow checked both ways."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Gray
from dexman_pose.data import Camera
from dexman_pose.imaging.flow import follow
from dexman_pose.imaging.masks import crop_box
from dexman_pose.pose.matching.options import PointTrackOptions
from dexman_pose.pose.observation.view import NEAREST_DEPTH, in_front
from dexman_pose.pose.solver.residuals import PointMatches
from dexman_pose.render import Rasterizer


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
        options: PointTrackOptions,
    ) -> None:
        """Find new corners on the object where there are none yet and lift them onto the rendered surface.

        Args:
            gray: (h, w) crop of the frame.
            depth: (h, w) rendered depth of the crop at full resolution, metres.
            origin: x0, y0 of the crop.
            mask: (h, w) bool, where points may lie.
            camera: of the whole image.
            camera_from_object: (4, 4) pose the depth was rendered at.
            options: number of points to have afterwards, and their quality.
        """
        missing = options.count - len(self)
        if missing < max(4, int(options.refill_share * options.count)):
            return
        side = 2 * options.border + 1
        free = cv2.erode(((depth > 0) & mask).astype(np.uint8), np.ones((side, side), np.uint8))
        for x, y in np.round(self.pixels - np.array(origin)).astype(int):
            cv2.circle(free, (int(x), int(y)), options.apart, 0, -1)
        corners = cv2.goodFeaturesToTrack(gray, missing, options.quality, options.apart, mask=free)
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


def follow_surface(
    tracks: SurfaceTracks,
    frames: tuple[Gray, Gray],
    poses: tuple[Array, Array],
    camera: Camera,
    own: NDArray[np.bool_],
) -> PointMatches | None:
    """Follow surface points into the next frame, from where the predicted pose expects them.

    Args:
        tracks: points of the last frame; those lost are dropped.
        frames: (H, W) grey pictures of the last and of this frame.
        poses: (4, 4) camera_from_object of the last frame and as predicted for this one.
        camera: of the frames.
        own: (H, W) pixels that may show the object in this frame.

    Returns:
        The points found, or None when there are none.
    """
    if len(tracks) == 0:
        return None
    at_last, expected = (tracks.points @ pose[:3, :3].T + pose[:3, 3] for pose in poses)
    guess = tracks.pixels
    if in_front(expected) and in_front(at_last):
        guess = guess + camera.project(expected) - camera.project(at_last)
    return tracks.advance(*frames, guess, own)


def refresh_surface(
    tracks: SurfaceTracks,
    frame: Gray,
    pose: Array,
    seen: Array | None,
    own: NDArray[np.bool_],
    rasterizer: Rasterizer,
    camera: Camera,
    options: PointTrackOptions,
) -> None:
    """Drop surface points that disagree with a pose, and add new ones.

    Args:
        tracks: points, changed in place.
        frame: (H, W) grey picture.
        pose: (4, 4) camera_from_object in it.
        seen: (4,) x0, y0, x1, y1 where the object is; None where it is not in sight, then none are added.
        own: (H, W) pixels that may show the object.
        rasterizer: of its mesh.
        camera: of the frame.
        options: how many points, and which are kept.
    """
    if len(tracks):
        moved = tracks.points @ pose[:3, :3].T + pose[:3, 3]
        front = moved[:, 2] > NEAREST_DEPTH
        error = np.full(len(moved), options.far)
        error[front] = np.linalg.norm(camera.project(moved[front]) - tracks.pixels[front], axis=1)
        tracks.keep((error < options.agrees) & (tracks.age < options.oldest))
    if seen is None:
        return
    x0, y0, w, h = crop_box([seen], 0.0)
    x0, y0 = max(x0, 0), max(y0, 0)
    w, h = min(w, own.shape[1] - x0), min(h, own.shape[0] - y0)
    crop = camera.cropped(x0, y0, w, h)
    picture = rasterizer.render(pose[None], crop.K, w, h)
    assert picture.depth is not None
    part = (slice(y0, y0 + h), slice(x0, x0 + w))
    tracks.refill(frame[part], picture.depth[0], (x0, y0), own[part], camera, pose, options)
