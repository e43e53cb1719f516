"""Motion between two frames: dense optical flow both ways, and the affine motion of one object from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.imaging.dense_flow import Flow
from dexman_pose.imaging.masks import Window
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.segmentation.grabcut.options import DEFAULTS, MotionOptions
from dexman_pose.segmentation.grabcut.windows import seen_through

IDENTITY = np.array([[1, 0, 0], [0, 1, 0]], np.float64)


@dataclass(frozen=True)
class ObjectMotion:
    """How one object moved between two frames.

    Attributes:
        matrix: (2, 3) affine, full-frame pixels of the previous frame to the current one.
        similarity: (2, 3) the same without shear: a turning object shows new sides, so its outline shrinks less than
            its sides.
        inliers: share of the object's visible pixels that follow it.
        speed: largest displacement of the object's pixels, pixels per frame.
    """

    matrix: NDArray[np.float64]
    similarity: NDArray[np.float64]
    inliers: float
    speed: float


STILL = ObjectMotion(IDENTITY, IDENTITY, 0.0, 0.0)


def object_motion(
    flow: Flow, visible: Mask, window: Window, options: MotionOptions = DEFAULTS.motion
) -> ObjectMotion:
    """Fit the robust affine motion of the pixels ``visible`` (h, w) of a window of the previous frame.

    Flow vectors that fail the forward-backward check, or that lie at the mask's edge where flow of the background
    bleeds in, do not vote. An object that stands still gets the identity exactly, so that nothing drifts.
    """
    o = options
    points, moved, weight = _samples(flow, seen_through(visible, window, flow.region), o)
    if len(points) < o.least_points:
        return STILL
    step = np.linalg.norm(moved - points, axis=1)
    if np.median(step) < o.still_median and np.percentile(step, o.still_percentile) < o.still_high:
        return replace(STILL, inliers=float((step < o.still_inlier).mean()))
    similarity, error = _fit(points, moved, weight, o, affine=False)
    matrix = similarity
    if len(points) > o.affine_points:
        matrix, error = _fit(points, moved, weight, o, affine=True)
    inliers = float((error < o.inlier + o.inlier_per_step * step).mean())
    corners = np.array([points.min(0), points.max(0)])
    speed = float(np.linalg.norm(corners @ matrix[:, :2].T + matrix[:, 2] - corners, axis=1).max())
    return ObjectMotion(matrix, similarity, inliers, speed)


def _samples(
    flow: Flow, visible: NDArray[np.generic], options: MotionOptions
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    h, w = flow.forward.shape[:2]
    small = resize_picture(visible.astype(np.float32), (w, h), Way.AREA)
    inner = cv2.erode((small > options.full_cover).astype(np.uint8), np.ones((3, 3), np.uint8))
    ys, xs = np.nonzero(inner if inner.sum() > options.least_inner else small > 0.5)
    every = max(1, len(ys) // options.samples)
    ys, xs = ys[::every], xs[::every]
    points = flow.points(xs, ys)
    vectors = flow.forward[ys, xs].astype(np.float64)
    miss = flow.inconsistency[ys, xs]
    allowed = options.consistency + options.consistency_per_step * np.linalg.norm(vectors, axis=1)
    weight = np.exp(-((miss / allowed) ** 2)) + options.least_weight
    return points, points + vectors, weight.astype(np.float64)


def _fit(
    points: NDArray[np.float64],
    moved: NDArray[np.float64],
    weight: NDArray[np.float64],
    options: MotionOptions,
    *,
    affine: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The motion (2, 3) and each vector's residual in pixels, by iteratively reweighted least squares."""
    centre = points.mean(0)
    spread = max(float(points.std()), 1.0)
    p = (points - centre) / spread
    flow = moved - points
    basis = _basis(p, affine)
    rows, two = basis.reshape(-1, basis.shape[-1]), basis.shape[1]
    residual = np.linalg.norm(flow - np.median(flow, axis=0), axis=1)
    solution = np.zeros(basis.shape[-1])
    scale = max(float(np.median(residual)), options.start_scale)
    for _ in range(options.fit_iterations):
        w = weight / (1 + (residual / scale) ** 2) ** 2
        a = rows * np.repeat(w, two)[:, None]
        ridge = options.ridge * w.sum() * np.diag(_ridge(affine))
        before, solution = solution, np.linalg.solve(a.T @ rows + ridge, a.T @ flow.ravel())
        x, y = (flow.ravel() - rows @ solution).reshape(-1, two).T
        residual = np.hypot(x, y)
        scale = max(options.scale_factor * float(np.median(residual)), options.least_scale)
        if np.abs(solution - before).max() < options.at_rest:
            break
    change = _matrix(solution, affine)
    linear = np.eye(2) + change[:, :2] / spread
    shift = change[:, 2] - change[:, :2] @ centre / spread
    return np.concatenate([linear, shift[:, None]], 1), residual


def _basis(p: NDArray[np.float64], affine: bool) -> NDArray[np.float64]:
    x, y, one, zero = p[:, 0], p[:, 1], np.ones(len(p)), np.zeros(len(p))
    if affine:
        rows = ([x, y, one, zero, zero, zero], [zero, zero, zero, x, y, one])
    else:
        rows = ([x, -y, one, zero], [y, x, zero, one])
    return np.stack([np.stack(r, -1) for r in rows], 1)


def _ridge(affine: bool) -> NDArray[np.float64]:
    return np.array([1.0, 1, 0, 1, 1, 0]) if affine else np.array([1.0, 1, 0, 0])


def _matrix(s: NDArray[np.float64], affine: bool) -> NDArray[np.float64]:
    if affine:
        return np.array([[s[0], s[1], s[2]], [s[3], s[4], s[-1]]])
    return np.array([[s[0], -s[1], s[2]], [s[1], s[0], s[3]]])
