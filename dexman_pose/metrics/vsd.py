"""Visible surface discrepancy (VSD) as BOP defines it: how much of what is seen of an object does not fit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Literal
from weakref import finalize

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose._warp import wp
from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.metrics import _crop, _given
from dexman_pose.metrics._images import Images, ImageSource
from dexman_pose.metrics._vsd_kernels import HEAD, INTERSECTION, UNION, compare
from dexman_pose.metrics.poses import checked_poses
from dexman_pose.metrics.poses import diameter as largest_distance
from dexman_pose.progress import progress
from dexman_pose.render._buffers import Buffers
from dexman_pose.render.commands import Command
from dexman_pose.render.rasterizer import Rasterizer

TAUS = tuple(round(0.05 * i, 2) for i in range(1, 11))
"""The thresholds of the BOP challenge, as shares of the diameter."""

_FEW = 8  # frames that one thread does sooner than two


def vsd(
    estimated: ArrayLike,
    true: ArrayLike,
    mesh: Mesh,
    camera: Camera,
    depth: ImageSource,
    *,
    delta: float = 0.015,
    taus: Sequence[float] = TAUS,
    normalized_by_diameter: bool = True,
    cost: Literal["step", "tlinear"] = "step",
    visibility: Literal["bop19", "bop18"] = "bop19",
    diameter: float | None = None,
) -> Array:
    """VSD of poses, for each threshold tau.

    Depth is rendered under both poses, and all three depth images become distances from the camera centre. A pixel of
    the true rendering is visible when it lies at most ``delta`` behind the measured distance, or (``bop19``) nothing
    was measured there; one of the estimate likewise, or when the truth is visible there. The error is the summed cost
    over the pixels visible in both, plus the number of pixels visible in one alone, over the number of pixels visible
    in any; 1 where there is none.

    Only the box around both outlines is rendered and looked at. Where the boxes of the two outlines are apart, the
    answer is 1 without rendering: BOP asks whether the projections of spheres of the object's diameter about the
    model's origin are apart, which depends on where the origin lies and can answer 1 for outlines that just touch.

    Args:
        estimated: (..., 4, 4) camera_from_object, metres.
        true: (..., 4, 4), of the same leading dimensions (or such that broadcast).
        mesh: the object, metres.
        camera: the camera; without distortion.
        depth: metres along the optical axis, 0 (or anything that is not positive and finite) where there is none:
            (H, W) for all poses, (N, H, W) with N the flattened leading dimensions, or a function from the index of a
            pose to (H, W), called in ascending order by one thread at a time and only for poses that need it; then
            memory stays constant.
        delta: metres, tolerance of visibility.
        taus: thresholds, positive, as shares of the diameter (or in metres where not normalised).
        normalized_by_diameter: divide differences by the diameter.
        cost: ``"step"``: 1 for a difference of tau or more, else 0; ``"tlinear"``: difference / tau, at most 1.
        visibility: ``"bop19"``: where nothing was measured everything is visible; ``"bop18"``: nothing is.
        diameter: metres, the largest distance between two vertices; None: worked out from the mesh.

    Returns:
        (..., len(taus)) in [0, 1], 0 best.

    Raises:
        InputError: wrong shapes, NaN in a pose, thresholds that are not positive, or a camera with distortion.

    References:
        Hodan et al., "On Evaluation of 6D Object Pose Estimation" (2016) and "BOP: Benchmark for 6D Object Pose
        Estimation" (2018); visibility "bop19" and the step cost as in the BOP challenge since 2019.
    """
    _crop.require_undistorted(camera, "VSD")
    guesses, truths = checked_poses(estimated, true)
    pairs = np.stack([truths, guesses], -3)
    thresholds = _checked_taus(taus)
    if cost not in ("step", "tlinear"):
        raise InputError(f"cost must be 'step' or 'tlinear', but got {cost!r}")
    if visibility not in ("bop19", "bop18"):
        raise InputError(f"visibility must be 'bop19' or 'bop18', but got {visibility!r}")
    if not (np.isfinite(delta) and delta >= 0):
        raise InputError(f"delta must be a distance in metres, not negative, but got {delta}")
    flat = pairs.reshape(-1, 2, 4, 4)
    images = Images(depth, len(flat), camera, "depth")
    scorer = _scorer_of(mesh)
    size = scorer.diameter(diameter) if normalized_by_diameter else 1.0
    rule = _Rule(camera, float(delta), size, thresholds, cost == "step", visibility == "bop19")
    return scorer.score(flat, images, rule).reshape(*pairs.shape[:-3], len(thresholds))


@dataclass(frozen=True)
class _Rule:
    """What is counted; ``size`` divides differences, ``taus`` are in the user's order."""

    camera: Camera
    delta: float
    size: float
    taus: Array
    step: bool
    missing_visible: bool

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """What sorts the thresholds."""
        return np.argsort(self.taus)

    @cached_property
    def ascending(self) -> Array:
        """The sorted thresholds, followed by infinity."""
        return np.append(self.taus[self.order], np.inf)


