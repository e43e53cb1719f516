"""Pictures of a real lens as the ideal pinhole would have taken them, and pixels moved along."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage, Mask
from dexman_pose.data.camera import Camera, CameraSource
from dexman_pose.data.lenses.models import Lens, LensModel
from dexman_pose.data.masks import BACKGROUND, OCCLUDER
from dexman_pose.errors import InputError


@dataclass(frozen=True)
class UndistortOptions:
    """How the undistorted camera is chosen.

    Attributes:
        least_zoom: the smallest share of the given focal length that the undistorted camera may have. Wide lenses show
            more than a flat picture of the same size can: the outermost parts are given up rather than the middle.
        harmless_skew: pixels that a skew may move the corners by before pictures are resampled for it; below, it is
            dropped.
        rows: rows of the picture whose maps are computed at a time, which bounds memory.
        box_samples: points along each side of a box that is moved.
    """

    least_zoom: float = 0.5
    harmless_skew: float = 0.05
    rows: int = 128
    box_samples: int = 33


_OPTIONS = UndistortOptions()


@dataclass(frozen=True, eq=False)
class Undistortion:
    """One camera's way from given to undistorted pictures of the same size.

    Made by :func:`undistortion_of`. Poses in camera axes are the same for both cameras.

    Attributes:
        given: the camera with its lens.
        camera: the ideal pinhole whose pictures come out.
        map_x: (H, W) float32, column of the given picture that each undistorted pixel shows.
        map_y: (H, W) float32, its row.
        outside: (H, W) bool, undistorted pixels that the given picture does not show.
    """

    given: Camera
    camera: Camera
    map_x: FloatImage
    map_y: FloatImage
    outside: Mask

    def picture(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture (H, W, 3) or (H, W), interpolated linearly; black where the given one shows nothing."""
        return np.asarray(self._remapped(image, cv2.INTER_LINEAR), np.uint8)

    def labels(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A label image (H, W), nearest pixels; ``OCCLUDER`` where the given one shows nothing."""
        out = np.asarray(self._remapped(labels, cv2.INTER_NEAREST), np.uint8)
        return self.mark_outside(out)

    def mask(self, mask: Mask) -> Mask:
        """A mask (H, W) bool, nearest pixels; False where the given one shows nothing."""
        return np.asarray(self._remapped(mask.astype(np.uint8), cv2.INTER_NEAREST), bool)

    def depth(self, depth: FloatImage) -> FloatImage:
        """A depth image (H, W) in metres along the optical axis, nearest pixels; 0 where nothing was measured."""
        found = self._remapped(np.asarray(depth, np.float32), cv2.INTER_NEAREST)
        return np.asarray(found, np.float32)

    def pixels(self, pixels: Array) -> Array:
        """Where pixels (..., 2) of the given picture lie in the undistorted one; NaN where the lens shows nothing."""
        return self.camera.project(self.given.unproject(pixels, np.ones(np.shape(pixels)[:-1])))

    def box(self, box: Array) -> Array:
        """The box (4,) x0, y0, x1, y1 around what a box of the given picture shows, cut at the picture's edge.

        Raises:
            InputError: nothing of it is in the undistorted picture.
        """
        low, high = self._box_edges(box)
        size = np.array([self.camera.width, self.camera.height], np.float64)
        low, high = np.maximum(low, 0.0), np.minimum(high, size - 1.0)
        if not (high > low).all():
            raise InputError(
                f"box {np.asarray(box).tolist()} lies where the lens shows more than an undistorted picture can: "
                "undistort the video with a shorter focal length first, and give intrinsics without distortion"
            )
        return np.concatenate([low, high])

    def _box_edges(self, box: Array) -> tuple[Array, Array]:
        share = np.linspace(0.0, 1.0, _OPTIONS.box_samples)[:, None]
        x0, y0, x1, y1 = np.asarray(box, np.float64)
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        border = np.concatenate([a + share * (b - a) for a, b in zip(corners, np.roll(corners, -1, 0))])
        moved = self.pixels(border)
        moved = moved[np.isfinite(moved).all(-1)]
        if not len(moved):
            return np.zeros(2), np.zeros(2)
        return moved.min(0), moved.max(0)

    def mark_outside(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A label image of the undistorted picture, ``OCCLUDER`` where it is background that was not filmed."""
        if not self._shows_less:
            return labels
        return np.where(self.outside & (labels == BACKGROUND), np.uint8(OCCLUDER), labels)

    @cached_property
    def _shows_less(self) -> bool:
        return bool(self.outside.any())

    def _remapped(self, image: NDArray[np.generic], how: int) -> NDArray[np.generic]:
        size = (self.given.height, self.given.width)
        if image.shape[:2] != size:
            raise InputError(
                f"an image of {image.shape[1]}x{image.shape[0]} does not belong to a camera of {size[1]}x{size[0]}"
            )
        out = cv2.remap(image, self.map_x, self.map_y, how, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        if self._shows_less:
            out[self.outside] = 0
        return np.asarray(out)


def undistortion_of(camera: Camera) -> Undistortion | None:
    """How pictures of a camera are undistorted; None for an ideal pinhole, whose pictures are right as they are.

    The undistorted camera has the given one's size and principal point. Its focal length is the given one, or shorter
    as far as needed for the middles of the picture's edges to stay in sight, but no less than
    :attr:`UndistortOptions.least_zoom` of it. Maps are kept for the cameras used last.
    """
    if camera.is_pinhole:
        return None
    lens = None if camera.lens is None else (camera.lens.model, camera.lens.coefficients.tobytes())
    return _cached(camera.K.tobytes(), camera.width, camera.height, lens, camera.source)


@lru_cache(maxsize=4)
def _cached(
    k: bytes, width: int, height: int, lens: tuple[LensModel, bytes] | None, source: CameraSource
) -> Undistortion:
    matrix = np.frombuffer(k, np.float64).reshape(3, 3)
    made = None if lens is None else Lens(lens[0], np.frombuffer(lens[1], np.float64))
    given = Camera.with_lens(matrix, width, height, made, source)
    return _made(given, _pinhole_of(given, _OPTIONS), _OPTIONS)


def pinhole_of(camera: Camera) -> Camera:
    """The camera of undistorted pictures; a pinhole is its own.

    A skew too small to see is dropped without resampling anything.
    """
    found = undistortion_of(without_harmless_skew(camera))
    return without_harmless_skew(camera) if found is None else found.camera


def without_harmless_skew(camera: Camera, options: UndistortOptions = _OPTIONS) -> Camera:
    """The camera with right angles where its skew moves no pixel of the picture noticeably."""
    skew = camera.K[0, 1]
    farthest = max(camera.cy + 0.5, camera.height - 0.5 - camera.cy) / camera.fy
    if skew == 0.0 or abs(skew) * farthest > options.harmless_skew:
        return camera
    k = camera.K.copy()
    k[0, 1] = 0.0
    return replace(camera, K=k)


def _pinhole_of(given: Camera, options: UndistortOptions) -> Camera:
    left, right = -0.5, given.width - 0.5
    top, bottom = -0.5, given.height - 0.5
    middles = np.array([[left, given.cy], [right, given.cy], [given.cx, top], [given.cx, bottom]])
    rays = given.unproject(middles, np.ones(4))[:, :2]
    along = np.abs(rays[[0, 1, 2, 3], [0, 0, 1, 1]])
    limit = np.inf if given.lens is None else given.lens.reach
    along = np.where(np.isfinite(along), along, limit)
    room = np.array([given.cx - left, right - given.cx, given.cy - top, bottom - given.cy])
    needed = along * np.array([given.fx, given.fx, given.fy, given.fy])
    zoom = np.divide(room, needed, out=np.ones(4), where=(needed > 0) & (room > 0)).min()
    zoom = float(np.clip(zoom, options.least_zoom, 1.0))
    k = np.array([[zoom * given.fx, 0.0, given.cx], [0.0, zoom * given.fy, given.cy], [0.0, 0.0, 1.0]])
    return Camera(k, given.width, given.height, source=given.source)


def _made(given: Camera, camera: Camera, options: UndistortOptions) -> Undistortion:
    """Maps from ``camera``'s pictures into the given ones."""
    size = (given.height, given.width)
    map_x, map_y = np.empty(size, np.float32), np.empty(size, np.float32)
    columns = np.arange(given.width, dtype=np.float64)
    for first in range(0, given.height, options.rows):
        rows = np.arange(first, min(first + options.rows, given.height), dtype=np.float64)
        grid = np.stack(np.meshgrid(columns, rows), -1)
        seen = given.project(camera.unproject(grid, np.ones(grid.shape[:2])))
        map_x[first : first + len(rows)], map_y[first : first + len(rows)] = seen[..., 0], seen[..., 1]
    inside = (map_x > -0.5) & (map_x < given.width - 0.5) & (map_y > -0.5) & (map_y < given.height - 0.5)
    for image in (map_x, map_y):
        image[~np.isfinite(image)] = -1e4  # beyond what the lens shows; no number that a remap could round
    # Between the outermost pixel centres and the picture's edge the outermost pixel is the colour.
    np.clip(map_x, 0, given.width - 1, out=map_x, where=inside)
    np.clip(map_y, 0, given.height - 1, out=map_y, where=inside)
    for array in (map_x, map_y, outside := ~inside):
        array.setflags(write=False)
    return Undistortion(given, camera, map_x, map_y, outside)
