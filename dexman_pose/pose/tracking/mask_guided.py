"""Poses by the mask's outline and by surface points, of earlier views and followed from the last frame."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.matching.keyframes import PLENTY
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.refinement.refiner import Refined
from dexman_pose.pose.search.viewpoints import poses_on_box
from dexman_pose.pose.solver.residuals import PointMatches, join_matches
from dexman_pose.pose.tracking.motion_model import same_face
from dexman_pose.pose.tracking.state import TrackState
from dexman_pose.pose.tracking.tracked_frame import TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject


def surface_matches(
    tracked: TrackedObject, state: TrackState, frame: TrackedFrame, predicted: Array
) -> PointMatches | None:
    """Points of earlier views found again; where they are few followed points too, which carry errors on.

    Args:
        tracked: the object.
        state: of its track; it notes whether earlier views said enough.
        frame: the frame.
        predicted: (4, 4) the pose expected in it.
    """
    o = tracked.options.mask_guided
    now = frame.evened if o.keyframes else None
    found = state.keyframes.match(predicted, now) if now and len(state.keyframes) else None
    state.recognised = found is not None and len(found) >= PLENTY
    if found is not None and state.recognised:
        return found
    followed = state.follow(tracked, frame, predicted)
    if found is None or followed is None:
        return found or followed
    weaker = PointMatches(followed.points, followed.pixels, o.followed_weight * followed.weight)
    return join_matches([found, weaker])


def pose_by_mask(
    tracked: TrackedObject,
    state: TrackState,
    evidence: CropObservation,
    predicted: Array,
    matches: PointMatches | None,
) -> Refined:
    """Refine from the prediction and, when that looks poor, from other poses on the mask too.

    Args:
        tracked: the object.
        state: of its track.
        evidence: crop of the frame, with a mask.
        predicted: (4, 4) the pose expected in it.
        matches: surface points, or None.
    """
    o = tracked.options.mask_guided
    guided = tracked.is_texture_guided(state.good_ncc)
    options = tracked.refine_options(o.iterations, texture_guided=guided)

    def refined(start: Array) -> Refined:
        return tracked.refiner.refine(start, evidence, options, matches=matches, predicted=predicted)

    best = refined(predicted)
    starts: list[Array] = []
    if best.iou < o.poor_iou:
        starts += [state.pose, pose_on_mask(tracked, evidence, state.pose[:3, :3])]
    if best.iou < o.fair_iou and tracked.trusted is not None and not state.tick % o.known_side_every:
        turns = same_face(best.camera_from_object, state.first)
        starts += [pose_on_mask(tracked, evidence, turn) for turn in turns]
    for start in starts:
        other = refined(start)
        if other.iou > best.iou + o.gain:
            best = other
    return best


def pose_on_mask(tracked: TrackedObject, evidence: CropObservation, rotation: Array) -> Array:
    """(4, 4) a rotation (3, 3), placed so that its outline covers the mask's box."""
    found = mask_box(evidence.mask)
    assert found is not None
    corners = (found.reshape(2, 2) + 0.5) / evidence.factors - 0.5 + np.array(evidence.origin)
    moved: Array = poses_on_box(rotation[None], tracked.extremes, corners.ravel(), tracked.camera)[0]
    return moved
