"""The evidence of a whole clip for :func:`~dexman_pose.optimize.solver.solve_clip`, out of the fused solver.

Every frame is a small crop of one common size, so that many frames are rendered and linearised in one call: outline
both ways, depth where it was measured, matches with the mesh's own texture where given, and the per-frame poses
themselves as measurements where given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera
from dexman_pose.errors import InputError
from dexman_pose.imaging.masks import mask_box
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.optimize.pose_costs import PoseMeasurements
from dexman_pose.optimize.types import FrameTerms
from dexman_pose.pose.clip.options import EvidenceOptions
from dexman_pose.pose.matching.texture import texture_matches
from dexman_pose.pose.observation.crop import CropObservation, gather
from dexman_pose.pose.observation.view import ObjectClip, ObjectView, in_front
from dexman_pose.pose.refinement.refiner import PoseRefiner, has_color
from dexman_pose.pose.search.viewpoints import extreme_points
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.problem import Problem, Solution
from dexman_pose.pose.solver.residuals import PointMatches
from dexman_pose.progress import progress

_DEFAULTS = EvidenceOptions()
_EVALUATE = RefineOptions(iterations=0)


@dataclass(frozen=True)
class FusedCosts:
    """Outlines, depth and texture of one object in all frames of a clip.

    The shared unknowns are, in this order, the log-scales about the mesh's centre (0, 1 or 3) and, with ``focal``, the
    log of the factor on the focal length. Made by :func:`clip_costs`, or by hand from views of one size.

    Attributes:
        refiner: holds mesh, solver and the centre that twists and scales are about.
        views: (T) evidence of each frame, None where there is none; all crops of one size.
        matches: (T) surface points seen at image pixels, or None.
        anchors: per-frame poses as measurements, or None.
        scales: number of unknown log-scales.
        focal: whether the focal length is unknown.
        options: weights of the residuals.
        chunk: frames evaluated at a time, which bounds memory.

    Raises:
        InputError: crops of different sizes, or not one set of matches per frame.
    """

    refiner: PoseRefiner
    views: Sequence[CropObservation | None]
    matches: Sequence[PointMatches | None] = ()
    anchors: PoseMeasurements | None = None
    scales: int = 0
    focal: bool = False
    options: RefineOptions = field(default_factory=lambda: _EVALUATE)
    chunk: int = _DEFAULTS.chunk

    def __post_init__(self) -> None:
        sizes = {view.size for view in self.views if view is not None}
        if len(sizes) > 1:
            raise InputError(f"FusedCosts needs crops of one size, but got {sorted(sizes)}")
        if self.matches and len(self.matches) != len(self.views):
            raise InputError(
                f"FusedCosts needs matches for each of {len(self.views)} frames, but got {len(self.matches)}"
            )

    @property
    def num_shared(self) -> int:
        """How many shared unknowns there are."""
        return self.scales + int(self.focal)

    def linearise(self, poses: Array, shared: Array) -> FrameTerms:
        """Terms of all frames at camera_from_object (T, 4, 4) and shared unknowns (S,)."""
        if np.shape(shared) != (self.num_shared,) or len(poses) != len(self.views):
            raise InputError(
                f"These costs have {len(self.views)} frames and {self.num_shared} shared unknowns, "
                f"but got {len(poses)} and {np.shape(shared)}"
            )
        size = POSE_SIZE + self.num_shared
        out = FrameTerms(
            np.zeros((len(poses), size, size)), np.zeros((len(poses), size)), np.zeros(len(poses))
        )
        for frames, solution in self._solutions(poses, shared):
            out.hessian[frames], out.gradient[frames] = solution.evidence, -solution.gradient
            out.cost[frames] = solution.cost
        if self.anchors is not None:
            held = self.anchors.linearise(poses, np.zeros(0))
            out.hessian[:, :POSE_SIZE, :POSE_SIZE] += held.hessian
            out.gradient[:, :POSE_SIZE] += held.gradient
            np.add(out.cost, held.cost, out=out.cost)
        return out

    def overlap(self, poses: Array, shared: Array) -> Array:
        """(T,) overlap of rendered outlines and masks; 0 where there is no evidence."""
        out = np.zeros(len(poses))
        for frames, solution in self._solutions(poses, shared):
            out[frames] = solution.iou
        return out

    def _solutions(self, poses: Array, shared: Array) -> list[tuple[list[int], Solution]]:
        """The solver's evaluation of frames with evidence, chunk by chunk."""
        stretch = np.exp(np.broadcast_to(shared[: self.scales], 3)) if self.scales else np.ones(3)
        factor = float(np.exp(shared[-1])) if self.focal else 1.0
        frames = [i for i, view in enumerate(self.views) if view is not None]
        out = []
        for at in range(0, len(frames), self.chunk):
            part = frames[at : at + self.chunk]
            problems = [Problem(poses[i], k, self._matches(i), stretch=stretch) for k, i in enumerate(part)]
            views = [_refocused(self.views[i], factor) for i in part]
            solution = self.refiner.solver.solve(
                problems, views, self.options, scales=self.scales, focal=self.focal
            )
            out.append((part, solution))
        return out

    def _matches(self, frame: int) -> PointMatches | None:
        return self.matches[frame] if self.matches else None


