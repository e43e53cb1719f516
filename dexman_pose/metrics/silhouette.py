"""Do outlines meet: the failure rate of DexMan's evaluation, and the overlap of rendered outline and mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.metrics import _crop, _given
from dexman_pose.metrics._images import Images, ImageSource, measured, pose_batch, valid_frames
from dexman_pose.metrics._points import vertex_pixels
from dexman_pose.metrics.mesh_points.kept import checked_vertices
from dexman_pose.progress import progress
from dexman_pose.render.rasterizer import Rasterizer

FAILURE_IOU = 0.1
"""Overlap below which a frame has failed."""


@dataclass(frozen=True)
class FailureRate:
    """How often a track does not even touch its object.

    Attributes:
        rate: failed frames over counted frames; None where no frame could be counted.
        failed: (N,) bool; False in frames that were left out.
        counted: (N,) bool, frames with a mask (and depth, where that was given).
        iou: (N,) overlap of silhouette and mask; 0 where there is no estimate, or the frame was left out.
    """

    rate: float | None
    failed: Bools
    counted: Bools
    iou: Array

    @property
    def left_out(self) -> int:
        """Frames without a mask (or depth)."""
        return int((~self.counted).sum())

    @property
    def failures(self) -> int:
        """Frames that failed."""
        return int(self.failed.sum())


def failure_rate(
    estimated: ArrayLike,
    valid: ArrayLike | None,
    vertices: ArrayLike,
    camera: Camera,
    masks: ImageSource,
    depth: ImageSource | None = None,
) -> FailureRate:
    """The failure rate of DexMan's evaluation (arXiv 2510.08475, appendix B.6), in the manner of VOTS.

    Frames whose mask is empty are left out first, and, when ``depth`` is given, frames whose depth image holds no
    measurement at all. In the others the silhouette is the set of pixels that the vertices fall on, dilated by the
    3x3 cross once. A frame fails when it has no estimate, or the silhouette's overlap (IoU) with the mask is below
    0.1. The silhouette has holes where vertices are more than about two pixels apart, which the paper accepts:
    :func:`mask_iou` draws the surface instead.

    Args:
        estimated: (N, 4, 4) camera_from_object, metres; what stands in frames without an estimate is not looked at.
        valid: (N,) bool, frames with an estimate; None for all.
        vertices: (V, 3) metres, object frame.
        camera: the camera; without distortion.
        masks: visible pixels of the object, bool: (N, H, W), (H, W), or a function from the frame to (H, W).
        depth: metres, 0 where there is none: likewise; None: nothing is left out for lack of depth.

    Raises:
        InputError: wrong shapes, NaN in a frame with an estimate, or a camera with distortion.
    """
    _crop.require_undistorted(camera, "the failure rate")
    poses, known = _frames(estimated, valid)
    points = checked_vertices(vertices)
    images = Images(masks, len(poses), camera, "masks", masks=True)
    depths = None if depth is None else Images(depth, len(poses), camera, "depth")
    counted, iou = np.zeros(len(poses), np.bool_), np.zeros(len(poses))
    for i in progress(range(len(poses)), "failures", total=len(poses)):
        mask = images.frame(i)
        counted[i] = mask.any() and (depths is None or bool(measured(depths.frame(i)).any()))
        if counted[i] and known[i]:
            iou[i] = _overlap(vertex_silhouette(points, poses[i], camera), mask)
    failed = counted & ~(known & (iou >= FAILURE_IOU))
    rate = float(failed.sum() / counted.sum()) if counted.any() else None
    return FailureRate(rate, failed, counted, iou)


def vertex_silhouette(vertices: Array, pose: Array, camera: Camera) -> Bools:
    """Pixels that vertices fall on, dilated by the 3x3 cross once.

    Args:
        vertices: (V, 3) metres.
        pose: (4, 4) camera_from_object.
        camera: the camera.

    Returns:
        (H, W) bool.
    """
    hit = np.zeros((camera.height, camera.width), np.bool_)
    rows, columns, _ = vertex_pixels(vertices, pose, camera)
    for down, right in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
        v, u = rows + down, columns + right
        inside = (v >= 0) & (v < camera.height) & (u >= 0) & (u < camera.width)
        hit[v[inside], u[inside]] = True
    return hit


def mask_iou(
    estimated: ArrayLike,
    mesh: Mesh,
    camera: Camera,
    masks: ImageSource,
    valid: ArrayLike | None = None,
    *,
    unknown: ImageSource | None = None,
) -> Array:
    """Overlap (intersection over union) of the rendered outline with the mask, per frame.

    Unlike the silhouette of :func:`failure_rate` the outline has no holes. Where something may hide the object, say so
    by ``unknown``: a perfect pose has an overlap of 1 only when hidden pixels are not counted.

    Args:
        estimated: (N, 4, 4) camera_from_object, metres.
        mesh: the object.
        camera: the camera; without distortion.
        masks: visible pixels of the object, bool: (N, H, W), (H, W), or a function from the frame to (H, W).
        valid: (N,) bool, frames with an estimate; None for all.
        unknown: pixels to leave out, bool, likewise: where a hand or another object is seen.

    Returns:
        (N,) in [0, 1]; 0 in frames without an estimate, and where mask and outline are both empty.

    Raises:
        InputError: wrong shapes, NaN in a frame with an estimate, or a camera with distortion.
    """
    _crop.require_undistorted(camera, "the overlap of outlines")
    poses, known = _frames(estimated, valid)
    images = Images(masks, len(poses), camera, "masks", masks=True)
    hidden = None if unknown is None else Images(unknown, len(poses), camera, "unknown", masks=True)
    rasterizer, outline = Rasterizer(mesh), _crop.hull_points(mesh)
    iou = np.zeros(len(poses))
    for i in progress(np.flatnonzero(known).tolist(), "outlines", total=int(known.sum())):
        mask = images.frame(i)
        if hidden is not None:
            mask = mask & ~hidden.frame(i)
        x0, y0, x1, y1 = box = _crop.outline_box(outline, poses[i], camera)
        if x0 >= x1:
            continue
        k = _crop.crop_matrix(camera, box)
        drawn = rasterizer.render(poses[i], k, x1 - x0, y1 - y0, attributes=(), near=_crop.NEAR).mask[0]
        if hidden is not None:
            drawn = drawn & ~hidden.frame(i)[y0:y1, x0:x1]
        both = np.count_nonzero(drawn & mask[y0:y1, x0:x1])
        either = np.count_nonzero(drawn) + np.count_nonzero(mask) - both
        iou[i] = both / either if either else 0.0
    return iou


def _overlap(first: Bools, second: Bools) -> float:
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 0.0


def _frames(estimated: ArrayLike, valid: ArrayLike | None) -> tuple[Array, Bools]:
    """Poses (N, 4, 4), checked where there is an estimate, and these frames."""
    poses = _given.real(estimated, "estimated")
    if poses.ndim != 3 or poses.shape[1:] != (4, 4):
        raise InputError(f"estimated must have shape (N, 4, 4), one pose per frame, but got {poses.shape}")
    known = valid_frames(valid, len(poses))
    pose_batch(poses[known], "estimated")
    return poses, known
