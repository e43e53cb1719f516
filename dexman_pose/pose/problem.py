"""A batch of refinement problems and their solution, as arrays for the fused solver."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.pose import _solver_kernels as terms
from dexman_pose.pose import _step_kernels as steps
from dexman_pose.pose.evidence import Evidence
from dexman_pose.pose.residuals import EdgeMatches, PointMatches, RefineOptions, ShadedPoints

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """One hypothesis and what it is held against.

    Attributes:
        camera_from_object: (4, 4) start.
        view: index of its evidence.
        matches: surface points seen at known pixels, or None.
        edges: outline points and lines of the picture, or None.
        shaded: surface points and their grey value, or None.
        predicted: (4, 4) centre of the motion prior, or None.
        stretch: (3,) factors on the mesh along its axes to start from.
    """

    camera_from_object: Array
    view: int = 0
    matches: PointMatches | None = None
    edges: EdgeMatches | None = None
    shaded: ShadedPoints | None = None
    predicted: Array | None = None
    stretch: Array = field(default_factory=lambda: np.ones(3))


@dataclass(frozen=True)
class Solution:
    """Outcome of a batch of B hypotheses with n unknowns.

    Attributes:
        camera_from_object: (B, 4, 4). With scales unknown it belongs to the mesh stretched about its centre by
            ``stretch``.
        stretch: (B, 3) factors on the mesh along its axes, about its centre.
        focal: (B,) factor on the focal length.
        cost: (B,) final robust cost, priors included.
        hessian: (B, n, n) normal matrix of all terms and priors.
        evidence: (B, n, n) normal matrix of what was seen alone.
        gradient: (B, n) right-hand side of the evidence: minus the gradient of half the cost.
        steps: (B,) steps taken.
        converged: (B,) came to rest.
        iou: (B,) overlap of outline and mask where something is known.
        outline_rms: (B,) pixels of the crop.
        inliers: (B,) share of points that agree.
        area: (B,) pixels of the crop that the mesh covers.
    """

    camera_from_object: Array
    stretch: Array
    focal: Array
    cost: Array
    hessian: Array
    evidence: Array
    gradient: Array
    steps: NDArray[np.int64]
    converged: NDArray[np.bool_]
    iou: Array
    outline_rms: Array
    inliers: Array
    area: NDArray[np.int64]


def lens(view: Evidence) -> tuple[float, float, float, float]:
    """fx, fy, cx, cy of a crop."""
    return view.camera.fx, view.camera.fy, view.camera.cx, view.camera.cy


def point_rows(p: Problem, view: Evidence, o: RefineOptions) -> tuple[NDArray[np.int32], Array, Array]:
    """Kinds (N,), object points (N, 3) and targets (N, 5) of all points of a problem, weights included."""
    kinds, points, targets = [], [], []
    if p.matches is not None:
        share = min(1.0, 150.0 / max(float(p.matches.weight.sum()), 1.0))
        rows = np.zeros((len(p.matches), 5))
        rows[:, :2], rows[:, 4] = view.to_crop(p.matches.pixels), share * p.matches.weight
        kinds.append(np.full(len(rows), terms.POINTS))
        points.append(p.matches.points)
        targets.append(rows)
    if p.edges is not None:
        rows = np.zeros((len(p.edges), 5))
        rows[:, :2], rows[:, 2:4] = view.to_crop(p.edges.pixels), p.edges.normal
        rows[:, 4] = o.edge_weight * min(1.0, 120.0 / max(len(rows), 1))
        kinds.append(np.full(len(rows), terms.EDGES))
        points.append(p.edges.points)
        targets.append(rows)
    if p.shaded is not None:
        rows = np.zeros((len(p.shaded), 5))
        share = o.color_weight * min(1.0, 600.0 / max(len(rows), 1))
        rows[:, 0], rows[:, 4] = p.shaded.gray, share * p.shaded.weight
        kinds.append(np.full(len(rows), terms.COLOR))
        points.append(p.shaded.points)
        targets.append(rows)
    return np.concatenate(kinds).astype(np.int32), np.concatenate(points), np.concatenate(targets)


def unpack(packed: Array, batch: int, unknowns: int) -> tuple[Array, Array]:
    """Normal matrices (B, n, n) and right-hand sides (B, n) of packed lower triangles."""
    rows = packed.reshape(batch, steps.SYSTEM)
    i, j = np.tril_indices(unknowns)
    full = np.zeros((batch, unknowns, unknowns))
    full[:, i, j] = rows[:, : len(i)]
    full[:, j, i] = rows[:, : len(i)]
    return full, np.array(rows[:, terms.TRIANGLE : terms.TRIANGLE + unknowns])
