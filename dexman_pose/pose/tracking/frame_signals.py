"""What a picture says of a pose, whoever found it: the mesh drawn at the pose, beside colours, edges and depth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage, Mask
from dexman_pose.data import Camera
from dexman_pose.imaging.correlation import correlation, cover_of, local_contrast
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.pose.matching.edges import rim_of
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.tracking.options import SignalOptions
from dexman_pose.pose.tracking.signals import FrameSignals
from dexman_pose.pose.tracking.tracked_frame import TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject


@dataclass(frozen=True)
class ComparedCrop:
    """The crop in which a drawn pose is compared, small enough to be quick.

    Attributes:
        camera: of the crop.
        origin: (x0, y0) of its first pixel in the image.
        factors: (2,) crop pixels per image pixel along x and y.
        mask: (h, w) pixels of the object's mask.
        unknown: (h, w) pixels where something else may hide the object, or outside the image.
        near_unknown: (h, w) the same, grown.
        depth: (h, w) float32 metres, 0 where not measured, or None.
    """

    camera: Camera
    origin: tuple[int, int]
    factors: Array
    mask: Mask
    unknown: Mask
    near_unknown: Mask
    depth: FloatImage | None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the crop."""
        return self.mask.shape[0], self.mask.shape[1]

    @classmethod
    def of(cls, evidence: CropObservation, side: int) -> ComparedCrop:
        """The crop of ``evidence``, every n-th pixel of it, so that its longer side is at most ``side`` pixels."""
        stride = -(-max(evidence.size) // side)
        part = (slice(None, None, stride), slice(None, None, stride))
        mask = evidence.mask[part]
        k = evidence.camera.K / stride
        k[2, 2] = 1.0
        return cls(
            evidence.camera.derived(k, mask.shape[1], mask.shape[0]),
            evidence.origin,
            evidence.factors / stride,
            mask,
            evidence.unknown[part],
            evidence.near_unknown[part],
            None if evidence.depth is None else evidence.depth[part],
        )


def frame_signals(
    tracked: TrackedObject,
    frame: TrackedFrame,
    evidence: CropObservation,
    pose: Array,
    so_far: FrameSignals,
) -> FrameSignals:
    """Draw the mesh at a pose and compare it with the picture.

    Args:
        tracked: the object.
        frame: the frame.
        evidence: crop of it.
        pose: (4, 4) camera_from_object.
        so_far: what is known of the pose already, the overlap of its outline with the mask above all.
    """
    options, overlap, rasterizer = tracked.options.signals, so_far.overlap, tracked.refiner.rasterizer
    crop = ComparedCrop.of(evidence, options.side)
    h, w = crop.size
    wanted = ("depth", "color", "face_id") if tracked.trusted is not None else ("depth", "color")
    drawn = rasterizer.render(
        pose[None], crop.camera.K, w, h, attributes=wanted if tracked.colored else ("depth",)
    )
    assert drawn.depth is not None
    own, seen = drawn.mask[0], drawn.mask[0] & ~crop.unknown
    count = int(np.count_nonzero(own))
    if int(np.count_nonzero(seen)) < options.least_pixels:
        return so_far
    picture = picture_crop(frame.image, crop)
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), options.blur), np.float32)
    edges = outline_edge_strength(own, crop, blurred, options)
    mask_edges = np.nan
    if not tracked.colored and overlap < options.mask_edges_below:
        mask_edges = outline_edge_strength(crop.mask, crop, blurred, options)
    agrees, behind = depth_shares(drawn.depth[0], seen, crop, rasterizer.mesh.radius, options)
    colors = np.nan
    if drawn.color is not None:
        believed = seen
        if drawn.face_id is not None and tracked.trusted is not None:
            believed = seen & tracked.trusted[np.maximum(drawn.face_id[0], 0)]
        drawn.color[0] *= np.float32(255.0)
        colors = color_correlation(drawn.color[0], picture, believed, options)
    return replace(
        so_far,
        colors=colors,
        edges=edges,
        mask_edges=mask_edges,
        depth_agrees=agrees,
        depth_behind=behind,
        known=int(np.count_nonzero(seen)) / count,
        hues=hue_histogram(picture, seen, options),
    )


