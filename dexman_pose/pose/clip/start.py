"""Which frames of a clip to look for an object in: large, little hidden, with depth where there is depth."""

from __future__ import annotations

import logging

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import (
    BACKGROUND,
    OCCLUDER,
    Camera,
    Clip,
    DepthSequence,
    HandTrack,
    MaskSequence,
    Mesh,
    ObjectPrompt,
    PoseTrack,
    _check,
)
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.se3 import scaled_translations
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.meshing.silhouette import close_gaps, shape_from_mask
from dexman_pose.pose.clip.scale import scale_from_depth
from dexman_pose.pose.clip.types import AlignStart, ObjectStart
from dexman_pose.pose.estimate import PoseEstimate
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.search.search import find_pose, search_pose
from dexman_pose.pose.solver.options import SCALE_COUNTS
from dexman_pose.symmetry.cache import symmetry_of

_log = logging.getLogger(__name__)

_MARGIN_CAP = 0.2  # a lead over the runner-up beyond this is no better news

_ARM_LENGTH = 0.7
"""Metres at which an object is put when nothing tells its distance: a person's reach from a table camera."""

LEAST_PIXELS = 30
"""Masks smaller than this say nothing about a pose."""

_MEASURED = 0.1  # share of a mask with depth from which a frame tells a size


