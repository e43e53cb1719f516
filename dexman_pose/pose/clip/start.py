"""Where an object's track starts: frames that show it well, and its pose (or a first shape) in one of them."""

from __future__ import annotations

import logging
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.data import (
    BACKGROUND,
    OCCLUDER,
    DepthSequence,
    HandTrack,
    MaskSequence,
    Mesh,
    PoseTrack,
    _check,
)
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.se3 import scaled_translations
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.meshing.silhouette import close_gaps, shape_from_mask
from dexman_pose.pose.clip.options import RoadOptions, StartOptions
from dexman_pose.pose.clip.scale import scale_from_depth, sized_symmetry, stretched_mesh
from dexman_pose.pose.clip.stand_in import compared_shape
from dexman_pose.pose.clip.types import ObjectRequest, ObjectStart
from dexman_pose.pose.estimate import PoseEstimate
from dexman_pose.pose.observation.view import ObjectClip, ObjectView
from dexman_pose.pose.search.finding import find_pose
from dexman_pose.pose.solver.options import SCALE_COUNTS
from dexman_pose.symmetry.cache import symmetry_of

_log = logging.getLogger(__name__)
_DEFAULTS = StartOptions()


def best_frames(
    masks: MaskSequence,
    name: str,
    depth: DepthSequence | None = None,
    count: int = _DEFAULTS.candidates,
    options: StartOptions = _DEFAULTS,
) -> list[int]:
    """Up to ``count`` frames, best first, that lie apart; empty when the object has no usable mask at all.

    A frame is worth the area of its mask times the share of the mask's edge that nothing else touches. With depth only
    frames are taken that have depth on the mask, as long as there are any.
    """
    worth = frame_worth(masks, name, depth, options)
    apart = max(masks.num_frames // (2 * count), 1)
    chosen: list[int] = []
    while len(chosen) < count and worth.max(initial=0.0) > 0:
        best = int(worth.argmax())
        chosen.append(best)
        worth[max(best - apart, 0) : best + apart + 1] = 0.0
    return chosen


def frame_worth(
    masks: MaskSequence, name: str, depth: DepthSequence | None, options: StartOptions = _DEFAULTS
) -> Array:
    """(T,) pixels of the mask times the share of its edge that is free; 0 where there is no usable mask."""
    label, least = masks.label_of(name), options.least_pixels
    worth = np.array([np.prod(_visible(masks.labels(i), label, least)) for i in range(masks.num_frames)])
    if masks.confidence.any():
        worth = worth * (masks.confidence[:, masks.names.index(name)] > 0)
    if depth is None:
        return worth
    measured = np.array(
        [_measured(masks, name, depth, i, options.measured) if w > 0 else 0.0 for i, w in enumerate(worth)]
    )
    return worth * measured if measured.any() else worth


def _visible(labels: NDArray[np.uint8], label: int, least: int) -> tuple[float, float]:
    """Pixels of the mask, and the share of its edge that no other thing and no image border touches."""
    mask = (labels == label).astype(np.uint8)
    area = int(mask.sum())
    if area < least:
        return 0.0, 0.0
    around = cv2.dilate(np.pad(mask, 1), np.ones((3, 3), np.uint8)) - np.pad(mask, 1)
    other = np.pad((labels != label) & (labels != BACKGROUND), 1, constant_values=True)
    return float(area), float(np.mean(~other[around > 0]))


def _measured(masks: MaskSequence, name: str, depth: DepthSequence, frame: int, least: float) -> float:
    """Share of the mask with depth; 0 when it is too little to tell a size."""
    share = float(np.mean(depth.frame(frame)[masks.mask(frame, name)] > 0))
    return share if share >= least else 0.0


def begin_object(
    request: ObjectRequest,
    object_clip: ObjectClip,
    hands: dict[str, HandTrack],
    options: RoadOptions,
    device: str = "cpu",
) -> ObjectStart:
    """Find the shape of an object and its pose in the frame its track starts from.

    Raises:
        EstimationError: the object has no usable mask in any frame.
    """
    if request.mesh is None:
        return _made(request, object_clip, hands, options.start)
    own = symmetry_of(request.mesh) if request.symmetry is None else request.symmetry
    shape, group = compared_shape(request, own, options.closed)
    if request.start is not None:
        start = _given(shape, object_clip, request, options)
    else:
        start = _searched(shape, object_clip, request, group, options.start, device)
    sized = stretched_mesh(shape, start.factors)
    group = sized_symmetry(group, sized, start.factors, options.scale.even)
    return replace(start, mesh=sized, symmetry=group, given=request.start is not None)


def _given(mesh: Mesh, object_clip: ObjectClip, request: ObjectRequest, options: RoadOptions) -> ObjectStart:
    """A start pose, made metric where depth was measured in its frame."""
    frame = int(request.frame or 0)
    pose = _check.rigid(np.asarray(request.start, np.float64)[None], "start")[0]
    known = request.scale == "known"
    if known or object_clip.depth is None:
        return ObjectStart(mesh, frame, pose, metric=known)
    count = object_clip.clip.num_frames
    alone = PoseTrack(np.repeat(pose[None], count, 0), np.arange(count) == frame, np.ones(count))
    found = scale_from_depth(alone, mesh, object_clip, options.scale)
    if found is None:
        return ObjectStart(mesh, frame, pose, metric=False)
    pose = scaled_translations(pose[None], found.factor)[0]
    return ObjectStart(mesh, frame, pose, factors=np.full(3, found.factor))


def _searched(
    mesh: Mesh,
    object_clip: ObjectClip,
    request: ObjectRequest,
    group: SymmetryGroup,
    options: StartOptions,
    device: str,
) -> ObjectStart:
    """The pose in the frame asked for; where that is not clear, the best of it and a few good frames."""
    tried: list[tuple[bool, float, ObjectStart]] = []
    if request.frame is not None:
        merit, start = _hypothesis(mesh, object_clip, request, request.frame, group, options, device)
        if not start.doubt or not request.elsewhere:
            return start
        tried.append((not start.doubt, merit + options.better, start))
    masks, name = object_clip.masks, object_clip.name
    others = best_frames(masks, name, object_clip.depth, options.candidates, options)
    for frame in others:
        if frame != request.frame:
            merit, start = _hypothesis(mesh, object_clip, request, frame, group, options, device)
            tried.append((not start.doubt, merit, start))
    if not tried:
        raise EstimationError(_UNSEEN.format(name))
    best = max(tried, key=lambda one: one[:2])[2]
    _log.info("%s: the track starts in frame %d, the clearest of %d", name, best.frame, len(tried))
    return best


def _hypothesis(
    mesh: Mesh,
    object_clip: ObjectClip,
    request: ObjectRequest,
    frame: int,
    group: SymmetryGroup,
    options: StartOptions,
    device: str,
) -> tuple[float, ObjectStart]:
    """Merit of the best pose in one frame (its score and a share of its lead), and the pose with what doubts it."""
    labels, label = object_clip.masks.labels(frame), object_clip.masks.label_of(object_clip.name)
    sensor = None if object_clip.depth is None else object_clip.depth.frame(frame)
    measured = sensor is not None and bool((sensor[labels == label] > 0).any())
    found = find_pose(
        mesh,
        ObjectView(
            object_clip.clip.frame(frame),
            labels,
            label,
            object_clip.camera,
            sensor if measured else None,
            asked=request.box if frame == request.frame else None,
        ),
        scales=SCALE_COUNTS[request.scale] if measured or request.scale == "axes" else 0,
        symmetry=group,
        device=device,
    )
    lead = found[0].score - found[1].score if len(found) > 1 else options.lead_cap
    merit = found[0].score + options.lead_share * float(np.clip(lead, 0.0, options.lead_cap))
    _log.info(
        "%s: search in frame %d: overlap %.3f, lead %.3f, merit %.3f, doubts: %s",
        object_clip.name,
        frame,
        found[0].mask_iou,
        lead,
        merit,
        ", ".join(found[0].doubts) or "none",
    )
    start = _start_of(mesh, found[0], frame, measured, request.scale)
    return merit, replace(start, doubt=() if found[0].valid else found[0].doubts)


def _start_of(mesh: Mesh, estimate: PoseEstimate, frame: int, measured: bool, scale: str) -> ObjectStart:
    """Without depth only the ratios of factors mean anything: their common factor becomes 1."""
    factors, pose = estimate.axis_scales, estimate.camera_from_object
    if scale == "known":
        return ObjectStart(mesh, frame, pose)
    if not measured:
        common = float(np.exp(np.log(factors).mean()))
        factors, pose = factors / common, scaled_translations(pose[None], 1.0 / common)[0]
    return ObjectStart(mesh, frame, pose, factors=factors, metric=measured)


_UNSEEN = "object {!r} has no usable mask in any frame; give a tighter box or a mask"


def prompted_frame(masks: MaskSequence, name: str, wanted: int, options: StartOptions = _DEFAULTS) -> int:
    """The prompted frame, or the nearest one in which the object has a mask.

    Raises:
        EstimationError: there is none.
    """
    order = np.argsort(np.abs(np.arange(masks.num_frames) - wanted), kind="stable").tolist()
    for frame in order:
        sure = masks.confidence_of(frame, name) > 0
        if sure and int(masks.mask(frame, name).sum()) >= options.least_pixels:
            return int(frame)
    raise EstimationError(_UNSEEN.format(name))


def _made(
    request: ObjectRequest, object_clip: ObjectClip, hands: dict[str, HandTrack], options: StartOptions
) -> ObjectStart:
    """A shape made from the outline in one frame, and its pose there."""
    masks, label = object_clip.masks, object_clip.masks.label_of(object_clip.name)
    frame = _frame_to_shape(object_clip, request, options)
    visible = masks.labels(frame) == label
    sensor = object_clip.depth.frame(frame) if object_clip.depth is not None else None
    distance = _distance(visible, hands, sensor, options)
    shape, pose = shape_from_mask(
        close_gaps(visible, masks.labels(frame) == OCCLUDER),
        object_clip.camera,
        distance,
        object_clip.clip.frame(frame),
        visible=visible,
    )
    return ObjectStart(shape, frame, pose)


def _frame_to_shape(object_clip: ObjectClip, request: ObjectRequest, options: StartOptions) -> int:
    """The prompted frame; another one where the object is largely hidden in it and plainly seen there."""
    masks, name = object_clip.masks, object_clip.name
    frame = prompted_frame(masks, name, request.frame or 0, options)
    free = _visible(masks.labels(frame), masks.label_of(name), options.least_pixels)[1]
    if not request.elsewhere or free >= 1.0 - options.hidden:
        return frame
    worth = frame_worth(masks, name, object_clip.depth, options)
    other = int(worth.argmax())
    if worth[other] <= options.freer * worth[frame]:
        return frame
    _log.info(
        "%s: %.2f of its edge is free in frame %d; shaped in frame %d instead", name, free, frame, other
    )
    return other


def _distance(
    visible: Mask,
    hands: dict[str, HandTrack],
    sensor: NDArray[np.float32] | None,
    options: StartOptions,
) -> float:
    """A first distance in metres for an object without a mesh; the scale is settled later from the whole clip."""
    if sensor is not None and np.count_nonzero(sensor[visible]) >= options.depth_pixels:
        measured = sensor[visible]
        return float(np.median(measured[measured > 0]))
    known = [h.joints[h.valid][:, :, 2] for h in hands.values() if h.valid.any()]
    if known:
        return float(np.median(np.concatenate(known)))
    return options.arm_length
