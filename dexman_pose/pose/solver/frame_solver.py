"""The fused refinement: Levenberg-Marquardt over a batch of hypotheses, everything per iteration in a few kernels.

An iteration renders all hypotheses, sums every residual's share of the normal equations where it arises, and takes the
next step; nothing leaves the device. The unknowns are six numbers of the pose, optionally log-scales and the log of
the focal length. The plain twin is :mod:`dexman_pose.pose.solver.reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._warp import wp
from dexman_pose.arrays import Array
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.solver._launches import SolverLaunches, SolverPlan
from dexman_pose.pose.solver._layout import (
    UNKNOWNS,
    PointSet,
    Prior,
    Projection,
    Report,
    Slot,
    State,
    System,
    Target,
    Term,
    TermWeights,
)
from dexman_pose.pose.solver.options import RefineOptions, SolverOptions
from dexman_pose.pose.solver.problem import (
    EDGE_ROOM,
    Problem,
    Solution,
    point_rows,
    prior_row,
    state_row,
    step_limits,
    term_weights,
    unpack,
    view_arrays,
)
from dexman_pose.render import _raster_kernels as raster
from dexman_pose.render._buffers import Buffers
from dexman_pose.render.rasterizer import Rasterizer

__all__ = ["FusedSolver", "Problem", "Solution"]


_KINDS = {"f8": wp.float64, "f4": wp.float32, "i4": wp.int32, "u1": wp.uint8}
_CUDA_THREADS = 128  # threads that share the picture of one hypothesis
_CUDA_ROWS = 32  # rows of threads that share one face, at most
_CUDA_RASTER_THREADS = 1 << 18  # of one rasterisation, about: more would wait
_NEAR_PLANE = 0.01  # metres before the camera from which on the mesh is drawn


class FusedSolver:
    """Refines poses of one mesh. Build it once per mesh; buffers are kept. Not to be shared between threads.

    Args:
        rasterizer: holds the mesh and its device.
        center: (3,) object point that rotations and scales are about, metres.
        stepping: limits of the steps; left out, the usual ones.
    """

    def __init__(self, rasterizer: Rasterizer, center: Array, stepping: SolverOptions | None = None) -> None:
        self.device = rasterizer.device
        self.center = np.asarray(center, np.float64)
        self._mesh = rasterizer.device_mesh
        self._buffers = Buffers(self.device)
        self._middle = wp.vec3d(*(float(x) for x in self.center))
        self._kernels = SolverLaunches(self.device)
        stepping = SolverOptions() if stepping is None else stepping
        self._first_damping, self._limits = stepping.first_damping, step_limits(stepping)
        self._pointed = False
        self._mask_pixels = np.zeros(0)
        self._view: CropObservation | None = None
        self._held: set[str] = set()

    def solve(
        self,
        problems: Sequence[Problem],
        views: Sequence[CropObservation],
        options: RefineOptions,
        *,
        scales: int = 0,
        focal: bool = False,
    ) -> Solution:
        """Minimise all residuals of every problem.

        Args:
            problems: the hypotheses.
            views: evidence, all crops of one size.
            options: weights and limits.
            scales: unknown factors of the mesh: 0 none, 1 one, 3 one per axis.
            focal: whether a factor on the focal length is unknown.
        """
        height, width = views[0].size
        batch = len(problems)
        threads = 1 if self.device == "cpu" else _CUDA_THREADS
        silhouette = options.use_silhouette and all(v.has_mask for v in views)
        depth = any(v.depth is not None for v in views)
        self._upload_views(views, silhouette, depth)
        self._upload_problems(problems, views, options)
        self._upload_weights(options, silhouette)
        room = batch * threads * Term.SIZE * Slot.SIZE
        slots = self._buffers.get("slots", wp.float64, room)
        self._buffers.clear("slots", room)
        plan = SolverPlan(batch, width, height, threads, silhouette, depth, scales, int(focal))
        self._project(plan)
        report = self._report(batch)
        for iteration in range(options.iterations + 1):
            self._evaluate(plan, slots)
            self._step(plan, slots, first=int(iteration == 0))
            if self.device == "cpu" and report[:, Report.AT_REST].all():
                break
        return self._solution(problems, plan)

    def _report(self, batch: int) -> Array:
        values = np.zeros((batch, Report.SIZE))
        values[:, Report.DAMPING] = self._first_damping
        self._put("report", values)
        return self._buffers.host("report", values.size).reshape(batch, Report.SIZE)

    def _put(self, name: str, values: NDArray[Any]) -> Any:
        """Copy values into a named buffer of their own type."""
        flat = np.ascontiguousarray(values).reshape(-1)
        array = self._buffers.get(name, _KINDS[flat.dtype.str[1:]], max(flat.size, 1))
        if self.device == "cpu":
            self._buffers.host(name, flat.size)[:] = flat
        elif flat.size:
            wp.copy(array, wp.array(flat, dtype=array.dtype, device=self.device), count=flat.size)
        return array

    def _upload_weights(self, options: RefineOptions, silhouette: bool) -> None:
        row, array = term_weights(options, silhouette), self._get("weights", 1, TermWeights)
        if self.device == "cpu":  # as plain numbers: structs are copied field by field
            self._buffers.host("weights", 1).view(np.float64)[:] = row.view(np.float64)
        else:
            wp.copy(array, wp.array(row, dtype=TermWeights, device=self.device))

    def _upload_views(self, views: Sequence[CropObservation], silhouette: bool, depth: bool) -> None:
        """What the kernels will read of the views; a single view often comes twice and is kept."""
        if len(views) != 1 or views[0] is not self._view:
            self._view = views[0] if len(views) == 1 else None
            self._held.clear()
            self._mask_pixels = np.array([float(v.known_pixels) for v in views])
        for name, kind, rows in view_arrays(views, silhouette, depth):
            if rows is None:  # no kernel will read it, but each wants an array
                self._get(name, 1, _KINDS[kind])
            elif name not in self._held:
                made = rows()
                self._put(name, made[0] if len(made) == 1 else np.stack(made))
                self._held.add(name)

    def _upload_problems(
        self, problems: Sequence[Problem], views: Sequence[CropObservation], options: RefineOptions
    ) -> None:
        state = np.zeros((len(problems), State.SIZE))
        prior = np.zeros((len(problems), Prior.SIZE))
        for i, p in enumerate(problems):
            state[i] = state_row(p.camera_from_object, p.stretch, self.center)
            middle = state[i] if p.predicted is None else state_row(p.predicted, p.stretch, self.center)
            prior[i] = prior_row(p, middle, options)
        for name in ("candidate", "best"):
            self._put(name, state)
        self._put("prior", prior)
        self._put("view_of", np.array([p.view for p in problems], np.int32))
        self._upload_points(problems, views, options)

    def _upload_points(
        self, problems: Sequence[Problem], views: Sequence[CropObservation], options: RefineOptions
    ) -> None:
        """Sets of points; problems that share the same matches share a set."""
        known: dict[tuple[int, int, int, int], int] = {}
        set_of: list[int] = []
        bounds: list[tuple[int, int]] = []
        parts = []
        at = 0
        for p in problems:
            key = (p.view, id(p.matches), id(p.edges), id(p.shaded))
            if p.matches is None and p.edges is None and p.shaded is None:
                set_of.append(-1)
                continue
            if key not in known:
                known[key] = len(bounds)
                part = point_rows(p, views[p.view], options)
                bounds.append((at, at + len(part[0])))
                at += len(part[0])
                parts.append(part)
            set_of.append(known[key])
        self._pointed = bool(parts)
        self._put("set_of", np.array(set_of, np.int32))
        sets = np.zeros((max(len(bounds), 1), PointSet.SIZE), np.int32)
        for i, (first, end) in enumerate(bounds):
            sets[i, PointSet.FIRST], sets[i, PointSet.END] = first, end
        self._put("sets", sets)
        kinds = [p[0] for p in parts] or [np.zeros(0, np.int32)]
        self._put("kinds", np.concatenate(kinds))
        self._put("points", np.concatenate([p[1] for p in parts] or [np.zeros((0, 3))]))
        self._put("targets", np.concatenate([p[2] for p in parts] or [np.zeros((0, Target.SIZE))]))

    def _get(self, name: str, size: int = 0, dtype: Any = wp.float64) -> Any:
        return self._buffers.get(name, dtype, size)

    def _project(self, plan: SolverPlan) -> None:
        b = self._buffers
        self._kernels.project_states(
            (plan.batch,),
            b.kept("candidate"),
            self._middle,
            b.kept("view_of"),
            b.kept("views"),
            self._get("projection", plan.batch * Projection.SIZE),
        )

    def _evaluate(self, plan: SolverPlan, slots: Any) -> None:
        """Render all candidates and sum their residuals into the slots."""
        b, batch = self._buffers, plan.batch
        if plan.silhouette or plan.depth:
            nearest = self._render(plan)
            self._kernels.dense_terms(
                (batch, plan.threads),
                nearest,
                b.kept("candidate"),
                b.kept("view_of"),
                b.kept("views"),
                b.kept("field"),
                b.kept("smooth"),
                b.kept("code"),
                b.kept("measured"),
                plan.width,
                plan.height,
                plan.scales,
                plan.focal,
                b.kept("weights"),
                int(plan.silhouette),
                int(plan.depth),
                plan.threads,
                slots,
            )
            if plan.silhouette:
                self._kernels.mask_edges(
                    (batch, plan.threads),
                    nearest,
                    b.kept("candidate"),
                    b.kept("view_of"),
                    b.kept("views"),
                    b.kept("edges"),
                    b.kept("edge_count"),
                    EDGE_ROOM,
                    plan.width,
                    plan.height,
                    plan.scales,
                    plan.focal,
                    b.kept("weights"),
                    plan.threads,
                    slots,
                )
        if self._pointed:
            self._kernels.sparse_terms(
                (batch, plan.threads),
                b.kept("candidate"),
                plan.scales,
                plan.focal,
                self._middle,
                b.kept("view_of"),
                b.kept("views"),
                b.kept("set_of"),
                b.kept("sets"),
                b.kept("kinds"),
                b.kept("points"),
                b.kept("targets"),
                b.kept("code"),
                b.kept("picture"),
                plan.width,
                plan.height,
                b.kept("weights"),
                plan.threads,
                slots,
            )

    def _render(self, plan: SolverPlan) -> Any:
        vertices, faces, hull = self._mesh
        pixels = plan.batch * plan.width * plan.height
        nearest = self._get("nearest", pixels + raster.LANES - 1, wp.float32)
        keys = self._get("keys", 0, wp.uint64)
        screen = self._get("screen", plan.batch * vertices.shape[0], wp.vec3d)
        projection = self._buffers.kept("projection")
        self._buffers.clear("nearest", pixels)
        cpu = self.device == "cpu"
        per_vertex, per_face = (1, 1) if cpu else (vertices.shape[0], faces.shape[0])
        rows = (
            1
            if cpu
            else max(1, min(plan.height, _CUDA_ROWS, _CUDA_RASTER_THREADS // max(1, plan.batch * per_face)))
        )
        self._kernels.project_vertices(
            (plan.batch, per_vertex), vertices, projection, _NEAR_PLANE, per_vertex, screen
        )
        self._kernels.rasterize(
            (plan.batch, per_face, rows),
            vertices,
            faces,
            hull,
            projection,
            screen,
            _NEAR_PLANE,
            plan.width,
            plan.height,
            per_face,
            rows,
            False,
            nearest,
            keys,
        )
        return nearest

    def _step(self, plan: SolverPlan, slots: Any, first: int) -> None:
        """Accept or reject the candidates and take the next step."""
        b, n = self._buffers, plan.batch
        trial = self._get("trial", n * Report.SIZE)
        system = self._get("system", n * System.SIZE)
        self._kernels.gather_terms(
            (n,),
            slots,
            plan.threads,
            b.kept("view_of"),
            b.kept("wanted"),
            b.kept("weights"),
            system,
            trial,
        )
        self._kernels.step_states(
            (n,),
            trial,
            system,
            b.kept("prior"),
            b.kept("weights"),
            self._limits,
            self._middle,
            b.kept("view_of"),
            b.kept("views"),
            plan.scales,
            plan.focal,
            first,
            b.kept("candidate"),
            b.kept("best"),
            self._get("best_system", n * System.SIZE),
            self._get("evidence_system", n * System.SIZE),
            b.kept("report"),
            self._get("factor", n * UNKNOWNS**2),
            self._get("step", n * UNKNOWNS),
            b.kept("projection"),
        )

    def _solution(self, problems: Sequence[Problem], plan: SolverPlan) -> Solution:
        n, host = plan.batch, self._buffers.host
        state = np.array(host("best", n * State.SIZE)).reshape(n, State.SIZE)
        report = np.array(host("report", n * Report.SIZE)).reshape(n, Report.SIZE)
        hessian, _ = unpack(host("best_system", n * System.SIZE), n, plan.unknowns)
        evidence, gradient = unpack(host("evidence_system", n * System.SIZE), n, plan.unknowns)
        poses = np.tile(np.eye(4), (n, 1, 1))
        poses[:, :3, :3] = state[:, State.ROTATION : State.CENTER].reshape(n, 3, 3)
        poses[:, :3, 3] = state[:, State.CENTER : State.LOG_SCALE] - poses[:, :3, :3] @ self.center
        known = self._mask_pixels[[p.view for p in problems]]
        return Solution(
            camera_from_object=poses,
            stretch=np.exp(state[:, State.LOG_SCALE : State.LOG_FOCAL]),
            focal=np.exp(state[:, State.LOG_FOCAL]),
            cost=report[:, Report.COST],
            hessian=hessian,
            evidence=evidence,
            gradient=gradient,
            steps=report[:, Report.STEPS].astype(np.int64),
            converged=report[:, Report.AT_REST] > 0,
            iou=_overlap(report[:, Report.HITS], report[:, Report.DRAWN], known),
            first_iou=_overlap(report[:, Report.FIRST_HITS], report[:, Report.FIRST_DRAWN], known),
            outline_rms=np.sqrt(report[:, Report.SQUARES] / np.maximum(report[:, Report.OUTLINE], 1.0)),
            inliers=report[:, Report.AGREEING],
            area=report[:, Report.AREA].astype(np.int64),
        )


def _overlap(hits: Array, drawn: Array, known: Array) -> Array:
    """(B,) intersection over union of drawn outlines with masks of ``known`` pixels."""
    out: Array = hits / np.maximum(drawn + known - hits, 1.0)
    return out
