"""Depth agreement: what DexMan's evaluation calls VSD, which is not the measure of that name in BOP.

DexMan (arXiv 2510.08475, appendix B.6): per frame, project the model's vertices, keep the pixels inside the visible
mask that have valid depth, and take the share of them whose rendered depth agrees with the observed one within delta.
Higher is better. The paper gives no delta: here it has to be chosen, and belongs beside every number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.errors import InputError
from dexman_pose.metrics import _crop, _given
from dexman_pose.metrics._images import Images, ImageSource, measured, pose_batch, valid_frames
from dexman_pose.metrics._points import nearest_vertices
from dexman_pose.metrics.mesh_points.kept import checked_vertices
from dexman_pose.progress import progress
from dexman_pose.render import Rasterizer

SWEEP = (0.1, 0.5)
"""The ends of the paper's sweep of thresholds."""


def depth_agreement(
    estimated: ArrayLike,
    vertices: ArrayLike,
    camera: Camera,
    depth: ImageSource,
    mask: ImageSource,
    *,
    delta: float,
    surface: Rasterizer | None = None,
) -> Array:
    """Share of an object's projected vertices whose depth is that observed, per frame.

    The vertices are projected; each falls on the nearest pixel, and of several on one pixel the nearest to the camera
    counts (a z-buffer of points: on a coarse mesh vertices of the far side show through, which ``surface`` mends).
    Pixels inside the visible mask with valid depth are kept; the score is the share of these whose depth differs by at
    most ``delta``. A frame in which none is kept scores 0, one whose mask holds no depth
    included.

    Note what this measure does not see: pixels of the mask that no vertex falls on, and vertices outside the mask.

    Args:
        estimated: (..., 4, 4) camera_from_object, metres; only frames with an estimate.
        vertices: (V, 3) metres, object frame; dense and even ones make the better score.
        camera: the camera; without distortion.
        depth: metres, 0 where there is none: (H, W), (N, H, W) with N the flattened leading dimensions, or a function
            from the index of a pose to (H, W).
        mask: visible pixels of the object, bool: likewise.
        delta: metres; the paper does not state it.
        surface: of the mesh; then the depth at a vertex's pixel is that of the rendered surface, not the vertex's own.

    Returns:
        (...,) in [0, 1], 1 best.

    Raises:
        InputError: wrong shapes, NaN, delta not positive, or a camera with distortion.
    """
    _crop.require_undistorted(camera, "depth agreement")
    poses, points = pose_batch(estimated, "estimated"), checked_vertices(vertices)
    if not (np.isfinite(delta) and delta > 0):
        raise InputError(f"delta must be a positive distance in metres, but got {delta}")
    shape, flat = poses.shape[:-2], poses.reshape(-1, 4, 4)
    depths, masks = (
        Images(depth, len(flat), camera, "depth"),
        Images(mask, len(flat), camera, "mask", masks=True),
    )
    scores = np.zeros(len(flat))
    for i in progress(range(len(flat)), "agreement", total=len(flat)):
        rows, columns, own = nearest_vertices(points, flat[i], camera)
        if surface is not None:
            drawn = surface.render(flat[i][None], camera.K, camera.width, camera.height).depth
            assert drawn is not None
            there = drawn[0][rows, columns]
            own = np.where(there > 0, there, own)
        seen = depths.frame(i)[rows, columns].astype(np.float64)
        kept = measured(seen) & masks.frame(i)[rows, columns].astype(bool)
        if kept.any():
            scores[i] = np.mean(np.abs(own[kept] - seen[kept]) <= delta)
    return scores.reshape(shape)


def depth_agreement_auc(
    scores: ArrayLike, valid: ArrayLike | None = None, *, thresholds: ArrayLike | None = None
) -> float:
    """Area under the share of frames that score above a threshold, over the thresholds 0.1 to 0.5, normalised.

    Args:
        scores: (N,) of :func:`depth_agreement`.
        valid: (N,) bool, frames with an estimate; the others count as failures, whatever their score.
        thresholds: (M,) ascending; None for the exact area over [0.1, 0.5], the limit of ever finer sweeps, which is
            the mean of the scores' place in that interval. The paper does not state its steps.

    Returns:
        In [0, 1]; 0 without frames. With thresholds given: the trapezoidal area over their span.

    Raises:
        InputError: scores that are no list of numbers in [0, 1], thresholds that do not ascend.
    """
    values = _scores(scores, valid)
    if len(values) == 0:
        return 0.0
    if thresholds is None:
        low, high = SWEEP
        return float(np.mean(np.clip((values - low) / (high - low), 0.0, 1.0)))
    steps = _given.real(thresholds, "thresholds")
    if steps.ndim != 1 or len(steps) < 2 or not (np.diff(steps) > 0).all():
        raise InputError(f"thresholds must be two or more ascending numbers, but got {steps.tolist()}")
    above = (values[:, None] > steps).mean(0)
    return float(np.trapezoid(above, steps) / (steps[-1] - steps[0]))


def depth_agreement_success(
    scores: ArrayLike, valid: ArrayLike | None = None, *, threshold: float = 0.3
) -> float:
    """Share of frames that score above a threshold, 0.3 in the paper; frames without an estimate do not.

    Args:
        scores: (N,) of :func:`depth_agreement`.
        valid: (N,) bool, frames with an estimate.
        threshold: the score to exceed.

    Returns:
        In [0, 1]; 0 without frames.
    """
    values = _scores(scores, valid)
    return float(np.mean(values > threshold)) if len(values) else 0.0


def _scores(scores: ArrayLike, valid: ArrayLike | None) -> Array:
    """(N,) scores, that of frames without an estimate below every threshold."""
    values = _given.real(scores, "scores")
    if values.ndim != 1:
        raise InputError(f"scores must be one per frame, (N,), but got shape {values.shape}")
    known = valid_frames(valid, len(values))
    used = values[known]
    if not ((used >= 0) & (used <= 1)).all():  # NaN too
        raise InputError("scores must lie in [0, 1]; those of depth_agreement do")
    return np.where(known, values, -1.0)