def picture_crop(image: NDArray[np.uint8], crop: ComparedCrop) -> FloatImage:
    """The picture in the crop of ``crop``, (h, w, 3) float32 grey levels; pixels beyond the border repeat it."""
    h, w = crop.size
    x0, y0 = crop.origin
    x1, y1 = x0 + round(w / crop.factors[0]), y0 + round(h / crop.factors[1])
    height, width = image.shape[:2]
    part = image[max(y0, 0) : max(y1, 1), max(x0, 0) : max(x1, 1)]
    sides = (max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0))
    if not part.size:
        return np.zeros((h, w, 3), np.float32)
    if any(sides):
        part = cv2.copyMakeBorder(part, *sides, cv2.BORDER_REPLICATE)
    if part.shape[:2] != (h, w):
        part = resize_picture(part, (w, h), Way.AREA)
    return np.asarray(part, np.float32)


def color_correlation(drawn: FloatImage, picture: FloatImage, where: Mask, options: SignalOptions) -> float:
    """Correlation in [-1, 1] of drawn colours with the picture, both 0..255, light evened out; NaN of too few."""
    if int(np.count_nonzero(where)) < options.least_pixels:
        return np.nan
    cover = cover_of(where)
    model = local_contrast(cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY), where, cover=cover)
    seen = local_contrast(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), where, cover=cover)
    return correlation(model, seen, where)


def outline_edge_strength(
    drawn: Mask, crop: ComparedCrop, blurred: FloatImage, options: SignalOptions
) -> float:
    """Mean strength in [0, 1] of the picture's edges along an outline; NaN of too few points."""
    rim, normal = rim_of(drawn)
    x, y = rim.T
    h, w = drawn.shape
    free = ~crop.near_unknown[y, x] & (x > 1) & (y > 1) & (x < w - 2) & (y < h - 2)
    rim, normal = rim[free], normal[free]
    if len(rim) < options.least_points:
        return np.nan
    kept = slice(None, None, 1 + len(rim) // options.most_points)
    rim, normal = rim[kept], normal[kept]
    steps = np.array([-1.0, 0.0, 1.0])
    at = (rim[:, None] + (steps[None, :, None] + 0.5) * normal[:, None]).astype(np.float32)
    ahead, back = (
        cv2.remap(
            blurred,
            at[..., 0] + np.float32(side) * normal[:, None, 0].astype(np.float32),
            at[..., 1] + np.float32(side) * normal[:, None, 1].astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for side in (1, -1)
    )
    change = 0.5 * np.abs(ahead - back).max(2).astype(np.float64)
    strength = change / (change + options.half)
    return float(strength.max(1).mean())


def depth_shares(
    drawn: FloatImage, where: Mask, crop: ComparedCrop, radius: float, options: SignalOptions
) -> tuple[float, float]:
    """Shares of measured depth that agree with the drawn one, and that lie farther; NaN of too few."""
    if crop.depth is None:
        return np.nan, np.nan
    both = where & (crop.depth > 0)
    count = int(np.count_nonzero(both))
    if count < options.least_pixels:
        return np.nan, np.nan
    off = crop.depth[both] - drawn[both]
    floor = max(options.depth_radius * radius, options.depth_floor)
    tolerance = np.maximum(options.depth_share * drawn[both], np.float32(floor))
    return float((np.abs(off) < tolerance).mean()), float((off >= tolerance).mean())


def hue_histogram(picture: FloatImage, where: Mask, options: SignalOptions) -> Array:
    """(3 * bins,) how often each of the channels' levels occurs, each channel summing to 1."""
    stride, bins = options.hue_stride, options.hue_bins
    seen = picture[::stride, ::stride][where[::stride, ::stride]]
    if not len(seen):
        return np.full(3 * bins, np.nan)
    index = (seen * np.float32(bins / 256)).astype(np.int64).clip(0, bins - 1) + bins * np.arange(3)
    return np.bincount(index.ravel(), minlength=3 * bins) / len(seen)
