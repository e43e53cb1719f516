"""The fused refinement: Levenberg-Marquardt over a batch of hypotheses, everything per iteration in a few kernels.

An iteration renders all hypotheses, sums every residual's share of the normal equations where it arises, and takes the
next step; nothing leaves the device. The unknowns are six numbers of the pose, optionally log-scales and the log of
the focal length. The plain twin is :mod:`dexman_pose.pose.solver.reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.solver import _dense_kernels as terms
from dexman_pose.pose.solver import _point_kernels as sparse
from dexman_pose.pose.solver import _step_kernels as steps
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.problem import EDGE_ROOM, Problem, Solution, point_rows, unpack, view_arrays
from dexman_pose.render import _raster_kernels as raster
from dexman_pose.render._buffers import Buffers
from dexman_pose.render._warp import wp
from dexman_pose.render.commands import Command
from dexman_pose.render.rasterizer import Rasterizer

__all__ = ["FusedSolver", "Problem", "Solution"]


_KINDS = {"f8": wp.float64, "f4": wp.float32, "i4": wp.int32, "u1": wp.uint8}
_CUDA_THREADS = 128  # threads that share the picture of one hypothesis


class FusedSolver:
    """Refines poses of one mesh. Build it once per mesh; buffers are kept. Not to be shared between threads.

    Args:
        rasterizer: holds the mesh and its device.
        center: (3,) object point that rotations and scales are about, metres.
    """

    def __init__(self, rasterizer: Rasterizer, center: Array) -> None:
        self.device = rasterizer.device
        self.center = np.asarray(center, np.float64)
        self._mesh = rasterizer.device_mesh
        self._buffers = Buffers(self.device)
        self._middle = wp.vec3d(*(float(x) for x in self.center))
        kernels = (
            raster.project_vertices,
            raster.rasterize,
            terms.dense_terms,
            terms.mask_edges,
            sparse.sparse_terms,
            steps.project_states,
            steps.gather_terms,
            steps.step_states,
        )
        self._pointed = False
        self._mask_pixels = np.zeros(0)
        self._view: CropObservation | None = None
        self._held: set[str] = set()
        self._commands = [Command(k, self.device) for k in kernels]

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
        slots = self._buffers.get("slots", wp.float64, batch * threads * terms.TERMS * terms.SLOT)
        self._buffers.clear("slots", batch * threads * terms.TERMS * terms.SLOT)
        plan = _Plan(batch, width, height, threads, silhouette, depth, scales, int(focal))
        self._project(plan)
        report = self._report(batch)
        for iteration in range(options.iterations + 1):
            self._evaluate(plan, slots)
            self._step(plan, slots, first=int(iteration == 0))
            if self.device == "cpu" and report[:, 3].all():
                break
        return self._solution(problems, plan)

    def _report(self, batch: int) -> Array:
        values = np.zeros((batch, steps.REPORT))
        values[:, 1] = 1e-3
        self._put("report", values)
        return self._buffers.host("report", values.size).reshape(batch, steps.REPORT)

    def _put(self, name: str, values: NDArray[Any]) -> Any:
        """Copy values into a named buffer of their own type."""
        flat = np.ascontiguousarray(values).reshape(-1)
        array = self._buffers.get(name, _KINDS[flat.dtype.str[1:]], max(flat.size, 1))
        if self.device == "cpu":
            self._buffers.host(name, flat.size)[:] = flat
        elif flat.size:
            wp.copy(array, wp.array(flat, dtype=array.dtype, device=self.device), count=flat.size)
        return array

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
                self._put(name, np.stack(rows()))
                self._held.add(name)

    def _upload_problems(
        self, problems: Sequence[Problem], views: Sequence[CropObservation], options: RefineOptions
    ) -> None:
        state = np.zeros((len(problems), terms.STATE))
        prior = np.zeros((len(problems), steps.PRIOR))
        for i, p in enumerate(problems):
            state[i] = self._state(p.camera_from_object, p.stretch)
            prior[i, :12] = self._state(
                p.camera_from_object if p.predicted is None else p.predicted, p.stretch
            )[:12]
            if p.predicted is not None and options.prior_translation is not None:
                prior[i, 12:14] = options.prior_translation**-2, options.prior_rotation**-2
            prior[i, 17:19] = options.prior_scale**-2, options.prior_focal**-2
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
        self._put("sets", np.array(bounds or [(0, 0)], np.int32))
        kinds = [p[0] for p in parts] or [np.zeros(0, np.int32)]
        self._put("kinds", np.concatenate(kinds))
        self._put("points", np.concatenate([p[1] for p in parts] or [np.zeros((0, 3))]))
        self._put("targets", np.concatenate([p[2] for p in parts] or [np.zeros((0, 5))]))

    def _upload_weights(self, o: RefineOptions, silhouette: bool) -> None:
        sigmas = [o.silhouette_sigma**-2, o.silhouette_reach, o.depth_sigma**-2, o.reach, o.depth_scale]
        sigmas += [o.depth_shift, o.point_sigma**-2, o.reach, o.edge_sigma**-2, 3.0]
        sigmas += [o.color_sigma**-2, o.color_reach]
        self._put("sigmas", np.array(sigmas, np.float64))
        weights = [o.silhouette_weight, o.depth_weight, o.reach, float(silhouette), o.small_gain]
        self._put("weights", np.array(weights, np.float64))

    def _state(self, pose: Array, stretch: Array) -> Array:
        out = np.zeros(terms.STATE)
        out[:9] = pose[:3, :3].reshape(-1)
        out[9:12] = pose[:3, :3] @ self.center + pose[:3, 3]
        out[12:15] = np.log(stretch)
        return out

    def _get(self, name: str, size: int = 0, dtype: Any = wp.float64) -> Any:
        return self._buffers.get(name, dtype, size)

    def _project(self, plan: _Plan) -> None:
        b = self._buffers
        self._commands[5](
            (plan.batch,),
            b.kept("candidate"),
            self._middle,
            b.kept("view_of"),
            b.kept("views"),
            self._get("projection", plan.batch * 12),
        )

    def _evaluate(self, plan: _Plan, slots: Any) -> None:
        """Render all candidates and sum their residuals into the slots."""
        b, batch = self._buffers, plan.batch
        if plan.silhouette or plan.depth:
            nearest = self._render(plan)
            self._commands[2](
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
                int(plan.silhouette),
                int(plan.depth),
                plan.scales,
                plan.focal,
                b.kept("sigmas"),
                plan.threads,
                slots,
            )
            if plan.silhouette:
                self._commands[3](
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
                    b.kept("sigmas"),
                    plan.threads,
                    slots,
                )
        if self._pointed:
            self._commands[4](
                (batch, plan.threads),
                b.kept("candidate"),
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
                plan.scales,
                plan.focal,
                b.kept("sigmas"),
                plan.threads,
                slots,
            )

    def _render(self, plan: _Plan) -> Any:
        vertices, faces, hull = self._mesh
        pixels = plan.batch * plan.width * plan.height
        nearest = self._get("nearest", pixels + raster.LANES - 1, wp.float32)
        keys = self._get("keys", 0, wp.uint64)
        screen = self._get("screen", plan.batch * vertices.shape[0], wp.vec3d)
        projection = self._buffers.kept("projection")
        self._buffers.clear("nearest", pixels)
        cpu = self.device == "cpu"
        per_vertex, per_face = (1, 1) if cpu else (vertices.shape[0], faces.shape[0])
        rows = 1 if cpu else max(1, min(plan.height, 32, (1 << 18) // max(1, plan.batch * per_face)))
        self._commands[0]((plan.batch, per_vertex), vertices, projection, 0.01, per_vertex, screen)
        self._commands[1](
            (plan.batch, per_face, rows),
            vertices,
            faces,
            hull,
            projection,
            screen,
            0.01,
            plan.width,
            plan.height,
            per_face,
            rows,
            False,
            nearest,
            keys,
        )
        return nearest

    def _step(self, plan: _Plan, slots: Any, first: int) -> None:
        """Accept or reject the candidates and take the next step."""
        b, n = self._buffers, plan.batch
        trial = self._get("trial", n * steps.REPORT)
        system = self._get("system", n * steps.SYSTEM)
        self._commands[6](
            (n,),
            slots,
            plan.threads,
            b.kept("view_of"),
            b.kept("wanted"),
            b.kept("weights"),
            system,
            trial,
        )
        self._commands[7](
            (n,),
            trial,
            system,
            b.kept("prior"),
            b.kept("weights"),
            self._middle,
            b.kept("view_of"),
            b.kept("views"),
            plan.scales,
            plan.focal,
            first,
            b.kept("candidate"),
            b.kept("best"),
            self._get("best_system", n * steps.SYSTEM),
            self._get("evidence_system", n * steps.SYSTEM),
            b.kept("report"),
            self._get("factor", n * terms.UNKNOWNS**2),
            self._get("step", n * terms.UNKNOWNS),
            b.kept("projection"),
        )

    def _solution(self, problems: Sequence[Problem], plan: _Plan) -> Solution:
        n, host = plan.batch, self._buffers.host
        state = np.array(host("best", n * terms.STATE)).reshape(n, terms.STATE)
        report = np.array(host("report", n * steps.REPORT)).reshape(n, steps.REPORT)
        hessian, _ = unpack(host("best_system", n * steps.SYSTEM), n, plan.unknowns)
        evidence, gradient = unpack(host("evidence_system", n * steps.SYSTEM), n, plan.unknowns)
        poses = np.tile(np.eye(4), (n, 1, 1))
        poses[:, :3, :3] = state[:, :9].reshape(n, 3, 3)
        poses[:, :3, 3] = state[:, 9:12] - poses[:, :3, :3] @ self.center
        known = self._mask_pixels[[p.view for p in problems]]
        hits, drawn = report[:, 4], report[:, 5]
        union = drawn + known - hits
        return Solution(
            camera_from_object=poses,
            stretch=np.exp(state[:, 12:15]),
            focal=np.exp(state[:, 15]),
            cost=report[:, 0],
            hessian=hessian,
            evidence=evidence,
            gradient=gradient,
            steps=report[:, 2].astype(np.int64),
            converged=report[:, 3] > 0,
            iou=hits / np.maximum(union, 1.0),
            outline_rms=np.sqrt(report[:, 7] / np.maximum(report[:, 8], 1.0)),
            inliers=report[:, 9],
            area=report[:, 6].astype(np.int64),
        )


@dataclass(frozen=True)
class _Plan:
    """Sizes and switches of one call."""

    batch: int
    width: int
    height: int
    threads: int
    silhouette: bool
    depth: bool
    scales: int
    focal: int

    @property
    def unknowns(self) -> int:
        return 6 + self.scales + self.focal
