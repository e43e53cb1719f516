"""A batch of refinement problems and their solution, as arrays for the fused solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.solver._layout import (
    EdgePoint,
    Prior,
    State,
    StepLimits,
    System,
    Target,
    Term,
    TermWeights,
    View,
)
from dexman_pose.pose.solver.options import RefineOptions, SolverOptions
from dexman_pose.pose.solver.residuals import EdgeMatches, PointMatches, ShadedPoints

_WEIGHTS = np.dtype(TermWeights.numpy_dtype())  # type: ignore[attr-defined]  # a struct of Warp's has it
_in_order = itemgetter(*(_WEIGHTS.names or ()))

_PIXEL = slice(Target.PIXEL_X, Target.PIXEL_Y + 1)
_NORMAL = slice(Target.NORMAL_X, Target.NORMAL_Y + 1)

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
        first_iou: (B,) the same of the poses they began at.
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
    first_iou: Array
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
    yield "views", "f8", lambda: [_view_row(v) for v in views]
    yield "wanted", "f8", lambda: [np.array([float(v.depth_count)]) for v in views]
    yield "code", "u1", lambda: [v.code for v in views]
    yield "field", "f4", (lambda: [v.sdf for v in views]) if silhouette or depth else None
    yield "smooth", "f4", (lambda: [v.smooth for v in views]) if silhouette else None
    yield "edges", "f4", (lambda: [_edge_rows(v) for v in views]) if silhouette else None
    yield "edge_count", "i4", (lambda: [_edge_count(v) for v in views]) if silhouette else None
    yield "measured", "f4", (lambda: [_image(v.depth, size) for v in views]) if depth else None
    yield "picture", "f4", (lambda: [_image(v.gray, size) for v in views]) if shaded else None


def _view_row(view: CropObservation) -> Array:
    row = np.zeros(View.SIZE)
    row[[View.FX, View.FY, View.CX, View.CY]] = lens(view)
    row[[View.FACTOR_X, View.FACTOR_Y]] = view.factors
    return row


def _image(values: NDArray[np.float32] | None, size: tuple[int, int]) -> NDArray[np.float32]:
    return np.zeros(size, np.float32) if values is None else values


def _edge_rows(view: CropObservation) -> NDArray[np.float32]:
    """(EDGE_ROOM, EdgePoint.SIZE) edge points of the mask and their normals."""
    rows = np.zeros((EDGE_ROOM, EdgePoint.SIZE), np.float32)
    kept = view.edge[_kept(view)]
    rows[: len(kept), EdgePoint.X : EdgePoint.NORMAL_X] = kept
    rows[: len(kept), EdgePoint.NORMAL_X : EdgePoint.SIZE] = view.edge_normal[_kept(view)]
    return rows


def _edge_count(view: CropObservation) -> NDArray[np.int32]:
    return np.array([len(view.edge[_kept(view)])], np.int32)


def _kept(view: CropObservation) -> slice:
    """Every n-th edge point, n as small as the room allows."""
    return slice(None, None, max(1, -(-len(view.edge) // EDGE_ROOM)))


def point_rows(p: Problem, view: CropObservation, o: RefineOptions) -> tuple[NDArray[np.int32], Array, Array]:
    """Terms (N,), object points (N, 3) and targets (N, Target.SIZE) of all points of a problem, weights included."""
    parts = []
    if p.matches is not None:
        share = min(1.0, o.point_most / max(float(p.matches.weight.sum()), 1.0))
        rows = _targets(share * p.matches.weight)
        rows[:, _PIXEL] = view.to_crop(p.matches.pixels)
        parts.append((Term.POINTS, p.matches.points, rows))
    if p.edges is not None:
        rows = _targets(np.full(len(p.edges), o.edge_weight * min(1.0, o.edge_most / max(len(p.edges), 1))))
        rows[:, _PIXEL] = view.to_crop(p.edges.pixels)
        rows[:, _NORMAL] = p.edges.normal
        parts.append((Term.EDGES, p.edges.points, rows))
    if p.shaded is not None:
        share = o.color_weight * min(1.0, o.color_most / max(len(p.shaded), 1))
        rows = _targets(share * p.shaded.weight)
        rows[:, Target.GRAY] = p.shaded.gray
        parts.append((Term.COLOR, p.shaded.points, rows))
    kinds = np.concatenate([np.full(len(rows), term, np.int32) for term, _, rows in parts])
    return kinds, np.concatenate([points for _, points, _ in parts]), np.concatenate([r for _, _, r in parts])


def _targets(weight: Array) -> Array:
    rows = np.zeros((len(weight), Target.SIZE))
    rows[:, Target.WEIGHT] = weight
    return rows


def state_row(camera_from_object: Array, stretch: Array, center: Array) -> Array:
    """(State.SIZE,) state of a pose (4, 4), with factors (3,) on the mesh about its ``center`` (3,) in metres."""
    row = np.zeros(State.SIZE)
    rotation = camera_from_object[:3, :3]
    row[State.ROTATION : State.CENTER] = rotation.reshape(-1)
    row[State.CENTER : State.LOG_SCALE] = rotation @ center + camera_from_object[:3, 3]
    row[State.LOG_SCALE : State.LOG_FOCAL] = np.log(stretch)
    return row


def prior_row(p: Problem, middle: Array, o: RefineOptions) -> Array:
    """(Prior.SIZE,) prior of a problem about the pose of the state ``middle``.

    Without a prediction, or without a sigma, it leaves the pose free.
    """
    row = np.zeros(Prior.SIZE)
    row[Prior.ROTATION : Prior.TRANSLATION_INFORMATION] = middle[State.ROTATION : State.LOG_SCALE]
    if p.predicted is not None and o.prior_translation is not None:
        row[Prior.TRANSLATION_INFORMATION] = o.prior_translation**-2
        row[Prior.ROTATION_INFORMATION] = o.prior_rotation**-2
    row[Prior.SCALE_INFORMATION] = o.prior_scale**-2
    row[Prior.FOCAL_INFORMATION] = o.prior_focal**-2
    return row


def term_weights(o: RefineOptions, use_silhouette: bool) -> NDArray[np.void]:
    """(1,) the options as kernels read them: one row of :class:`TermWeights`."""
    named = {
        "use_silhouette": use_silhouette,
        "silhouette_information": o.silhouette_sigma**-2,
        "silhouette_reach": o.silhouette_reach,
        "silhouette_weight": o.silhouette_weight,
        "silhouette_most": o.silhouette_most,
        "depth_information": o.depth_sigma**-2,
        "depth_reach": o.reach,
        "depth_weight": o.depth_weight,
        "depth_most": o.depth_most,
        "depth_facing": o.depth_facing,
        "depth_scale": o.depth_scale,
        "depth_shift": o.depth_shift,
        "point_information": o.point_sigma**-2,
        "point_reach": o.reach,
        "point_inlier": o.point_inlier**2,
        "edge_information": o.edge_sigma**-2,
        "edge_reach": o.edge_reach,
        "color_information": o.color_sigma**-2,
        "color_reach": o.color_reach,
        "color_inlier": o.color_inlier**2,
        "small_gain": o.small_gain,
    }
    # A view of plain numbers is ten times as fast as a row filled field by field.
    return np.array(_in_order(named), np.float64).view(_WEIGHTS)


def step_limits(o: SolverOptions) -> StepLimits:
    """The options as kernels read them: fields of one name."""
    limits = StepLimits()
    for f in fields(o):
        setattr(limits, f.name, getattr(o, f.name))
    return limits


@cache
def _triangle(unknowns: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.tril_indices(unknowns)


def unpack(packed: Array, batch: int, unknowns: int) -> tuple[Array, Array]:
    """Normal matrices (B, n, n) and right-hand sides (B, n) of packed lower triangles."""
    rows = packed.reshape(batch, System.SIZE)
    i, j = _triangle(unknowns)
    full = np.zeros((batch, unknowns, unknowns))
    full[:, i, j] = rows[:, : len(i)]
    full[:, j, i] = rows[:, : len(i)]
    return full, np.array(rows[:, System.RIGHT : System.RIGHT + unknowns])
