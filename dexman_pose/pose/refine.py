"""Levenberg-Marquardt refinement of one pose: silhouette both ways, point tracks, depth, motion prior.

The increment is a twist (v, w) with axes of the camera frame and the rotation about the object's centre, which keeps
translation and rotation uncoupled. Silhouette residuals follow the idea of region trackers: a point of the rendered
outline should lie on the mask's edge, and each edge point of the mask should have the rendered outline on it; both
move with the surface point that makes the outline. Next to an occluder or the image border there is no evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.geometry import so3_exp
from dexman_pose.pose.evidence import Evidence, visible_iou
from dexman_pose.pose.residuals import (
    EdgeMatches,
    NormalEquations,
    PointMatches,
    RefineOptions,
    add_depth,
    add_edges,
    add_points,
    add_prior,
    add_silhouette,
)
from dexman_pose.render import Rasterizer

Array = NDArray[np.float64]


@dataclass
class Refined:
    """The outcome of a refinement.

    Attributes:
        camera_from_object: (4, 4).
        cost: final robust cost.
        iou: visible overlap of the rendered outline with the mask.
        hessian: (6, 6) normal matrix of the twist about the object's centre, camera axes.
        converged: the last step was negligible.
        iterations: steps taken.
        silhouette_rms: pixels of the crop.
        point_inliers: share of point matches within the reach.
        area: pixels of the crop the mesh covers.
    """

    camera_from_object: Array
    cost: float
    iou: float
    hessian: Array
    converged: bool
    iterations: int
    silhouette_rms: float = 0.0
    point_inliers: float = 0.0
    area: int = 0


def apply_increment(twist: Array, camera_from_object: Array, center: Array) -> Array:
    """Move a pose by a twist (v, w): rotation w about ``center`` (camera frame), then translation v."""
    turn = so3_exp(twist[3:])
    out = camera_from_object.copy()
    out[:3, :3] = turn @ camera_from_object[:3, :3]
    out[:3, 3] = turn @ (camera_from_object[:3, 3] - center) + center + twist[:3]
    return out


class PoseRefiner:
    """Refines poses of one mesh; holds its rasteriser."""

    def __init__(self, rasterizer: Rasterizer, center: Array) -> None:
        self.rasterizer = rasterizer
        self.center = center

    def refine(
        self,
        camera_from_object: Array,
        evidence: Evidence,
        options: RefineOptions,
        *,
        matches: PointMatches | None = None,
        edges: EdgeMatches | None = None,
        predicted: Array | None = None,
    ) -> Refined:
        """Minimise all residuals from ``camera_from_object`` on. ``predicted`` is the centre of the motion prior."""
        pose = camera_from_object
        state = self._linearise(pose, evidence, options, matches, edges, predicted)
        damping, converged, steps = 1e-3, False, 0
        for _ in range(options.iterations):
            steps += 1
            scaled = state.hessian + np.diag(damping * np.diag(state.hessian) + 1e-9)
            twist: Array = np.asarray(np.linalg.solve(scaled, state.rhs), np.float64)
            if _negligible(twist, pose[2, 3]):
                converged = True
                break
            twist *= min(1.0, 0.35 / max(float(np.linalg.norm(twist[3:])), 1e-12))
            candidate = apply_increment(twist, pose, self._camera_center(pose))
            if candidate[2, 3] <= 0.02:
                damping *= 10.0
                continue
            trial = self._linearise(candidate, evidence, options, matches, edges, predicted)
            if trial.cost < state.cost:
                gain = state.cost - trial.cost
                pose, state = candidate, trial
                damping = max(damping * 0.3, 1e-6)
                if gain < 3e-3 * state.cost + 1e-6:
                    converged = True
                    break
            else:
                damping *= 10.0
                if damping > 1e3:
                    converged = True
                    break
        return Refined(
            pose, state.cost, state.iou, state.hessian, converged, steps, state.rms, state.inliers, state.area
        )

    def _camera_center(self, pose: Array) -> Array:
        moved: Array = pose[:3, :3] @ self.center + pose[:3, 3]
        return moved

    def _linearise(
        self,
        pose: Array,
        evidence: Evidence,
        options: RefineOptions,
        matches: PointMatches | None,
        edges: EdgeMatches | None,
        predicted: Array | None,
    ) -> NormalEquations:
        normal = NormalEquations()
        center = self._camera_center(pose)
        silhouette = options.use_silhouette and evidence.has_mask
        if silhouette or evidence.depth is not None:
            h, w = evidence.size
            picture = self.rasterizer.render(pose[None], evidence.camera.K, w, h)
            assert picture.depth is not None
            depth, rendered = picture.depth[0], picture.mask[0]
            normal.iou, normal.area = visible_iou(rendered, evidence), int(rendered.sum())
            if silhouette:
                normal.rms = add_silhouette(normal, depth, rendered, evidence, center, options)
            if evidence.depth is not None:
                add_depth(normal, depth, evidence, center, options)
        if matches is not None:
            normal.inliers = add_points(normal, pose, matches, evidence, center, options)
        if edges is not None:
            add_edges(normal, pose, edges, evidence, center, options)
        if predicted is not None and options.prior_translation is not None:
            add_prior(normal, pose, predicted, self.center, options)
        return normal


def _negligible(twist: Array, depth: float) -> bool:
    """Whether a step moves no pixel by a noticeable amount: 0.01 % of the distance, 0.01 degrees."""
    return bool(np.abs(twist[:3]).max() < 1e-4 * depth and np.abs(twist[3:]).max() < 2e-4)