@dataclass(frozen=True)
class _Task:
    """One pose to be compared: its index and the crop."""

    index: int
    box: _crop.Box


class _Scorer:
    """Compares poses of one mesh, a worker per core."""

    def __init__(self, mesh: Mesh) -> None:
        self._vertices, self._faces = mesh.vertices, mesh.faces
        self._outline = _crop.hull_points(mesh)
        self._diameter = 0.0
        self._workers: list[_Worker] = []
        self._busy = Lock()

    def diameter(self, given: float | None) -> float:
        """Metres: the one given, or the largest distance between two vertices."""
        if given is not None:
            if not (np.isfinite(given) and given > 0):
                raise InputError(f"diameter must be positive, in metres, but got {given}")
            return float(given)
        if not self._diameter:
            self._diameter = largest_distance(self._vertices)
        return self._diameter

    def score(self, poses: Array, images: Images, rule: _Rule) -> Array:
        """Errors (N, taus) of poses (N, 2, 4, 4): true, estimated."""
        errors = np.ones((len(poses), len(rule.taus)))
        tasks = [t for i, pair in enumerate(poses) if (t := self._task(i, pair, rule.camera)) is not None]
        with self._busy:
            workers = self._ready(len(tasks))
            queue = _Queue(tasks, images)
            if len(workers) == 1:
                workers[0].work(queue, poses, rule, errors)
            else:
                with ThreadPoolExecutor(len(workers)) as pool:
                    try:
                        list(pool.map(lambda w: w.work(queue, poses, rule, errors), workers))
                    finally:
                        queue.stop()  # an interrupt reaches this thread alone
        return errors

    def _task(self, index: int, pair: Array, camera: Camera) -> _Task | None:
        """The crop of one pair, or None where its outlines cannot meet."""
        true = _crop.outline_box(self._outline, pair[0], camera)
        guess = _crop.outline_box(self._outline, pair[1], camera)
        return None if _crop.apart(true, guess) else _Task(index, _crop.joined(true, guess))

    def _ready(self, tasks: int) -> list[_Worker]:
        """Number of workers for the number of tasks."""
        wanted = 1 if tasks < _FEW else min(4, os.cpu_count() or 1)
        while len(self._workers) < wanted:
            # A mesh of its own: one that held the user's would keep it, and so this, alive for ever.
            self._workers.append(_Worker(Mesh(self._vertices, self._faces)))
        return self._workers[:wanted]


