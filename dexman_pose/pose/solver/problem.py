"""A batch of refinement problems and their solution, as arrays for the fused solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.solver import _dense_kernels as terms
from dexman_pose.pose.solver import _step_kernels as steps
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.residuals import EdgeMatches, PointMatches, ShadedPoints

EDGE_ROOM = 400
"""Edge points of a mask that are used at most; more say the same."""


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


def lens(view: CropObservation) -> tuple[float, float, float, float]:
    """fx, fy, cx, cy of a crop."""
    return view.camera.fx, view.camera.fy, view.camera.cx, view.camera.cy


Rows = Callable[[], list[NDArray[Any]]]
"""Makes one array per view."""


def view_arrays(
    views: Sequence[CropObservation], silhouette: bool, depth: bool
) -> Iterator[tuple[str, str, Rows | None]]:
    """Name, kind of number and rows of each array that kernels read of the views; None where they will not."""
    size = views[0].size
    shaded = any(v.gray is not None for v in views)
    yield "views", "f8", lambda: [np.array([*lens(v), *v.factors, *v.origin]) for v in views]
    yield "wanted", "f8", lambda: [np.array([float(v.depth_count)]) for v in views]
    yield "code", "u1", lambda: [v.code for v in views]
    yield "field", "f4", (lambda: [v.sdf for v in views]) if silhouette or depth else None
    yield "smooth", "f4", (lambda: [v.smooth for v in views]) if silhouette else None
    yield "edges", "f4", (lambda: [_edge_rows(v) for v in views]) if silhouette else None
    yield "edge_count", "i4", (lambda: [_edge_count(v) for v in views]) if silhouette else None
    yield "measured", "f4", (lambda: [_image(v.depth, size) for v in views]) if depth else None
    yield "picture", "f4", (lambda: [_image(v.gray, size) for v in views]) if shaded else None


def _image(values: NDArray[np.float32] | None, size: tuple[int, int]) -> NDArray[np.float32]:
    return np.zeros(size, np.float32) if values is None else values


def _edge_rows(view: CropObservation) -> NDArray[np.float32]:
    """(EDGE_ROOM, 4) edge points of the mask and their normals."""
    rows = np.zeros((EDGE_ROOM, 4), np.float32)
    kept = view.edge[_kept(view)]
    rows[: len(kept), :2], rows[: len(kept), 2:] = kept, view.edge_normal[_kept(view)]
    return rows


def _edge_count(view: CropObservation) -> NDArray[np.int32]:
    return np.array([len(view.edge[_kept(view)])], np.int32)


def _kept(view: CropObservation) -> slice:
    return slice(None, None, 1 + len(view.edge) // (EDGE_ROOM + 1))


def point_rows(p: Problem, view: CropObservation, o: RefineOptions) -> tuple[NDArray[np.int32], Array, Array]:
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


@cache
def _triangle(unknowns: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.tril_indices(unknowns)


def unpack(packed: Array, batch: int, unknowns: int) -> tuple[Array, Array]:
    """Normal matrices (B, n, n) and right-hand sides (B, n) of packed lower triangles."""
    rows = packed.reshape(batch, steps.SYSTEM)
    i, j = _triangle(unknowns)
    full = np.zeros((batch, unknowns, unknowns))
    full[:, i, j] = rows[:, : len(i)]
    full[:, j, i] = rows[:, : len(i)]
    return full, np.array(rows[:, terms.TRIANGLE : terms.TRIANGLE + unknowns])
