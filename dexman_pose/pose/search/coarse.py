"""Scoring thousands of poses against one small picture, on both cores of a small machine or on a GPU."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from dexman_pose._warp import wp
from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.search._coarse_kernels import Score, score_hypotheses
from dexman_pose.pose.search.coarse_mesh import stand_in
from dexman_pose.render.commands import Command
from dexman_pose.render.rasterizer import Rasterizer

_CHUNK = 128
"""Poses per rendering: enough to hide the cost of a call, few enough for their pictures to stay in the cache."""

DEPTH_TOLERANCE = 0.01
"""Metres of depth error at which a pixel half agrees, where the caller says nothing else; set by hand."""


@dataclass(frozen=True)
class CoarseScores:
    """How well B poses explain a small picture.

    Attributes:
        iou: (B,) overlap of outline and mask where something is known.
        depth_ratio: (B,) mean ratio of measured to rendered depth on the mask; 1 where nothing was measured.
        depth_agreement: (B,) in [0, 1], share of measured depth that fits once that ratio is taken out.
        correlation: (B,) of colours, in [-1, 1]; 0 without colours.
    """

    iou: Array
    depth_ratio: Array
    depth_agreement: Array
    correlation: Array

    @property
    def total(self) -> Array:
        """(B,) the sum of what was looked at."""
        return self.iou + self.depth_agreement + self.correlation


class CoarseScorer:
    """Renders and scores batches of poses of one mesh; a worker per core on a CPU.

    Args:
        mesh: what is rendered; a simplified one will do unless colours count.
        device: as for the rasteriser.
    """

    def __init__(self, mesh: Mesh, device: str = "cpu") -> None:
        self.mesh = mesh
        workers = min(4, os.cpu_count() or 1) if device == "cpu" else 1
        self._workers = [_Worker(mesh, device) for _ in range(workers)]

    def score(
        self,
        poses: Array,
        view: CropObservation,
        *,
        picture: NDArray[np.float32] | None = None,
        tolerance: float = DEPTH_TOLERANCE,
        beyond_mask: bool = False,
    ) -> CoarseScores:
        """Score poses (B, 4, 4) against a small crop.

        Args:
            poses: camera_from_object, metres.
            view: mask, unknown pixels and depth of the crop.
            picture: (h, w, 3) float32 RGB 0..1 of the crop; given, colours are compared.
            tolerance: metres of depth error at which a pixel half agrees.
            beyond_mask: compare colours wherever the object is drawn and nothing else is, not on the mask alone.
        """
        parts = np.array_split(np.arange(len(poses)), max(1, -(-len(poses) // _CHUNK)))
        rows = np.zeros((len(poses), Score.SIZE), np.float32)

        def work(which: int) -> None:
            for part in parts[which :: len(self._workers)]:
                rows[part] = self._workers[which].score(poses[part], view, picture, tolerance, beyond_mask)

        if len(parts) > 1 and len(self._workers) > 1:
            with ThreadPoolExecutor(len(self._workers)) as pool:
                list(pool.map(work, range(len(self._workers))))
        else:
            for which in range(len(self._workers)):
                work(which)
        found = rows.astype(np.float64).T
        drawn, hits, count = found[Score.DRAWN], found[Score.HITS], found[Score.MET]
        union = drawn + view.known_pixels - hits
        wanted = max(int(np.count_nonzero(view.depth[view.mask])), 1) if view.depth is not None else 1
        return CoarseScores(
            hits / np.maximum(union, 1.0),
            np.where(count > 0, found[Score.RATIO], 1.0),
            found[Score.AGREEING]
            * count
            / wanted,  # measured depth that nothing was drawn for does not agree
            found[Score.CORRELATION],
        )


class _Worker:
    """One thread's rasteriser and buffers."""

    def __init__(self, mesh: Mesh, device: str) -> None:
        self._rasterizer = Rasterizer(mesh, device)
        self._command = Command(score_hypotheses, device)
        self._device = device
        self._held: dict[str, tuple[Any, Any]] = {}

    def score(
        self,
        poses: Array,
        view: CropObservation,
        picture: NDArray[np.float32] | None,
        tolerance: float,
        beyond_mask: bool,
    ) -> NDArray[np.float32]:
        h, w = view.size
        if picture is None:
            nearest, color = self._rasterizer.inverse_depth(poses, view.camera.K, w, h), None
        else:
            nearest, color = self._colored(poses, view)
        out = self._array("out", np.zeros(len(poses) * Score.SIZE, np.float32), wp.float32)
        self._command(
            (len(poses),),
            nearest,
            self._array("color", _flat3(color), wp.vec3f),
            self._array("code", view.code.reshape(-1), wp.uint8),
            self._array("measured", _flat(view.depth), wp.float32),
            self._array("picture", _flat3(picture), wp.vec3f),
            h * w,
            float(tolerance),
            int(beyond_mask),
            out,
        )
        return np.array(out.numpy()).reshape(len(poses), Score.SIZE)

    def _colored(self, poses: Array, view: CropObservation) -> tuple[Any, NDArray[np.float32] | None]:
        """Device array of 1 / depth and colours (B, h, w, 3) of poses."""
        h, w = view.size
        drawn = self._rasterizer.render(poses, view.camera.K, w, h, attributes=("depth", "color"))
        assert drawn.depth is not None
        inverse = np.zeros(drawn.depth.size, np.float32)
        np.divide(1.0, drawn.depth.reshape(-1), out=inverse, where=drawn.depth.reshape(-1) > 0)
        return self._array("nearest", inverse, wp.float32), drawn.color

    def _array(self, name: str, values: NDArray[Any], dtype: Any) -> Any:
        """A device array over host values; on a CPU it shares their memory, so they are kept alive."""
        array = wp.array(values, dtype=dtype, device=self._device, copy=False)
        self._held[name] = (values, array)
        return array


def _flat(image: NDArray[np.float32] | None) -> NDArray[np.float32]:
    return np.zeros(0, np.float32) if image is None else np.ascontiguousarray(image).reshape(-1)


def _flat3(image: NDArray[np.float32] | None) -> NDArray[np.float32]:
    return np.zeros((0, 3), np.float32) if image is None else np.ascontiguousarray(image).reshape(-1, 3)


_SCORERS: WeakKeyDictionary[PoseRefiner, dict[bool, CoarseScorer]] = WeakKeyDictionary()


def coarse_scorer(refiner: PoseRefiner, colored: bool) -> CoarseScorer:
    """The scorer of a refiner's mesh, made once; without colours a simplified mesh will do."""
    made = _SCORERS.setdefault(refiner, {})
    if colored not in made:
        mesh = refiner.rasterizer.mesh
        made[colored] = CoarseScorer(mesh if colored else stand_in(mesh), refiner.rasterizer.device)
    return made[colored]