def clip_costs(
    refiner: PoseRefiner,
    object_clip: ObjectClip,
    poses: Array,
    valid: Bools,
    *,
    anchors: PoseMeasurements | None = None,
    scales: int = 0,
    focal: bool = False,
    texture: bool = True,
    side: int = _DEFAULTS.side,
    options: EvidenceOptions = _DEFAULTS,
) -> FusedCosts:
    """Collect the evidence of all valid frames of a clip around a track.

    Args:
        refiner: holds the mesh.
        object_clip: the object in its clip; frames are read only where the mesh's texture is matched.
        poses: (T, 4, 4) camera_from_object, roughly right.
        valid: (T,) frames to take evidence from; those without a mask give none.
        anchors: per-frame poses as measurements.
        scales: number of unknown log-scales, 0, 1 or 3.
        focal: whether the focal length is unknown.
        texture: whether a coloured mesh is matched with the picture, at ``poses``.
        side: longest side of a crop in pixels.
        options: sizes of the crops.
    """
    masks, camera, depth = object_clip.masks, object_clip.camera, object_clip.depth
    label = masks.label_of(object_clip.name)
    boxes = _boxes(refiner, object_clip, poses, valid, options)
    longest = max((b[2] for b in boxes if b is not None), default=options.least_side)
    colored = texture and has_color(refiner)
    views: list[CropObservation | None] = [None] * len(poses)
    matches: list[PointMatches | None] = [None] * len(poses)
    for i in progress(np.nonzero(valid)[0].tolist(), "evidence", total=int(np.sum(valid))):
        box = boxes[i]
        if box is None:
            continue
        labels = masks.labels(i)
        sensor = depth.frame(i) if depth is not None else None
        square = _square(box, min(longest, side))
        view = gather(labels, label, camera, square, depth=sensor, max_side=side)
        if not view.has_mask:
            continue
        views[i] = view
        if colored:
            seen = ObjectView(object_clip.clip.frame(i), labels, label, camera)
            matches[i], _ = texture_matches(refiner.rasterizer, poses[i], seen)
    return FusedCosts(refiner, views, matches, anchors, scales, focal, chunk=options.chunk)


def _boxes(
    refiner: PoseRefiner, object_clip: ObjectClip, poses: Array, valid: Bools, options: EvidenceOptions
) -> list[tuple[float, float, int] | None]:
    """Middle x, y and side of a square around mask and mesh in each valid frame with a mask."""
    extremes = extreme_points(refiner.rasterizer.mesh.vertices)
    out: list[tuple[float, float, int] | None] = []
    for i, use in enumerate(valid):
        seen = mask_box(object_clip.masks.mask(i, object_clip.name)) if use else None
        drawn = None if seen is None else _drawn_box(extremes, poses[i], object_clip.camera)
        out.append(None if seen is None else _around(seen, drawn, options))
    return out


def _drawn_box(extremes: Array, pose: Array, camera: Camera) -> Array | None:
    """(4,) the mesh's box in the picture, None where a part is behind the camera."""
    points = extremes @ pose[:3, :3].T + pose[:3, 3]
    if not in_front(points):
        return None
    pixels = camera.project(points)
    return np.concatenate([pixels.min(0), pixels.max(0)])


def _around(seen: Array, drawn: Array | None, options: EvidenceOptions) -> tuple[float, float, int]:
    box = seen
    size = float((seen[2:] - seen[:2]).max())
    if drawn is not None and float((drawn[2:] - drawn[:2]).max()) < options.drawn_limit * size:
        box = np.concatenate([np.minimum(seen[:2], drawn[:2]), np.maximum(seen[2:], drawn[2:])])
        size = float((box[2:] - box[:2]).max())
    middle = 0.5 * (box[:2] + box[2:])
    wide = int(np.ceil(size * (1.0 + 2.0 * options.margin))) + options.border
    return float(middle[0]), float(middle[1]), wide


def _square(box: tuple[float, float, int], least: int) -> tuple[int, int, int, int]:
    """x0, y0, width, height of a square crop, at least ``least`` pixels wide, so that all are cut to one size."""
    size = max(box[2], least)
    return round(box[0] - 0.5 * size), round(box[1] - 0.5 * size), size, size


def _refocused(view: CropObservation | None, factor: float) -> CropObservation:
    """The view through a lens whose focal length is ``factor`` times as long."""
    assert view is not None
    if factor == 1.0:
        return view
    k = view.camera.K.copy()
    k[0, 0], k[1, 1] = factor * k[0, 0], factor * k[1, 1]
    return replace(view, camera=replace(view.camera, K=k))
