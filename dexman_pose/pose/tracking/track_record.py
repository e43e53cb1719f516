"""What is known of a track while it is made, and the judged track that comes of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import PoseTrack
from dexman_pose.data.doubt import DOUBT_TEXT, Doubts, pose_doubted
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.pose.refinement.refiner import PoseRefiner, has_color
from dexman_pose.pose.tracking.options import FramePose
from dexman_pose.pose.tracking.signals import FrameSignals, TrackSignals
from dexman_pose.pose.tracking.verdict import JudgedTrack, TrackVerdictOptions, judge

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
class TrackRecord:
    """What is known of one object's track so far; ``valid`` where the tracker held on to a pose."""

    poses: Array
    valid: NDArray[np.bool_]
    confidence: Array
    iou: Array
    hessian: Array = field(repr=False)
    signals: list[FrameSignals] = field(repr=False)

    @classmethod
    def empty(cls, count: int, pose: Array) -> TrackRecord:
        """A record of ``count`` frames in which nothing is known but a pose (4, 4)."""
        return cls(
            np.repeat(pose[None], count, 0),
            np.zeros(count, bool),
            np.zeros(count),
            np.zeros(count),
            np.repeat(np.eye(POSE_SIZE)[None], count, 0),
            [FrameSignals()] * count,
        )

    def put(self, index: int, result: FramePose) -> None:
        """Note what came of a frame."""
        self.poses[index] = result.camera_from_object
        self.valid[index] = result.valid
        self.confidence[index] = result.confidence
        self.iou[index] = result.iou
        self.hessian[index] = result.hessian
        self.signals[index] = result.signals

    def take(self, other: TrackRecord, first: int) -> None:
        """Note what another one knows of frames ``first`` and later."""
        for name in ("poses", "valid", "confidence", "iou", "hessian"):
            getattr(self, name)[first:] = getattr(other, name)[first:]
        self.signals[first:] = other.signals[first:]


def has_work(
    name: str,
    index: int,
    records: dict[str, TrackRecord],
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


def finished(name: str, record: TrackRecord, start: TrackStart, options: TrackVerdictOptions) -> PoseTrack:
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
    doubt = judge(judged, options)
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
        covariance=_covariance(record.hessian),
        doubt=doubt,
        evidence=np.where(tracked, [s.evidence for s in record.signals], 0),
    )


def _covariance(hessian: Array) -> Array:
    """(T, 6, 6) inverses of normal matrices (T, 6, 6), symmetric though some may be nearly singular."""
    even = 0.5 * (hessian + np.swapaxes(hessian, 1, 2))
    found = np.linalg.inv(even + _LEAST_HESSIAN * np.eye(POSE_SIZE))
    return np.asarray(0.5 * (found + np.swapaxes(found, 1, 2)), np.float64)


def _summary(doubt: Doubts) -> str:
    """How many frames there are, how many are valid, and how many each reason speaks against."""
    text = f"{int((~pose_doubted(doubt)).sum())} of {len(doubt)} frames valid"
    counts = {words: int(((doubt & np.uint16(reason)) != 0).sum()) for reason, words in DOUBT_TEXT.items()}
    return ", ".join([text, *(f"{words}: {count}" for words, count in counts.items() if count)])
