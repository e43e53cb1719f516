"""The mesh's own texture as seen from one pose, and found again in pictures of poses near it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools, FloatImage, Gray, Mask
from dexman_pose.imaging.correlation import correlation, cover_of, local_contrast
from dexman_pose.imaging.options import PointFlowOptions
from dexman_pose.pose.region.options import ModelViewOptions, PointOptions
from dexman_pose.pose.region.points import SurfaceCorners, found_again, projected, surface_corners
from dexman_pose.pose.region.window import GrayPart, Window
from dexman_pose.pose.solver.residuals import PointMatches
from dexman_pose.render.rasterizer import Rasterizer

_LEVELS = np.float32(255.0)


@dataclass(frozen=True, eq=False)
class ModelView:
    """The mesh drawn in its own colours at a pose.

    Attributes:
        picture: (h, w) it, brightness and contrast evened out.
        mask: (h, w) where something is drawn.
        corners: of the picture; there may be none.
        image_from_view: (2, 3) image pixels of the view's, at its own pose.
        eye: (3,) unit direction from the object's centre to the camera, axes of the object.
        scale: pixels per image pixel.
        cover: of the mask, as :func:`~dexman_pose.imaging.correlation.cover_of` gives it.
    """

    picture: Gray
    mask: Mask
    corners: SurfaceCorners
    image_from_view: Array
    eye: Array
    scale: float
    cover: FloatImage
    _fitted: dict[float, tuple[Array, Array]] = field(default_factory=dict, repr=False)

    def seen_at(self, pose: Array, K: Array, center: Array, options: ModelViewOptions) -> Array | None:
        """(2, 3) image pixels of the view's at another pose, or None where the object looks different from there.

        Args:
            pose: (4, 4) camera_from_object.
            K: (3, 3) intrinsics of the image.
            center: (3,) the object's.
            options: how different it may look.
        """
        if len(self.corners) < options.least or self.eye @ eye_of(pose, center) < np.cos(options.turn):
            return None
        there = projected(self.corners.points, pose, K)
        here, inverse = self._map(options.thin)
        solved = inverse @ there
        off = self.scale * np.abs(there - here @ solved).max()
        size = self.scale * np.sqrt(abs(np.linalg.det(solved[:2])))
        if off > options.bent or not 1.0 / options.nearer < size < options.nearer:
            return None
        return np.asarray(solved.T, np.float64)

    def _map(self, thin: float) -> tuple[Array, Array]:
        """(N, 3) homogeneous pixels of the corners, and the pseudo-inverse (3, N) of them, made once."""
        made = self._fitted.get(thin)
        if made is None:
            here = np.column_stack([self.corners.pixels, np.ones(len(self.corners))])
            made = self._fitted[thin] = here, np.linalg.pinv(here, rcond=thin)
        return made

    def find(
        self,
        part: GrayPart,
        image_from_view: Array,
        pose: Array,
        K: Array,
        options: PointOptions,
        flow: PointFlowOptions,
        hidden: Bools | None = None,
    ) -> tuple[PointMatches | None, float]:
        """Corners of the view in a picture, and the correlation of both; NaN where too little is to be compared.

        Args:
            part: of the picture.
            image_from_view: (2, 3) as :meth:`seen_at` gives it.
            pose: (4, 4) it was given for.
            K: (3, 3) intrinsics of the image.
            options: weight of a corner.
            flow: how corners are looked for.
            hidden: (H, W) pixels of the image in which something may be before the object.
        """
        view_from_image = cv2.invertAffineTransform(image_from_view)
        height, width = self.picture.shape
        if hidden is not None:
            seen_part = self._less(hidden, view_from_image)
            if np.count_nonzero(seen_part.mask) < options.inside**2:
                return None, np.nan
            return seen_part.find(part, image_from_view, pose, K, options, flow)
        seen = part.through(view_from_image, width, height)
        second = local_contrast(seen.astype(np.float32), self.mask, cover=self.cover)
        guess = projected(self.corners.points, pose, K) @ view_from_image[:, :2].T + view_from_image[:, 2]
        alike = correlation(self.picture, second, self.mask)
        if not len(self.corners):
            return None, alike
        found = found_again(self.corners, self.picture, second, guess, flow)
        if found is None:
            return None, alike
        pixels = found[1] @ image_from_view[:, :2].T + image_from_view[:, 2]
        weight = np.full(len(pixels), options.texture_weight)
        return PointMatches(found[0].points, pixels, weight), alike

    def _less(self, hidden: Bools, view_from_image: Array) -> ModelView:
        """The view without what is hidden (H, W) in the image."""
        height, width = self.picture.shape
        covered = cv2.warpAffine(
            255 * hidden.astype(np.uint8), view_from_image, (width, height), flags=cv2.INTER_LINEAR
        )
        mask = self.mask & (covered == 0)
        columns, rows = np.round(self.corners.pixels).astype(np.int64).T.reshape(2, -1)
        free = mask[rows, columns]
        corners = SurfaceCorners(self.corners.pixels[free], self.corners.points[free])
        return replace(self, mask=mask, corners=corners, cover=cover_of(mask), _fitted={})


def eye_of(pose: Array, center: Array) -> Array:
    """(3,) unit direction from an object's centre (3,) to the camera at a pose (4, 4), axes of the object."""
    away = -(pose[:3, :3].T @ pose[:3, 3]) - center
    out: Array = away / np.linalg.norm(away)
    return out


def view_of_model(
    rasterizer: Rasterizer,
    pose: Array,
    window: Window,
    extremes: Array,
    center: Array,
    options: PointOptions,
) -> ModelView | None:
    """Draw a mesh in its own colours.

    Args:
        rasterizer: of the mesh.
        pose: (4, 4) camera_from_object, before the camera.
        window: whose scale the view has, and which it does not leave.
        extremes: (N, 3) outermost points of the mesh.
        center: (3,) the object's.
        options: how many corners.

    Returns:
        The view; None where too little is to be seen.
    """
    pixels, border = projected(extremes, pose, window.K), options.border
    limit = np.array([window.width, window.height])
    low = np.clip(np.floor(pixels.min(0)) - border, 0, limit - 1).astype(int)
    size = np.clip(np.ceil(pixels.max(0)) + 1 + border, low + 1, limit).astype(int) - low
    k = window.K.copy()
    k[:2, 2] -= low
    drawn = rasterizer.render(pose[None], k, int(size[0]), int(size[1]), attributes=("depth", "color"))
    assert drawn.depth is not None and drawn.color is not None
    mask = drawn.mask[0]
    if np.count_nonzero(mask) < options.inside**2:
        return None
    color = cv2.cvtColor(drawn.color[0] * _LEVELS, cv2.COLOR_RGB2GRAY)
    cover = cover_of(mask)
    picture = local_contrast(np.asarray(color, np.float32), mask, cover=cover)
    inverse: NDArray[np.float32] = np.zeros_like(drawn.depth[0])
    np.divide(1.0, drawn.depth[0], out=inverse, where=mask)
    corners = surface_corners(picture, inverse, k, pose, options)
    if corners is None:
        corners = SurfaceCorners(np.zeros((0, 2)), np.zeros((0, 3)))
    s = 1.0 / window.scale
    origin = window.to_image(low.astype(np.float64))
    there = np.array([[s, 0.0, origin[0]], [0.0, s, origin[1]]])
    return ModelView(picture, mask, corners, there, eye_of(pose, center), window.scale, cover)
