"""Poses by the mesh's own colours: alone where they carry it, as a pull on a pose by the mask elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.evidence import Evidence
from dexman_pose.pose.matching.photometric import FINE
from dexman_pose.pose.observation.crop import CropObservation, visible_iou
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined
from dexman_pose.pose.refinement.texture import Textured, align_to_texture, refine_with_texture
from dexman_pose.pose.solver.options import RefineOptions, trusting_points
from dexman_pose.pose.solver.residuals import PointMatches
from dexman_pose.pose.tracking.confidence import colors_confirm
from dexman_pose.pose.tracking.state import Candidate, TrackState
from dexman_pose.pose.tracking.tracked_frame import TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject


def texture_guided_step(
    tracked: TrackedObject,
    state: TrackState,
    frame: TrackedFrame,
    evidence: CropObservation,
    predicted: Array,
) -> tuple[Candidate | None, PointMatches | None]:
    """The pose of the next frame by colours alone, or None when they do not carry it; and the points followed.

    Where the prediction is good, texture alone finds the pose: points are followed only when it does not.

    Args:
        tracked: the object.
        state: of its track; its surface points move on where they are followed.
        frame: the next frame.
        evidence: crop of it.
        predicted: (4, 4) the pose expected.
    """
    found = pose_by_texture(tracked, state, frame, evidence, predicted, None, predicted)
    if found is not None:
        return found, None
    matches = state.follow(tracked, frame, predicted)
    if matches is None:
        return None, None
    return pose_by_texture(tracked, state, frame, evidence, predicted, matches, predicted), matches


def pose_by_texture(
    tracked: TrackedObject,
    state: TrackState,
    frame: TrackedFrame,
    evidence: CropObservation,
    start: Array,
    matches: PointMatches | None,
    predicted: Array | None,
) -> Candidate | None:
    """The pose from followed points, texture and edges of the outline alone; None when they do not carry it.

    Args:
        tracked: the object.
        state: of its track.
        frame: the frame.
        evidence: crop of it.
        start: (4, 4) pose to begin at.
        matches: followed points, or None.
        predicted: (4, 4) centre of the motion prior, or None.
    """
    o, refiner, pose = tracked.options.texture_guided, tracked.refiner, start
    guided = tracked.is_texture_guided(state.good_ncc)
    base = tracked.refine_options(o.iterations, texture_guided=guided)
    options = replace(base, use_silhouette=False, edge_weight=o.edge_weight)
    if matches is not None and len(matches) >= o.least_points:
        by_points = refiner.refine(pose, evidence, options, matches=matches, predicted=predicted)
        pose = by_points.camera_from_object
    found = align_to_texture(refiner, pose, evidence, replace(frame.view, depth=None), options, predicted)
    if found is None or found.inliers < o.least_inliers:
        return None
    if not colors_confirm(found.ncc, found.agreeing, state.good_ncc, tracked.options.loss):
        return None
    ncc, base = found.ncc, tracked.refine_options(o.outline_iterations, texture_guided=guided)
    if found.matches is None:
        result = _measured(refiner, found.refined, evidence)
        with_outline = _measured(refiner, _with_outline(refiner, found, evidence, base, predicted), evidence)
        seen = found.correlation(with_outline.camera_from_object)
        # A mask that the mesh can explain without the colours objecting is believed.
        if seen > found.ncc - o.gray_loss and with_outline.iou > max(o.mask_agrees, result.iou):
            result, ncc = with_outline, seen
        if result.iou < o.gray_iou or ncc < o.gray_share * state.good_ncc or state.lost_for:
            return None
    else:
        # Looked at first, the mask would have to be compared with a drawing of its own.
        result = _with_outline(refiner, found, evidence, base, predicted)
        if result.first_iou <= o.mask_agrees:
            result = _measured(refiner, found.refined, evidence)
    points = found.agreeing if found.matches is not None else np.nan  # grey values have no points
    return Candidate(
        result, ncc, by_texture=True, points=points, evidence=int(Evidence.TEXTURE | Evidence.EDGES)
    )


def _measured(refiner: PoseRefiner, refined: Refined, evidence: CropObservation) -> Refined:
    """A refinement that did not ask the mask, with the overlap and area that its outline has."""
    pose = refined.camera_from_object
    drawn = refiner.rasterizer.render(pose[None], evidence.camera.K, *evidence.size[::-1]).mask[0]
    return replace(refined, iou=visible_iou(drawn, evidence), area=int(drawn.sum()))


def _with_outline(
    refiner: PoseRefiner,
    found: Textured,
    evidence: CropObservation,
    options: RefineOptions,
    predicted: Array | None,
) -> Refined:
    """A pose by texture refined once more, with the mask's outline beside it."""
    pose = found.refined.camera_from_object
    if found.shading is not None:
        view, shaded = found.shading.views[FINE], found.shading.points[FINE]
        return refiner.refine(pose, view, options, shaded=shaded, edges=found.edges, predicted=predicted)
    trusting = trusting_points(found.matches, options)
    return refiner.refine(
        pose, evidence, trusting, matches=found.matches, edges=found.edges, predicted=predicted
    )


def pulled_onto_colors(
    tracked: TrackedObject,
    state: TrackState,
    frame: TrackedFrame,
    refined: Refined,
    evidence: CropObservation,
    matches: PointMatches | None,
    predicted: Array,
) -> Candidate:
    """Pull a pose onto the mesh's own colours, which do not drift.

    Args:
        tracked: the object.
        state: of its track.
        frame: the frame.
        refined: the pose so far.
        evidence: crop of the frame.
        matches: followed points, or None.
        predicted: (4, 4) centre of the motion prior.
    """
    if not tracked.colored:
        return Candidate(refined, 0.0, evidence=_carried(evidence, matches, False))
    options, guided = tracked.options.colors, tracked.is_texture_guided(state.good_ncc)
    base = tracked.refine_options(options.iterations or RefineOptions.iterations, texture_guided=guided)
    found = refine_with_texture(
        tracked.refiner,
        refined,
        evidence,
        frame.view,
        options if tracked.trusted is None else replace(options, rounds=1),
        refinement=base,
        predicted=predicted,
        trusted=tracked.trusted,
        followed=matches,
    )
    return Candidate(found.refined, found.ncc, evidence=_carried(evidence, matches, found.rounds > 0))


def _carried(evidence: CropObservation, matches: PointMatches | None, textured: bool) -> int:
    """Sum of the kinds of evidence that carry a pose by the mask."""
    kinds = {
        Evidence.MASK: evidence.has_mask,
        Evidence.DEPTH: evidence.depth is not None,
        Evidence.CORNERS: matches is not None and len(matches) > 0,
        Evidence.TEXTURE: textured,
    }
    return sum(int(kind) for kind, there in kinds.items() if there)
