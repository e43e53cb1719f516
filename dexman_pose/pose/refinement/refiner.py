"""Refinement of poses of one mesh: one hypothesis or many, by the fused solver.

The increment is a twist (v, w) with axes of the camera frame and the rotation about the object's centre, which keeps
translation and rotation uncoupled. Silhouette residuals follow the idea of region trackers: a point of the rendered
outline should lie on the mask's edge, and each edge point of the mask should have the rendered outline on it; both
move with the surface point that makes the outline. Next to an occluder or the image border there is no evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry import so3_exp
from dexman_pose.imaging.masks import mask_box
from dexman_pose.meshing.paint import fit_texture
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.refinement.options import COLORS, CONVERGENCE, ColorOptions, ConvergenceOptions
from dexman_pose.pose.refinement.plain import usual_contrast
from dexman_pose.pose.solver.frame_solver import FusedSolver
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.problem import Problem, Solution
from dexman_pose.pose.solver.residuals import EdgeMatches, PointMatches, ShadedPoints
from dexman_pose.render import Rasterizer
from dexman_pose.render.halves import in_halves


@dataclass
class Refined:
    """The outcome of a refinement.

    Attributes:
        camera_from_object: (4, 4).
        cost: final robust cost.
        iou: visible overlap of the rendered outline with the mask.
        hessian: (n, n) normal matrix of the twist about the object's centre, camera axes, then of further unknowns.
        converged: the last step was negligible.
        iterations: steps taken.
        silhouette_rms: pixels of the crop.
        point_inliers: share of point matches within the reach.
        area: pixels of the crop the mesh covers.
        evidence: (n, n) the part of ``hessian`` that comes from the picture, not from priors.
        stretch: (3,) factors on the mesh along its axes, about its centre.
        focal: factor on the focal length.
        first_iou: the ``iou`` of the pose it began at.
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
    evidence: Array = field(default_factory=lambda: np.zeros((POSE_SIZE, POSE_SIZE)))
    stretch: Array = field(default_factory=lambda: np.ones(3))
    focal: float = 1.0
    first_iou: float = 0.0

    @classmethod
    def unrefined(cls, camera_from_object: Array) -> Refined:
        """A pose (4, 4) that has not been refined: nothing is known of how it fits."""
        return cls(camera_from_object, np.inf, 0.0, np.zeros((POSE_SIZE, POSE_SIZE)), False, 0)


def apply_increment(twist: Array, camera_from_object: Array, center: Array) -> Array:
    """Move a pose by a twist (v, w): rotation w about ``center`` (camera frame), then translation v."""
    turn = so3_exp(twist[3:])
    out = camera_from_object.copy()
    out[:3, :3] = turn @ camera_from_object[:3, :3]
    out[:3, 3] = turn @ (camera_from_object[:3, 3] - center) + center + twist[:3]
    return out


class PoseRefiner:
    """Refines poses of one mesh; holds its rasteriser and solver. Not to be shared between threads."""

    def __init__(self, rasterizer: Rasterizer, center: Array) -> None:
        self.rasterizer = rasterizer
        self.center = center
        self.solver = FusedSolver(rasterizer, center)

    @cached_property
    def halves(self) -> tuple[PoseRefiner, PoseRefiner]:
        """Itself, and another one of the same mesh for a second thread."""
        return self, self.twin()

    def twin(self) -> PoseRefiner:
        """Another one of the same mesh, for another thread."""
        return PoseRefiner(self.rasterizer.twin(), self.center)

    @cached_property
    def has_color(self) -> bool:
        """Whether the mesh's colours say more than its shading does; those that the clip gave have its own light."""
        mesh, options = self.rasterizer.mesh, COLORS
        if not _spreads(mesh, options):
            return False
        return mesh.seen is not None or usual_contrast(self.rasterizer, options) > options.plain_contrast

    def refine(
        self,
        camera_from_object: Array,
        evidence: CropObservation,
        options: RefineOptions,
        *,
        matches: PointMatches | None = None,
        edges: EdgeMatches | None = None,
        shaded: ShadedPoints | None = None,
        predicted: Array | None = None,
        stretch: Array | None = None,
        scales: int = 0,
        focal: bool = False,
    ) -> Refined:
        """Minimise all residuals from ``camera_from_object`` on. ``predicted`` is the centre of the motion prior."""
        problem = Problem(
            camera_from_object,
            0,
            matches,
            edges,
            shaded,
            predicted,
            np.ones(3) if stretch is None else stretch,
        )
        return self.refine_all([problem], [evidence], options, scales=scales, focal=focal)[0]

    def refine_all(
        self,
        problems: Sequence[Problem],
        views: Sequence[CropObservation],
        options: RefineOptions,
        *,
        scales: int = 0,
        focal: bool = False,
    ) -> list[Refined]:
        """Minimise every problem in one batch, on the CPU in two, side by side."""

        def solved(half: int, part: Sequence[Problem]) -> list[Refined]:
            solver = self.halves[half].solver if half else self.solver
            found = solver.solve(part, views, options, scales=scales, focal=focal)
            return [_one(found, i) for i in range(len(part))]

        return in_halves(solved, problems) if self.rasterizer.device == "cpu" else solved(0, problems)

    def camera_center(self, pose: Array) -> Array:
        """(3,) the object's centre in the camera frame."""
        moved: Array = pose[:3, :3] @ self.center + pose[:3, 3]
        return moved


def _one(found: Solution, i: int) -> Refined:
    return Refined(
        found.camera_from_object[i],
        float(found.cost[i]),
        float(found.iou[i]),
        found.hessian[i],
        bool(found.converged[i]),
        int(found.steps[i]),
        float(found.outline_rms[i]),
        float(found.inliers[i]),
        int(found.area[i]),
        found.evidence[i],
        found.stretch[i],
        float(found.focal[i]),
        float(found.first_iou[i]),
    )


def is_converged(before: Array, after: Array, options: ConvergenceOptions = CONVERGENCE) -> bool:
    """Whether a step between poses (4, 4) would show in no picture."""
    shift = float(np.abs(after[:3, 3] - before[:3, 3]).max())
    turn = float(np.abs(after[:3, :3] - before[:3, :3]).max())
    return shift < options.shift * float(before[2, 3]) and turn < options.turn


def refiner_for(mesh: Mesh, mask: NDArray[np.bool_] | None = None, device: str = "cpu") -> PoseRefiner:
    """A refiner of a mesh, its texture reduced to the size at which a mask (H, W) shows the object."""
    box = None if mask is None else mask_box(mask)
    if box is not None:
        mesh = fit_texture(mesh, float((box[2:] - box[:2]).max()) + 1.0)
    return PoseRefiner(Rasterizer(mesh, device), mesh.center)


def has_color(refiner: PoseRefiner) -> bool:
    """Whether the mesh's colours say more than its shading does."""
    return refiner.has_color


def _spreads(mesh: Mesh, options: ColorOptions) -> bool:
    """Whether a mesh has more than one colour with its shading."""
    if mesh.texture is not None:
        step = options.texture_step
        return bool(mesh.texture[::step, ::step].reshape(-1, 3).std(0).max() > options.plain_spread)
    return mesh.vertex_colors is not None and bool(mesh.vertex_colors.std(0).max() > options.plain_spread)
