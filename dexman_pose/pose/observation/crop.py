"""What one frame says about one object, cut to a crop: mask, unknown pixels, and the mask's distance field."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage, Mask
from dexman_pose.data import BACKGROUND, Camera
from dexman_pose.imaging.masks import mask_edge, signed_distance_field
from dexman_pose.imaging.resize import Way, resize_depth, resize_picture
from dexman_pose.pose.observation.options import CROP

MAX_SIDE = CROP.max_side
"""Longest side of a crop in pixels."""

DEPTH_GRID = 2
"""Depth is compared at every second pixel of a crop: neighbours say the same."""

_OUTSIDE = 254
"""Label of what lies beyond the image: nobody's, and not background."""


@dataclass(frozen=True)
class CropObservation:
    """One object in one frame, in a crop.

    Attributes:
        camera: intrinsics of the crop.
        origin: (x0, y0) of the crop's first pixel in the image.
        factors: (2,) crop pixels per image pixel along x and y, at most 1.
        mask: (h, w) bool, visible pixels of the object.
        unknown: (h, w) bool, pixels where something else may hide the object, or outside the image.
        near_unknown: (h, w) bool, ``unknown`` grown by
            :attr:`~dexman_pose.pose.observation.options.CropOptions.unknown_margin`.
        sdf: (h, w) float32 signed distance to the mask's edge in crop pixels, positive inside.
        smooth: (h, w) float32, ``sdf`` slightly blurred: its differences are the direction of the mask's edge.
        edge: (M, 2) x, y crop pixels along the inside of the mask's edge where it is evidence.
        edge_normal: (M, 2) unit directions into the mask.
        depth: (h, w) float32 metres, 0 where not measured; None without a depth sensor.
        gray: (h, w) float32 picture that grey values of the surface are compared with, or None.
    """

    camera: Camera
    origin: tuple[int, int]
    factors: Array
    mask: Mask
    unknown: Mask
    near_unknown: Mask
    sdf: FloatImage
    smooth: FloatImage
    edge: Array
    edge_normal: Array
    depth: FloatImage | None = None
    gray: FloatImage | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the crop."""
        return self.mask.shape[0], self.mask.shape[1]

    @cached_property
    def code(self) -> NDArray[np.uint8]:
        """(h, w) one byte a pixel: 1 mask, 2 unknown, 4 near unknown."""
        mask, unknown, near = (np.asarray(m, np.uint8) for m in (self.mask, self.unknown, self.near_unknown))
        return np.asarray(mask | unknown << 1 | near << 2, np.uint8)

    @cached_property
    def known_pixels(self) -> int:
        """Pixels of the mask that are not unknown."""
        return int(np.count_nonzero(self.mask & ~self.unknown))

    @cached_property
    def depth_count(self) -> int:
        """Pixels of measured depth well inside the mask, on the grid that refinement looks at."""
        if self.depth is None:
            return 0
        inside = (self.depth > 0) & self.mask & (self.sdf > CROP.depth_inside)
        return int(np.count_nonzero(inside[::DEPTH_GRID, ::DEPTH_GRID]))

    def to_crop(self, pixels: Array) -> Array:
        """Crop pixels (N, 2) of image pixels (N, 2)."""
        moved: Array = (pixels - np.array(self.origin) + 0.5) * self.factors - 0.5
        return moved

    @property
    def has_mask(self) -> bool:
        """Whether enough of the object is visible to say anything."""
        return int(np.count_nonzero(self.mask)) >= CROP.least_pixels


def _cut(image: NDArray[np.generic], box: tuple[int, int, int, int], fill: int) -> NDArray[np.generic]:
    """A crop of an image; what lies outside is ``fill``."""
    x0, y0, w, h = box
    out = np.full((h, w, *image.shape[2:]), fill, image.dtype)
    ax, ay = max(x0, 0), max(y0, 0)
    bx, by = min(x0 + w, image.shape[1]), min(y0 + h, image.shape[0])
    if bx > ax and by > ay:
        out[ay - y0 : by - y0, ax - x0 : bx - x0] = image[ay:by, ax:bx]
    return out


def _share(pixels: Mask, width: int, height: int) -> FloatImage:
    """(height, width) float32 share of the pixels (h, w) that each pixel of the crop covers."""
    if not pixels.any():
        return np.zeros((height, width), np.float32)
    whole = pixels.astype(np.float32)
    if whole.shape == (height, width):
        return whole
    return np.asarray(resize_picture(whole, (width, height), Way.AREA), np.float32)


def gather(
    labels: NDArray[np.uint8],
    label: int,
    camera: Camera,
    box: tuple[int, int, int, int],
    *,
    depth: FloatImage | None = None,
    max_side: int = MAX_SIDE,
) -> CropObservation:
    """Cut the evidence about the object ``label`` out of a label image.

    Args:
        labels: (H, W) uint8 label image of :class:`~dexman_pose.data.MaskSequence`.
        label: the object's value in it.
        camera: of the whole image, an ideal pinhole.
        box: x0, y0, width, height in image pixels; may reach beyond the image.
        depth: (H, W) metres, 0 where not measured.
        max_side: longest side of the crop in pixels.

    Raises:
        InputError: the camera has a lens or skew.
    """
    camera.require_pinhole("the engine")
    x0, y0, w, h = box
    scale = min(1.0, max_side / max(w, h))
    cw, ch = max(round(w * scale), 4), max(round(h * scale), 4)
    cut = _cut(labels, box, fill=_OUTSIDE)
    mask = _share(cut == label, cw, ch) >= 0.5
    unknown = (_share((cut != label) & (cut != BACKGROUND), cw, ch) > CROP.unknown_share) & ~mask
    near = unknown.copy()
    if unknown.any():
        near = cv2.distanceTransform((~unknown).astype(np.uint8), cv2.DIST_L2, 3) <= CROP.unknown_margin
    sdf = signed_distance_field(mask)
    smooth = cv2.GaussianBlur(sdf, (CROP.smoothing, CROP.smoothing), 1.0)
    edge, normal = mask_edge(mask, near, smooth)
    cut_depth = None
    if depth is not None:
        cut_depth = np.asarray(_cut(depth, box, fill=0), np.float32)
        if scale < 1.0:
            cut_depth = resize_depth(cut_depth, (cw, ch))
    sx, sy = cw / w, ch / h
    return CropObservation(
        camera=camera.cropped(x0, y0, cw, ch, np.array([sx, sy])),
        origin=(x0, y0),
        factors=np.array([sx, sy]),
        mask=mask,
        unknown=unknown,
        near_unknown=near,
        sdf=sdf,
        smooth=smooth,
        edge=edge,
        edge_normal=normal,
        depth=cut_depth,
    )


def crop_like(image: NDArray[np.uint8], evidence: CropObservation) -> FloatImage:
    """The picture in the crop of ``evidence``, (h, w, 3) float32 in 0..1."""
    h, w = evidence.size
    (x0, y0), (sx, sy) = evidence.origin, evidence.factors
    matrix = np.array([[sx, 0, (0.5 - x0) * sx - 0.5], [0, sy, (0.5 - y0) * sy - 0.5]])
    blurred = cv2.GaussianBlur(image, (0, 0), CROP.detail_blur / sx) if sx < CROP.detail_below else image
    out = cv2.warpAffine(blurred, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out.astype(np.float32) / 255.0


def visible_iou(rendered: Mask, evidence: CropObservation) -> float:
    """Overlap of the rendered outline with the mask, in [0, 1], counting only pixels where something is known."""
    known = ~evidence.unknown
    union = int(np.count_nonzero((rendered | evidence.mask) & known))
    return int(np.count_nonzero(rendered & evidence.mask & known)) / union if union else 0.0