class _Queue:
    """Hands out tasks with the depth of their crop, in order, to one thread at a time."""

    def __init__(self, tasks: list[_Task], images: Images) -> None:
        self._tasks: Iterator[_Task] = iter(progress(tasks, "vsd", total=len(tasks)))
        self._images = images
        self._lock = Lock()
        self._stopped = False

    def take(self, buffers: Buffers) -> _Task | None:
        """The next task, its measured depth copied into the buffer ``measured``; None at the end."""
        with self._lock:
            task = None if self._stopped else next(self._tasks, None)
            if task is None:
                return None
            image = self._images.frame(task.index)
            x0, y0, x1, y1 = task.box
            width, height = x1 - x0, y1 - y0
            buffers.get("measured", wp.float32, width * height)
            view = buffers.host("measured", width * height).reshape(height, width)
            view[...] = image[y0:y1, x0:x1]
        return task

    def stop(self) -> None:
        """Stop handing out tasks."""
        self._stopped = True


class _Worker:
    """One thread's rasteriser and buffers."""

    def __init__(self, mesh: Mesh) -> None:
        self._rasterizer = Rasterizer(mesh)
        self._buffers = Buffers("cpu")
        self._compare = Command(compare, "cpu")
        # Kernels are loaded at their first launch, and not by two threads at a time.
        self._buffers.get("measured", wp.float32, 1)
        rule = _Rule(Camera(np.eye(3), 1, 1), 0.0, 1.0, np.ones(1), True, True)
        self._errors(np.stack([np.eye(4)] * 2), (0, 0, 1, 1), rule)

    def work(self, queue: _Queue, poses: Array, rule: _Rule, errors: Array) -> None:
        """Fill rows of ``errors`` until the queue is empty."""
        try:
            while (task := queue.take(self._buffers)) is not None:
                errors[task.index] = self._errors(poses[task.index], task.box, rule)
        except BaseException:
            queue.stop()  # the other threads need not go on
            raise

    def _errors(self, pair: Array, box: _crop.Box, rule: _Rule) -> Array:
        """Errors (taus,) of one pair; the measured depth of the crop lies in its buffer."""
        width, height = box[2] - box[0], box[3] - box[1]
        k = _crop.crop_matrix(rule.camera, box)
        drawn = self._rasterizer.render(pair, k, width, height, near=_crop.NEAR)
        assert drawn.depth is not None
        self._buffers.get("drawn", wp.float32, drawn.depth.size)
        self._buffers.host("drawn", drawn.depth.size)[...] = drawn.depth.reshape(-1)
        count = len(rule.taus)
        self._buffers.upload("out", np.zeros(HEAD + count))
        self._buffers.upload("taus", rule.ascending)
        camera = rule.camera
        self._compare(
            (1,),
            self._buffers.kept("drawn"),
            self._buffers.kept("measured"),
            camera.cx,
            camera.cy,
            camera.fx,
            camera.fy,
            box[0],
            box[1],
            width,
            height,
            1,
            rule.delta,
            rule.size,
            self._buffers.kept("taus"),
            count,
            rule.missing_visible,
            rule.step,
            self._buffers.kept("out"),
        )
        out = self._buffers.host("out", HEAD + count)
        union, both, costs = out[UNION], out[INTERSECTION], out[HEAD:]
        if union == 0:
            return np.ones(count)
        if rule.step:  # pixels per highest threshold reached -> pixels that reach each threshold
            costs = np.cumsum(costs[::-1])[::-1]
        errors = np.empty(count)
        errors[rule.order] = (costs + (union - both)) / union
        return errors


def _checked_taus(taus: Sequence[float]) -> Array:
    out = np.atleast_1d(_given.real(taus, "taus"))
    if out.ndim != 1 or len(out) == 0 or not (np.isfinite(out) & (out > 0)).all():
        raise InputError(f"taus must be one or more positive thresholds, but got {np.asarray(taus).tolist()}")
    return out


_scorers: dict[int, _Scorer] = {}


def _scorer_of(mesh: Mesh) -> _Scorer:
    """The scorer of a mesh object, kept while the mesh lives; told by identity, not by content."""
    scorer = _scorers.get(id(mesh))
    if scorer is None:
        scorer = _scorers[id(mesh)] = _Scorer(mesh)
        finalize(mesh, _scorers.pop, id(mesh), None)
    return scorer
