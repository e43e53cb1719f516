"""Tracks of all objects of a clip: forwards from the start, then backwards into every stretch that is missing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import BACKGROUND, OCCLUDER, Camera, Clip, DepthSequence, MaskSequence, PoseTrack
from dexman_pose.data.doubt import DOUBT_TEXT, Doubts, pose_doubted
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.imaging.flow import to_gray
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.pose.refinement.refiner import PoseRefiner, has_color
from dexman_pose.pose.tracking.object_tracker import ObjectTracker
from dexman_pose.pose.tracking.options import FramePose, TrackOptions
from dexman_pose.pose.tracking.signals import FrameSignals, TrackSignals
from dexman_pose.pose.tracking.tracked_frame import TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.pose.tracking.verdict import JudgedTrack, judge
from dexman_pose.progress import progress

_log = logging.getLogger(__name__)

_LEAST_HESSIAN = 1e-9
"""Added to normal matrices before they are inverted, for frames without a measurement."""


@dataclass(frozen=True)
class TrackStart:
    """Where the track of one object begins.

    Attributes:
        refiner: the object's mesh, ready to be refined.
        frame: index of the frame the pose is of.
        camera_from_object: (4, 4).
        trusted: (F,) faces whose colour can be believed; None for all.
        symmetry: of the mesh; tracks do not jump in it.
        doubt: what speaks against the pose, by whoever found it; frames are not valid then until colours or depth
            confirm the track.
        given: whether someone who knows it gave the pose; else it was searched for.
    """

    refiner: PoseRefiner
    frame: int
    camera_from_object: Array
    trusted: NDArray[np.bool_] | None = None
    symmetry: SymmetryGroup = field(default_factory=SymmetryGroup.trivial)
    doubt: tuple[str, ...] = ()
    given: bool = False


@dataclass
class _Record:
    """What is known of one object's track so far; ``valid`` where the tracker held on to a pose."""

    poses: Array
    valid: NDArray[np.bool_]
    confidence: Array
    iou: Array
    hessian: Array = field(repr=False)
    signals: list[FrameSignals] = field(repr=False)

    @classmethod
    def empty(cls, count: int, pose: Array) -> _Record:
        return cls(
            np.repeat(pose[None], count, 0),
            np.zeros(count, bool),
            np.zeros(count),
            np.zeros(count),
            np.repeat(np.eye(POSE_SIZE)[None], count, 0),
            [FrameSignals()] * count,
        )

    def put(self, index: int, result: FramePose) -> None:
        self.poses[index] = result.camera_from_object
        self.valid[index] = result.valid
        self.confidence[index] = result.confidence
        self.iou[index] = result.iou
        self.hessian[index] = result.hessian
        self.signals[index] = result.signals


def track_objects(
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    starts: dict[str, TrackStart],
    *,
    depth: DepthSequence | None = None,
    options: TrackOptions | None = None,
) -> dict[str, PoseTrack]:
    """Follow several objects through a whole clip.

    Args:
        clip: the frames.
        masks: label images of the same frames.
        camera: intrinsics.
        starts: by object name.
        depth: depth images of the same frames, metres.
        options: settings of the tracker.

    Returns:
        A track per object. Frames in which it was lost hold the last good pose with ``valid`` False; frames whose
        pose is doubted hold that pose and its confidence, ``valid`` False as well. ``doubt`` says why.
    """
    options = options or TrackOptions()
    records = {name: _Record.empty(clip.num_frames, s.camera_from_object) for name, s in starts.items()}
    first = min(s.frame for s in starts.values())
    ahead = progress(clip.frames(first), "tracking", total=clip.num_frames - first)
    _pass(ahead, masks, camera, starts, records, depth, options, backwards=False)
    if any(not r.valid.all() for r in records.values()):
        back = progress(clip.frames(reverse=True), "tracking back", total=clip.num_frames)
        _pass(back, masks, camera, starts, records, depth, options, backwards=True)
    return {name: _finish(name, record, starts[name], options) for name, record in records.items()}


