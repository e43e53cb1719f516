"""One object followed from frame to frame: tracked, lost, or being found again.

.. code-block:: text

            pose believed                          no mask, or no pose explains the frame
    TRACKING ------------> TRACKING        TRACKING -------------------------------------> LOST
    LOST, a mask again --> RELOCALISING -- found --> TRACKING, else LOST
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.pose.matching.keyframes import Keyframes
from dexman_pose.pose.matching.point_tracks import SurfaceTracks
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.tracking.confidence import confidence, is_lost, visible_share
from dexman_pose.pose.tracking.frame_signals import frame_signals
from dexman_pose.pose.tracking.mask_guided import pose_by_mask, surface_matches
from dexman_pose.pose.tracking.options import FramePose
from dexman_pose.pose.tracking.relocalisation import Recovery
from dexman_pose.pose.tracking.signals import FrameSignals
from dexman_pose.pose.tracking.state import Candidate, Phase, TrackState
from dexman_pose.pose.tracking.texture_guided import (
    pose_by_texture,
    pulled_onto_colors,
    texture_guided_step,
)
from dexman_pose.pose.tracking.tracked_frame import TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject

_log = logging.getLogger(__name__)


@dataclass
class ObjectTracker:
    """Follows one object through consecutive frames, forwards or backwards.

    Attributes:
        tracked: the object, its mesh, its camera, the settings.
        state: what is remembered of the frames so far.
    """

    tracked: TrackedObject
    state: TrackState = field(init=False)

    def __post_init__(self) -> None:
        limit = self.tracked.options.mask_guided.keyframes
        self.state = TrackState(Keyframes(limit, self.tracked.refiner.rasterizer))

    @property
    def is_tracking(self) -> bool:
        """Whether the last frame's pose is believed."""
        return self.state.lost_for == 0

    def start(self, pose: Array, frame: TrackedFrame) -> FramePose:
        """Begin at a known pose (4, 4) in this frame; it is refined once more."""
        tracked, state = self.tracked, self.state
        state.pose, state.previous, state.lost_for, state.first = pose, None, 0, pose
        state.phase, state.tracks = Phase.TRACKING, SurfaceTracks()
        evidence = tracked.evidence(frame, pose)
        options = RefineOptions(iterations=tracked.options.mask_guided.start_iterations)
        refined = tracked.refiner.refine(pose, evidence, options)
        candidate = pulled_onto_colors(tracked, state, frame, refined, evidence, None, pose)
        state.good_ncc = state.first_ncc = max(candidate.ncc, 0.0)
        guided = tracked.is_texture_guided(state.good_ncc)
        _log.debug(
            "label %d starts, guided by its %s: overlap %.2f, correlation of colours %.2f",
            *(tracked.label, "colours" if guided else "mask", candidate.refined.iou, candidate.ncc),
        )
        if guided:
            begin = candidate.refined.camera_from_object
            by_texture = pose_by_texture(tracked, state, frame, evidence, begin, None, None)
            candidate = candidate if by_texture is None else by_texture
        return self._settle(candidate, evidence, frame)

    def step(self, frame: TrackedFrame, expected: Array | None = None) -> FramePose:
        """The pose in the next frame, looked for at a pose (4, 4) that is expected, or where its motion leads."""
        tracked, state = self.tracked, self.state
        state.tick += 1
        predicted = state.predicted(tracked) if expected is None else expected
        evidence = tracked.evidence(frame, predicted)
        if tracked.is_texture_guided(state.good_ncc):
            by_texture, matches = texture_guided_step(tracked, state, frame, evidence, predicted)
            if by_texture is not None:
                return self._settle(by_texture, evidence, frame)
        else:
            matches = surface_matches(tracked, state, frame, predicted)
        if not evidence.has_mask:
            return self._missing(frame)
        refined = pose_by_mask(tracked, state, evidence, predicted, matches)
        candidate = pulled_onto_colors(tracked, state, frame, refined, evidence, matches, predicted)
        if is_lost(tracked, candidate, state.good_ncc):
            candidate = self._relocalised(frame, evidence, candidate)
        return self._settle(candidate, evidence, frame)

    def _relocalised(self, frame: TrackedFrame, evidence: CropObservation, candidate: Candidate) -> Candidate:
        """What a search finds where it is better than the candidate; the symmetric equivalent next to the last pose."""
        tracked, state = self.tracked, self.state
        state.phase = Phase.RELOCALISING
        state.lost_for += 1
        if frame.box is None:
            return candidate
        around = None if tracked.trusted is None else state.first[:3, :3]
        recovery = Recovery(tracked.refiner, around, tracked.colored, tracked.options.relocalisation)
        found = recovery.look(frame.view, evidence, tracked.extremes, state.pose, state.lost_for)
        needed = candidate.refined.iou + candidate.ncc + tracked.options.relocalisation.gain
        if found.iou + found.ncc <= needed:
            return candidate
        pose = tracked.symmetry.closest(found.refined.camera_from_object, state.pose)
        _log.debug("label %d: searched, overlap %.2f", tracked.label, found.iou)
        return Candidate(replace(found.refined, camera_from_object=pose), found.ncc)

    def _missing(self, frame: TrackedFrame) -> FramePose:
        """No mask in this frame: hold the last pose, not valid."""
        state = self.state
        if state.lost_for == 0:
            _log.debug("label %d lost: no mask", self.tracked.label)
        state.lost_for += 1
        state.phase, state.tracks, state.previous = Phase.LOST, SurfaceTracks(), None
        state.frame, state.believed = frame, False
        return FramePose(state.pose, False, 0.0, 0.0, 0.0, np.eye(POSE_SIZE))

    def _settle(self, candidate: Candidate, evidence: CropObservation, frame: TrackedFrame) -> FramePose:
        """Believe a candidate or not, and remember what the next frame needs."""
        tracked, state, refined = self.tracked, self.state, candidate.refined
        seen = visible_share(candidate, evidence)
        lost = not candidate.by_texture and (
            is_lost(tracked, candidate, state.good_ncc) or seen < tracked.options.loss.least_seen
        )
        state.previous = None if lost or state.lost_for else state.pose
        if lost:
            self._lose(candidate)
        else:
            self._keep(candidate, evidence, frame, seen)
        state.frame, state.believed = frame, not lost
        sure = 0.0 if lost else confidence(tracked, candidate, evidence, state.good_ncc)
        pose = state.pose if lost else refined.camera_from_object
        signals = FrameSignals(overlap=refined.iou)
        if not lost:
            signals = replace(signals, points=candidate.points, evidence=candidate.evidence)
            if tracked.options.judged:
                signals = frame_signals(tracked, frame, evidence, pose, signals)
        return FramePose(pose, not lost, sure, refined.iou, candidate.ncc, refined.hessian, signals)

    def _lose(self, candidate: Candidate) -> None:
        state = self.state
        if state.phase is Phase.TRACKING or state.lost_for <= 1:
            _log.debug(
                "label %d lost: overlap %.2f, correlation of colours %.2f",
                *(self.tracked.label, candidate.refined.iou, candidate.ncc),
            )
        state.lost_for = max(state.lost_for, 1)
        state.phase, state.tracks = Phase.LOST, SurfaceTracks()

    def _keep(
        self, candidate: Candidate, evidence: CropObservation, frame: TrackedFrame, seen: float
    ) -> None:
        tracked, state = self.tracked, self.state
        if state.lost_for:
            _log.debug("label %d found again after %d frames", tracked.label, state.lost_for)
        o = tracked.options.loss
        state.lost_for, state.phase = 0, Phase.TRACKING
        state.pose = candidate.refined.camera_from_object
        state.good_ncc = max(o.ncc_kept * state.good_ncc, candidate.ncc, o.ncc_floor * state.first_ncc)
        if tracked.is_texture_guided(state.good_ncc):
            return
        if state.recognised:
            state.tracks = SurfaceTracks()  # made when they are needed
        else:
            state.refresh(tracked, frame)
        if tracked.options.mask_guided.keyframes and frame.evened is not None:
            sure = confidence(tracked, candidate, evidence, state.good_ncc)
            state.keyframes.offer(state.pose, frame.evened, sure, seen)
