"""Direct alignment of a coloured mesh with a picture: grey values of surface points, all of them at once.

Brightness and contrast are evened out locally on both sides, so that light does not matter. The surface points are
taken from one rendering and stay fixed while the pose moves (Baker and Matthews, 2004); a coarse level widens the
reach, a fine one gives the precision.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage, Mask
from dexman_pose.imaging.correlation import correlation, local_agreement, local_contrast
from dexman_pose.pose.matching.options import PHOTOMETRIC, PhotometricOptions
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.observation.view import in_front
from dexman_pose.pose.solver.residuals import ShadedPoints
from dexman_pose.render import Rasterizer

COARSE, FINE = 0, 1
"""Levels of a :class:`Shading`."""

_GRAY = np.array([0.299, 0.587, 0.114], np.float32) * np.float32(255.0)


_PER_PIXEL = 0.125
"""Factor that makes Sobel's sums, three pixels wide, grey levels per pixel."""


@dataclass(frozen=True)
class Shading:
    """A coloured mesh at one pose, ready to be aligned with a picture.

    Attributes:
        views: evidence of the coarse and of the fine level.
        points: surface points and grey values of the coarse and of the fine level.
        ncc: correlation of rendering and picture at the pose it was rendered at.
        agree: (h, w) bool, where both look alike.
        depth: (h, w) rendered depth in metres.
    """

    views: tuple[CropObservation, CropObservation]
    points: tuple[ShadedPoints, ShadedPoints]
    ncc: float
    agree: Mask
    depth: FloatImage


def shade(
    rasterizer: Rasterizer,
    camera_from_object: Array,
    view: CropObservation,
    gray: FloatImage,
    *,
    beyond_mask: bool = True,
    trusted: NDArray[np.bool_] | None = None,
    options: PhotometricOptions = PHOTOMETRIC,
) -> Shading | None:
    """Render the mesh's colours at a pose and pick surface points that fix it; None when too little is seen.

    Args:
        rasterizer: of the coloured mesh.
        camera_from_object: (4, 4).
        view: crop to render into.
        gray: (h, w) picture of the crop.
        beyond_mask: also use pixels called background; a mask is made from less than is known here.
        trusted: (F,) faces whose colour can be believed, None for all.
        options: of the points.
    """
    h, w = view.size
    wanted = ("depth", "color") if trusted is None else ("depth", "color", "face_id")
    drawn = rasterizer.render(camera_from_object[None], view.camera.K, w, h, attributes=wanted)
    assert drawn.depth is not None and drawn.color is not None
    believed = drawn.mask[0]
    if trusted is not None and drawn.face_id is not None:
        believed = believed & trusted[np.maximum(drawn.face_id[0], 0)]
    both = believed & (~view.unknown if beyond_mask else view.mask)
    if int(both.sum()) < options.least_pixels:
        return None
    # A wide window: evened out over less, smooth colours would follow the border of what is compared.
    window = max(options.least_window, int(options.window * max(h, w)) // 2 * 2 + 1)
    model = local_contrast(drawn.color[0] @ _GRAY, both, window)
    seen = local_contrast(gray, both, window)
    agree = local_agreement(model, seen, both)
    ncc = correlation(model.astype(np.float32), seen.astype(np.float32), both)
    chosen = _choose(model, both, options)
    if len(chosen) < options.least_points:
        return None
    x, y = chosen.T
    local = view.camera.unproject(chosen.astype(np.float64), drawn.depth[0][y, x].astype(np.float64))
    local = (local - camera_from_object[:3, 3]) @ camera_from_object[:3, :3]
    weight = np.where(agree[y, x], 1.0, options.doubted)
    views, points = [], []
    for blur in (options.coarse_blur, options.fine_blur):
        a = cv2.GaussianBlur(model, (0, 0), blur).astype(np.float32)
        b = cv2.GaussianBlur(seen, (0, 0), blur).astype(np.float32)
        views.append(replace(view, gray=b))
        points.append(ShadedPoints(local, a[y, x].astype(np.float64), weight))
    return Shading((views[0], views[1]), (points[0], points[1]), ncc, agree, drawn.depth[0])


def sampled_correlation(shading: Shading, camera_from_object: Array) -> float:
    """Correlation of the fine points with the picture at a pose near the one they were taken from."""
    view, points = shading.views[FINE], shading.points[FINE]
    assert view.gray is not None
    at = points.points @ camera_from_object[:3, :3].T + camera_from_object[:3, 3]
    if not in_front(at):
        return 0.0
    u, v = view.camera.project(at).astype(np.float32).T
    h, w = view.size
    inside = (u >= 0) & (v >= 0) & (u <= w - 1) & (v <= h - 1)
    inside[inside] &= ~view.unknown[np.round(v[inside]).astype(int), np.round(u[inside]).astype(int)]
    seen = cv2.remap(view.gray, u[None], v[None], cv2.INTER_LINEAR)[0]
    return correlation(points.gray.astype(np.float32), seen, inside)


def _choose(model: NDArray[np.uint8], both: Mask, options: PhotometricOptions) -> NDArray[np.int64]:
    """(N, 2) x, y of pixels with contrast, away from the border of what can be compared."""
    core = (
        cv2.erode(both.astype(np.uint8), np.ones((options.inside, options.inside), np.uint8), borderValue=0)
        > 0
    )
    gx = cv2.Sobel(model, cv2.CV_32F, 1, 0, ksize=3, scale=_PER_PIXEL)
    gy = cv2.Sobel(model, cv2.CV_32F, 0, 1, ksize=3, scale=_PER_PIXEL)
    y, x = np.nonzero(core & (np.abs(gx) + np.abs(gy) > options.contrast))
    kept = slice(None, None, 1 + len(x) // options.points)
    return np.stack([x[kept], y[kept]], 1)