def _pass(
    frames: Iterable[tuple[int, NDArray[np.uint8]]],
    masks: MaskSequence,
    camera: Camera,
    starts: dict[str, TrackStart],
    records: dict[str, _Record],
    depth: DepthSequence | None,
    options: TrackOptions,
    *,
    backwards: bool,
) -> None:
    """One sweep over the frames, in either direction; fills the records in place."""
    trackers = {
        name: ObjectTracker(
            TrackedObject(s.refiner, camera, masks.label_of(name), options, s.trusted, s.symmetry)
        )
        for name, s in starts.items()
    }
    running = dict.fromkeys(starts, False)
    for index, image in frames:
        needed = [n for n in starts if _has_work(n, index, records, starts, running, backwards)]
        if not needed:
            running = dict.fromkeys(starts, False)
            continue
        gray = to_gray(image)
        shared = masks.labels(index)
        z = depth.frame(index) if depth is not None else None
        for name in needed:
            record, tracker = records[name], trackers[name]
            others = [trackers[n] for n in starts if n != name and running[n] and trackers[n].is_tracking]
            labels = hidden_by(shared, tracker, others)
            frame = TrackedFrame(image, gray, labels, tracker.tracked.label, camera, z)
            if backwards and record.valid[index]:
                tracker.start(record.poses[index], frame)
                running[name] = True
            elif running[name]:
                result = tracker.step(frame)
                if not backwards or result.valid:
                    record.put(index, result)
            elif not backwards and index == starts[name].frame:
                record.put(index, tracker.start(starts[name].camera_from_object, frame))
                running[name] = True


def hidden_by(
    labels: NDArray[np.uint8], tracker: ObjectTracker, others: list[ObjectTracker]
) -> NDArray[np.uint8]:
    """Labels in which nearer objects hide what is behind them, also where the masks call it background.

    Objects are rendered where they were last; only those whose boxes meet and that are nearer are.
    """
    own = tracker.tracked.image_box(tracker.state.pose)
    if own is None:
        return labels
    out = labels
    for other in others:
        pose = other.state.pose
        box = other.tracked.image_box(pose)
        if box is None or (box[:2] > own[2:]).any() or (own[:2] > box[2:]).any():
            continue
        if other.tracked.distance(pose) >= tracker.tracked.distance(tracker.state.pose):
            continue
        x0, y0 = box[:2].astype(int)
        w, h = (box[2:] - box[:2]).astype(int) + 1
        crop = other.tracked.camera.cropped(float(x0), float(y0), int(w), int(h))
        rasterizer = other.tracked.refiner.rasterizer
        drawn = rasterizer.render(pose[None], crop.K, int(w), int(h)).mask[0]
        out = out.copy() if out is labels else out
        part = out[y0 : y0 + h, x0 : x0 + w]
        part[drawn & (part == BACKGROUND)] = OCCLUDER
    return out


def _has_work(
    name: str,
    index: int,
    records: dict[str, _Record],
    starts: dict[str, TrackStart],
    running: dict[str, bool],
    backwards: bool,
) -> bool:
    """Whether this sweep has to look at this object in this frame."""
    if not backwards:
        return index >= starts[name].frame
    valid = records[name].valid
    if valid[index]:  # only the last valid frame before a gap is needed, to start from
        running[name] = False
        return index > 0 and not valid[index - 1]
    return running[name]


def _finish(name: str, record: _Record, start: TrackStart, options: TrackOptions) -> PoseTrack:
    """The record as a judged track without jumps in its symmetry; frames without a pose hold the nearest valid one."""
    tracked = record.valid
    poses = start.symmetry.continuous_track(record.poses, tracked)
    judged = JudgedTrack(
        poses,
        tracked,
        TrackSignals.of(record.signals),
        start.frame,
        has_color(start.refiner),
        start.trusted is not None,
        start.refiner.center,
        start.symmetry,
        doubted=bool(start.doubt),
        given=start.camera_from_object if start.given else None,
    )
    doubt = judge(judged, options.verdict)
    valid = ~pose_doubted(doubt)
    held, missing = np.nonzero(valid if valid.any() else tracked)[0], np.nonzero(~tracked)[0]
    if len(held) and len(missing):
        poses[missing] = poses[held[np.abs(missing[:, None] - held[None]).argmin(1)]]
    _log.info("%s: %s", name, _summary(doubt))
    return PoseTrack(
        poses,
        valid,
        np.where(tracked, np.clip(record.confidence, 0.0, 1.0), 0.0),
        mask_iou=record.iou,
        covariance=np.asarray(np.linalg.inv(record.hessian + _LEAST_HESSIAN * np.eye(POSE_SIZE)), np.float64),
        doubt=doubt,
    )


def _summary(doubt: Doubts) -> str:
    """How many frames there are, how many are valid, and how many each reason speaks against."""
    text = f"{int((~pose_doubted(doubt)).sum())} of {len(doubt)} frames valid"
    counts = {words: int(((doubt & np.uint16(reason)) != 0).sum()) for reason, words in DOUBT_TEXT.items()}
    return ", ".join([text, *(f"{words}: {count}" for words, count in counts.items() if count)])
