"""Motion between two frames: dense optical flow both ways, and the affine motion of one object from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.imaging.dense_flow import Flow
from dexman_pose.imaging.masks import Window
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.imaging.windows import seen_through
from dexman_pose.segmentation.grabcut.kernels import motion as kernels
from dexman_pose.segmentation.grabcut.kernels.workspace import Workspace
from dexman_pose.segmentation.grabcut.options import DEFAULTS, MotionOptions

Points = NDArray[np.float64]

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
    flow: Flow,
    visible: Mask,
    window: Window,
    options: MotionOptions = DEFAULTS.motion,
    fit: MotionFit | None = None,
) -> ObjectMotion:
    """Fit the robust affine motion of the pixels ``visible`` (h, w) of a window of the previous frame.

    Flow vectors that fail the forward-backward check, or that lie at the mask's edge where flow of the background
    bleeds in, do not vote. An object that stands still gets the identity exactly, so that nothing drifts.

    Args:
        flow: around the object.
        visible: (h, w).
        window: rows and columns that ``visible`` covers.
        options: of the motion.
        fit: one made before, for time.
    """
    o, fit = options, fit or MotionFit(options)
    points, moved, weight = _samples(flow, seen_through(visible, window, flow.region), o)
    if len(points) < o.least_points:
        return STILL
    step = np.linalg.norm(moved - points, axis=1)
    if np.median(step) < o.still_median and np.percentile(step, o.still_percentile) < o.still_high:
        return replace(STILL, inliers=float((step < o.still_inlier).mean()))
    similarity, error = fit(points, moved, weight, affine=False)
    matrix = similarity
    if len(points) > o.affine_points:
        matrix, error = fit(points, moved, weight, affine=True)
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
    miss = flow.inconsistency(xs, ys)
    allowed = options.consistency + options.consistency_per_step * np.linalg.norm(vectors, axis=1)
    weight = np.exp(-((miss / allowed) ** 2)) + options.least_weight
    return points, points + vectors, weight.astype(np.float64)


class MotionFit:
    """Fits motions to flow vectors; holds what that needs.

    Args:
        options: of the fit.
    """

    def __init__(self, options: MotionOptions = DEFAULTS.motion) -> None:
        self._work = Workspace()
        self._rule: Any = kernels.FitRule()
        for name in ("fit_iterations", "at_rest", "start_scale", "scale_factor", "least_scale", "ridge"):
            setattr(self._rule, name, getattr(options, name))

    def __call__(
        self, points: Points, moved: Points, weight: NDArray[np.float64], *, affine: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The motion (2, 3) of points (N, 2), and each one's residual (N,) in pixels.

        Args:
            points: (N, 2) pixels of the previous frame.
            moved: (N, 2) pixels of the current one.
            weight: (N,) of each point.
            affine: an affine motion, not a similarity.
        """
        count, work = len(points), self._work
        centre = points.mean(0)
        spread = max(float(points.std()), 1.0)
        vectors = moved - points
        work.image("points", np.float64, (count, 2))[...] = (points - centre) / spread
        work.image("vectors", np.float64, (count, 2))[...] = vectors
        work.image("weight", np.float64, (count,))[...] = weight
        work.image("order", np.float64, (count,))
        residual = work.image("residual", np.float64, (count,))
        change = work.image("solution", np.float64, (2, 3))
        middle = np.median(vectors, axis=0).tolist()
        work.launch(
            kernels.fit, "points", "vectors", "weight", count, *middle, int(affine), self._rule, "order", "residual",
            "solution",
        )  # fmt: skip
        linear = np.eye(2) + change[:, :2] / spread
        shift = change[:, 2] - change[:, :2] @ centre / spread
        return np.concatenate([linear, shift[:, None]], 1), residual.copy()
