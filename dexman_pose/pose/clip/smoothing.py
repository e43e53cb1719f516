"""A track put through the whole-clip solver: all its poses at once, and what they share, against all the evidence."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera, Clip, DepthSequence, MaskSequence, Mesh, PoseTrack
from dexman_pose.errors import InputError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.optimize.pose_costs import PoseMeasurements
from dexman_pose.optimize.solver import solve_clip
from dexman_pose.optimize.types import ClipOptions, ClipSolution, SharedUnknowns
from dexman_pose.pose.clip.continuity import connected_frames, moved_frames
from dexman_pose.pose.clip.frame_costs import FusedCosts, clip_costs
from dexman_pose.pose.clip.options import EvidenceOptions, SmoothOptions
from dexman_pose.pose.observation.view import ObjectClip, object_name
from dexman_pose.pose.refinement.refiner import PoseRefiner, refiner_for
from dexman_pose.symmetry.cache import symmetry_of

_log = logging.getLogger(__name__)

FREE = ClipOptions(acceleration_sigma=1e6, angular_acceleration_sigma=1e6, max_gap=0, mend=False)
"""No smoothness at all: frames are tied together by what they share alone."""

_EVIDENCE = EvidenceOptions()


def smooth_track(
    mesh: Mesh,
    track: PoseTrack,
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    *,
    name: str | None = None,
    depth: DepthSequence | None = None,
    symmetry: SymmetryGroup | None = None,
    options: ClipOptions | None = None,
    device: str = "cpu",
) -> PoseTrack:
    """All poses of a track solved together: outlines, depth, texture, the track itself, and smooth acceleration.

    Only valid frames give evidence, and frames that were not valid stay so; in short gaps their poses are bridged.

    Args:
        mesh: metres, of the size the track is of.
        track: poses per frame, roughly right.
        clip: the frames.
        masks: label images of the same frames.
        camera: intrinsics.
        name: which object of ``masks``; may be left out when there is one.
        depth: depth images, metres.
        symmetry: of the object; left out, it is detected. Poses follow each other without jumping in it.
        options: smoothness; left out, that of hands.
        device: where the engine runs.

    Raises:
        InputError: track, clip and masks differ in length, or several objects and no name.
    """
    name = object_name(masks, name)
    if not len(track) == clip.num_frames == masks.num_frames:
        raise InputError(
            f"smoothing needs track, clip and masks of one length, but got {len(track)}, {clip.num_frames} and "
            f"{masks.num_frames} frames"
        )
    if not track.valid.any():
        return track
    group = symmetry_of(mesh) if symmetry is None else symmetry
    refiner = refiner_for(mesh, masks.mask(int(np.argmax(track.valid)), name), device)
    object_clip = ObjectClip(clip, masks, name, camera, depth)
    return solve_track(refiner, track, object_clip, group, options or ClipOptions())[0]


def solve_track(
    refiner: PoseRefiner,
    track: PoseTrack,
    object_clip: ObjectClip,
    symmetry: SymmetryGroup,
    options: ClipOptions,
    *,
    scales: int = 0,
    evidence: EvidenceOptions = _EVIDENCE,
) -> tuple[PoseTrack, Array]:
    """Solve a track against rendered evidence of all its frames.

    Returns:
        The solved track, and (3,) factors on the mesh about its centre.
    """
    poses = symmetry.continuous_track(track.camera_from_object, track.valid)
    radius = refiner.rasterizer.mesh.radius * (evidence.loose if scales else 1.0)
    anchors = PoseMeasurements.with_sigmas(
        poses, refiner.center, evidence.anchor_shift * radius, evidence.anchor_turn
    )
    costs = clip_costs(
        refiner, object_clip, poses, track.valid, anchors=anchors, scales=scales, options=evidence
    )
    shared = SharedUnknowns(np.zeros(scales), np.full(scales, evidence.scale_sigma), scales)
    found = solve_clip(
        costs,
        poses,
        track.valid,
        refiner.center,
        shared=shared,
        frame_times=object_clip.clip.frame_times,
        options=options,
    )
    _tell(object_clip.name, found, "outlines of all frames")
    factors = np.exp(np.broadcast_to(found.shared, 3)) if scales else np.ones(3)
    solved = _rewritten(track, found, symmetry, evidence.vague)
    overlap = _overlap_where_seen(costs, solved, found.shared)
    return replace(solved, mask_iou=overlap), np.asarray(factors, np.float64)


def smooth_measured(
    track: PoseTrack,
    mesh: Mesh,
    object_clip: ObjectClip,
    symmetry: SymmetryGroup,
    options: SmoothOptions,
) -> PoseTrack:
    """Solve all poses of a refined track together, each pulled by its own covariance and by smooth acceleration.

    Nothing is rendered again but where a pose moved visibly. Frames that were not valid stay so. A frame whose pose was
    overruled by its neighbours stays valid only if the new pose explains its mask as well; frames that no object can
    have moved through do not, and the others are solved once more without them.

    Args:
        track: poses with covariances.
        mesh: of the size the track is of.
        object_clip: the object in its clip.
        symmetry: of the mesh.
        options: smoothness and limits.
    """
    found = track
    for _ in range(2):
        if not found.valid.any():
            return found
        found = _solved(replace(track, valid=found.valid), mesh, object_clip, symmetry, options)
        ok = found.valid & connected_frames(
            found, mesh.center, object_clip.clip.frame_times, options.continuity
        )
        if (ok == found.valid).all():
            break
        _log.info("%s: %d frames jump and are not valid", object_clip.name, int((found.valid & ~ok).sum()))
        found = replace(found, valid=ok, confidence=np.where(ok, found.confidence, 0.0))
    return found


def _solved(
    track: PoseTrack, mesh: Mesh, object_clip: ObjectClip, symmetry: SymmetryGroup, options: SmoothOptions
) -> PoseTrack:
    """The track solved once, overruled frames judged."""
    assert track.covariance is not None
    poses = symmetry.continuous_track(track.camera_from_object, track.valid)
    costs = PoseMeasurements.with_covariances(poses, mesh.center, track.covariance, options.reach)
    times = object_clip.clip.frame_times
    found = solve_clip(costs, poses, track.valid, mesh.center, frame_times=times, options=options.solver)
    _tell(object_clip.name, found, "measured poses")
    solved = _rewritten(track, found, symmetry, _EVIDENCE.vague)
    return _judged(replace(track, camera_from_object=poses), solved, mesh, object_clip, options)


def _judged(
    track: PoseTrack, solved: PoseTrack, mesh: Mesh, object_clip: ObjectClip, options: SmoothOptions
) -> PoseTrack:
    """The solved track with overlaps measured anew where poses moved; not valid where they moved away from the mask."""
    rule, radius = options.continuity, mesh.radius
    before, after = track.camera_from_object, solved.camera_from_object
    drawn = track.valid & moved_frames(before, after, mesh.center, rule.drawn_shift * radius, rule.drawn_turn)
    if not drawn.any() or track.mask_iou is None:
        return solved
    refiner = refiner_for(mesh, object_clip.masks.mask(int(np.argmax(drawn)), object_clip.name))
    costs = clip_costs(refiner, replace(object_clip, depth=None), after, drawn, texture=False)
    overlap, none = _overlap_where_seen(costs, solved, np.zeros(0)), np.zeros(0)
    was = np.where(_seen(costs), costs.overlap(before, none), track.mask_iou)
    overruled = moved_frames(before, after, mesh.center, rule.moved_shift * radius, rule.moved_turn)
    refused = drawn & overruled & (overlap < was - rule.worse)
    _log.info(
        "%s: %d poses moved visibly, %d against their mask, which are not valid",
        object_clip.name,
        int(drawn.sum()),
        int(refused.sum()),
    )
    confidence = np.where(refused, 0.0, solved.confidence)
    return replace(solved, mask_iou=overlap, valid=solved.valid & ~refused, confidence=confidence)


def _seen(costs: FusedCosts) -> Bools:
    return np.array([view is not None for view in costs.views])


def _overlap_where_seen(costs: FusedCosts, track: PoseTrack, shared: Array) -> Array:
    """(T,) overlaps at the track's poses; what the track says in frames without evidence."""
    old = np.zeros(len(track)) if track.mask_iou is None else track.mask_iou
    return np.where(_seen(costs), costs.overlap(track.camera_from_object, shared), old)


def _rewritten(track: PoseTrack, found: ClipSolution, symmetry: SymmetryGroup, vague: float) -> PoseTrack:
    """The track with the solver's poses and covariances where it solved."""
    poses = track.camera_from_object.copy()
    poses[found.solved] = found.poses[found.solved]
    covariance = track.covariance
    if found.covariance is not None:
        old = covariance
        if old is None:
            old = np.tile(vague * np.eye(POSE_SIZE), (len(track), 1, 1))
        covariance = np.where(found.solved[:, None, None], found.covariance, old)
    poses = symmetry.continuous_track(poses, track.valid)
    return replace(track, camera_from_object=poses, covariance=covariance)


def _tell(name: str, found: ClipSolution, what: str) -> None:
    _log.info(
        "%s: whole clip solved against %s in %d evaluations%s, cost %.1f to %.1f",
        name,
        what,
        found.iterations,
        "" if found.converged else ", not converged",
        found.cost_before,
        found.cost_after,
    )