def best_frames(
    masks: MaskSequence, name: str, depth: DepthSequence | None = None, count: int = 3
) -> list[int]:
    """Up to ``count`` frames, best first, that lie apart; empty when the object has no usable mask at all.

    With depth only frames are taken that have depth on the mask, as long as there are any.
    """
    worth = np.array([_visibility(masks.labels(i), masks.label_of(name)) for i in range(masks.num_frames)])
    if masks.confidence.any():
        worth = worth * (masks.confidence[:, masks.names.index(name)] > 0)
    if depth is not None:
        measured = np.array([_measured(masks, name, depth, i) if w > 0 else 0.0 for i, w in enumerate(worth)])
        worth = worth * measured if measured.any() else worth
    apart = max(masks.num_frames // (2 * count), 1)
    chosen: list[int] = []
    while len(chosen) < count and worth.max(initial=0.0) > 0:
        best = int(worth.argmax())
        chosen.append(best)
        worth[max(best - apart, 0) : best + apart + 1] = 0.0
    return chosen


def _visibility(labels: NDArray[np.uint8], label: int) -> float:
    """Area of the mask times the share of its edge that no occluder and no image border touches."""
    mask = (labels == label).astype(np.uint8)
    area = int(mask.sum())
    if area < LEAST_PIXELS:
        return 0.0
    around = cv2.dilate(np.pad(mask, 1), np.ones((3, 3), np.uint8)) - np.pad(mask, 1)
    other = np.pad((labels != label) & (labels != BACKGROUND), 1, constant_values=True)
    ring = around > 0
    return area * float(np.mean(~other[ring]))


def _measured(masks: MaskSequence, name: str, depth: DepthSequence, frame: int) -> float:
    """Share of the mask with depth; 0 when it is too little to tell a size."""
    share = float(np.mean(depth.frame(frame)[masks.mask(frame, name)] > 0))
    return share if share >= _MEASURED else 0.0


def start_given(mesh: Mesh, object_clip: ObjectClip, frame: int, start: ArrayLike, scale: str) -> AlignStart:
    """A start pose, made metric where depth was measured in its frame."""
    pose = _check.rigid(np.asarray(start, np.float64)[None], "start")[0]
    if scale == "known" or object_clip.depth is None:
        return AlignStart(frame, pose, np.ones(3))
    count = object_clip.clip.num_frames
    alone = PoseTrack(np.repeat(pose[None], count, 0), np.arange(count) == frame, np.ones(count))
    found = scale_from_depth(
        alone, mesh, object_clip.masks, object_clip.name, object_clip.camera, object_clip.depth
    )
    if found is None:
        return AlignStart(frame, pose, np.ones(3))
    return AlignStart(frame, scaled_translations(pose[None], found.factor)[0], np.full(3, found.factor), True)


def start_searched(
    mesh: Mesh,
    object_clip: ObjectClip,
    start_frame: int | None,
    scale: str,
    group: SymmetryGroup,
    device: str,
) -> AlignStart:
    """The best hypothesis of a few good frames."""
    frames = [start_frame]
    if start_frame is None:
        frames = [*best_frames(object_clip.masks, object_clip.name, object_clip.depth)]
    if not frames:
        raise EstimationError(
            f"object {object_clip.name!r} has no usable mask in any frame; give a tighter box or a mask"
        )
    best: tuple[float, AlignStart] | None = None
    for frame in frames:
        assert frame is not None
        merit, found = _hypothesis(mesh, object_clip, frame, scale, group, device)
        _log.info("%s: search in frame %d has merit %.3f", object_clip.name, frame, merit)
        if best is None or merit > best[0]:
            best = merit, found
    assert best is not None
    return best[1]


def _hypothesis(
    mesh: Mesh, object_clip: ObjectClip, frame: int, scale: str, group: SymmetryGroup, device: str
) -> tuple[float, AlignStart]:
    """The best pose in one frame, and its score plus half its lead."""
    labels, label = object_clip.masks.labels(frame), object_clip.masks.label_of(object_clip.name)
    sensor = None if object_clip.depth is None else object_clip.depth.frame(frame)
    metric = sensor is not None and bool((sensor[labels == label] > 0).any())
    scales = SCALE_COUNTS[scale] if metric or scale == "axes" else 0
    found = find_pose(
        mesh,
        object_clip.clip.frame(frame),
        labels,
        label,
        object_clip.camera,
        depth=sensor if metric else None,
        scales=scales,
        symmetry=group,
        device=device,
    )
    lead = found[0].score - found[1].score if len(found) > 1 else _MARGIN_CAP
    merit = found[0].score + 0.5 * float(np.clip(lead, 0.0, _MARGIN_CAP))
    return merit, _start_of(found[0], frame, metric and scale != "known")


def _start_of(estimate: PoseEstimate, frame: int, metric: bool) -> AlignStart:
    """Without depth only the ratios of factors mean anything: their common factor becomes 1."""
    factors, pose = estimate.axis_scales, estimate.camera_from_object
    if not metric:
        common = float(np.exp(np.log(factors).mean()))
        factors, pose = factors / common, scaled_translations(pose[None], 1.0 / common)[0]
    return AlignStart(frame, pose, factors, metric)


def begin_object(
    name: str,
    clip: Clip,
    masks: MaskSequence,
    prompt: ObjectPrompt,
    mesh: Mesh | None,
    camera: Camera,
    hands: dict[str, HandTrack],
    depth: DepthSequence | None,
) -> ObjectStart:
    """The mesh of one object and its pose in the frame it starts from."""
    label = masks.label_of(name)
    frame = _first_frame(masks, name, prompt.frame)
    labels = masks.labels(frame)
    image = clip.frame(frame)
    sensor = depth.frame(frame) if depth is not None else None
    if mesh is not None:
        refiner = refiner_for(mesh, labels == label)
        found = search_pose(refiner, image, labels, label, camera, depth=sensor, symmetry=symmetry_of(mesh))
        return ObjectStart(mesh, frame, found[0].camera_from_object)
    visible = labels == label
    distance = _distance(visible, frame, hands, sensor)
    shape, pose = shape_from_mask(
        close_gaps(visible, labels == OCCLUDER), camera, distance, image, visible=visible
    )
    return ObjectStart(shape, frame, pose)


def _first_frame(masks: MaskSequence, name: str, wanted: int) -> int:
    """The prompted frame, or the nearest one in which the object has a mask."""
    column = masks.names.index(name)
    order = np.argsort(np.abs(np.arange(masks.num_frames) - wanted), kind="stable")
    for frame in order:
        if masks.confidence[frame, column] > 0 and int(masks.mask(int(frame), name).sum()) >= 30:
            return int(frame)
    raise EstimationError(f"object {name!r} has no usable mask in any frame; give a tighter box or a mask")


def _distance(
    visible: NDArray[np.bool_], frame: int, hands: dict[str, HandTrack], sensor: NDArray[np.float32] | None
) -> float:
    """A first distance in metres for an object without a mesh; the scale is settled later from the whole clip."""
    if sensor is not None and np.count_nonzero(sensor[visible]) >= 20:
        measured = sensor[visible]
        return float(np.median(measured[measured > 0]))
    known = [h.joints[h.valid][:, :, 2] for h in hands.values() if h.valid.any()]
    if known:
        return float(np.median(np.concatenate(known)))
    return _ARM_LENGTH


def pose_at(track: PoseTrack, made: ObjectStart) -> Array:
    return track.camera_from_object[made.frame] if track.valid[made.frame] else made.camera_from_object
