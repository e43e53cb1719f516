"""A track put through the whole-clip solver: all its poses at once, and what they share, against all the evidence."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Clip, MaskSequence, Mesh, PoseTrack
from dexman_pose.data.accept import CameraLike, ClipLike, DepthsLike, MasksLike, MeshLike
from dexman_pose.data.doubt import Doubt
from dexman_pose.data.numbers import instance
from dexman_pose.data.tracks import doubted
from dexman_pose.errors import InputError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.imaging.undistorted_inputs import undistorted_views
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.optimize.pose_costs import PoseMeasurements
from dexman_pose.optimize.solver import solve_clip
from dexman_pose.optimize.types import ClipOptions, ClipSolution, SharedUnknowns
from dexman_pose.pose.clip.continuity import connected_frames, moved_frames
from dexman_pose.pose.clip.frame_costs import FusedCosts, clip_costs
from dexman_pose.pose.clip.options import ContinuityOptions, EvidenceOptions, SmoothOptions
from dexman_pose.pose.observation.checked import checked_mesh, checked_symmetry, checked_views
from dexman_pose.pose.observation.view import ObjectClip, object_name
from dexman_pose.pose.refinement.refiner import PoseRefiner, refiner_for
from dexman_pose.render.devices import device_name
from dexman_pose.symmetry.cache import symmetry_of

_log = logging.getLogger(__name__)

FREE = ClipOptions(acceleration_sigma=1e6, angular_acceleration_sigma=1e6, max_gap=0, mend=False)
"""No smoothness at all: frames are tied together by what they share alone."""

_EVIDENCE = EvidenceOptions()
_ROUNDS = 4
"""Solutions of a measured track at most: one, one with firm poses, and without frames that jump."""


def smooth_track(
    mesh: MeshLike,
    track: PoseTrack,
    clip: ClipLike,
    masks: MasksLike,
    camera: CameraLike,
    *,
    name: str | None = None,
    depth: DepthsLike | None = None,
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
        camera: intrinsics; with a lens, frames, masks and depth are undistorted first.
        name: which object of ``masks``; may be left out when there is one.
        depth: depth images, metres.
        symmetry: of the object; left out, it is detected. Poses follow each other without jumping in it.
        options: smoothness; left out, that of hands.
        device: where the engine runs.

    Raises:
        InputError: track, clip and masks differ in length, or several objects and no name.
    """
    how = "track() gives one, or PoseTrack(camera_from_object, valid, confidence)"
    instance(track, PoseTrack, "track", how)
    if options is not None:
        instance(options, ClipOptions, "options", "leave them out for those of hands")
    if isinstance(masks, MaskSequence) and isinstance(clip, Clip) and masks.num_frames != clip.num_frames:
        raise _lengths(track, clip, masks)
    clip, masks, camera, depth = checked_views(clip, masks, camera, depth, name)
    name, symmetry, device = object_name(masks, name), checked_symmetry(symmetry), device_name(device)
    mesh = checked_mesh(mesh)
    if not len(track) == clip.num_frames == masks.num_frames:
        raise _lengths(track, clip, masks)
    if not track.valid.any():
        return track
    group = symmetry_of(mesh) if symmetry is None else symmetry
    refiner = refiner_for(mesh, masks.mask(int(np.argmax(track.valid)), name), device)
    clip, masks, camera, depth = undistorted_views(clip, masks, camera, depth)
    object_clip = ObjectClip(clip, masks, name, camera, depth)
    return solve_track(refiner, track, object_clip, group, options or ClipOptions())[0]


def _lengths(track: PoseTrack, clip: Clip, masks: MaskSequence) -> InputError:
    return InputError(
        f"smoothing needs track, clip and masks of one length, but got {len(track)}, {clip.num_frames} and "
        f"{masks.num_frames} frames"
    )


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
    *,
    guessed: bool = False,
) -> PoseTrack:
    """Solve all poses of a refined track together, each pulled by its own covariance and by smooth acceleration.

    Nothing is rendered again but where a pose moved visibly. A pose that its neighbours overruled although the mask
    speaks for it is held fast, and the clip solved again. Frames that were not valid stay so; those that no object can
    have moved through, or whose pose still left its mask, become so, and the others are solved without them.

    Args:
        track: poses with covariances.
        mesh: of the size the track is of.
        object_clip: the object in its clip.
        symmetry: of the mesh.
        options: smoothness and limits.
        guessed: the mesh is a guess made from outlines, so that covariances are too small.
    """
    assert track.covariance is not None
    poses = symmetry.continuous_track(track.camera_from_object, track.valid)
    doubt = options.guessed**2 if guessed else 1.0
    measured = replace(track, camera_from_object=poses, covariance=doubt * track.covariance)
    firm, valid, name = np.zeros(len(track), bool), track.valid, object_clip.name
    outlying = np.zeros(len(track), bool)
    solved = measured
    for attempt in range(_ROUNDS):
        if not valid.any():
            break
        solved = _solved(replace(measured, valid=valid), mesh, object_clip, symmetry, firm, options)
        solved, left = _judged(measured, solved, mesh, object_clip, options.continuity)
        if attempt == 0 and left.any():
            _log.info("%s: %d poses are held fast by their masks", name, int(left.sum()))
            firm = left
            continue
        ok = valid & ~left
        if (
            guessed or track.doubt is None
        ):  # else the tracker has judged jumps, and colours or depth confirmed these
            whole = replace(solved, valid=ok)
            ok = connected_frames(whole, mesh.center, object_clip.clip.frame_times, options.continuity)
        if (ok == valid).all():
            break
        _log.info("%s: %d frames jump or left their mask and are not valid", name, int((valid & ~ok).sum()))
        outlying |= valid & left
        valid = ok
    return _without(measured, solved, valid, outlying)


def _without(measured: PoseTrack, solved: PoseTrack, valid: Bools, outlying: Bools) -> PoseTrack:
    """The solved track; frames that are ``valid`` no more hold what was measured there, and nothing invented.

    The reason is kept: those (T,) of them that are ``outlying`` left their mask for their neighbours, the others jump.
    """
    refused = measured.valid & ~valid
    poses = np.where(refused[:, None, None], measured.camera_from_object, solved.camera_from_object)
    overlap = solved.mask_iou
    if overlap is not None and measured.mask_iou is not None:
        overlap = np.where(refused, measured.mask_iou, overlap)
    held = replace(solved, camera_from_object=poses, valid=measured.valid, mask_iou=overlap)
    held = doubted(held, refused & outlying, Doubt.OUTLIER)
    return doubted(held, refused & ~outlying, Doubt.JUMP)


def _solved(
    track: PoseTrack,
    mesh: Mesh,
    object_clip: ObjectClip,
    symmetry: SymmetryGroup,
    firm: Bools,
    options: SmoothOptions,
) -> PoseTrack:
    """The track solved once; measurements that are ``firm`` (T,) never lose their influence."""
    assert track.covariance is not None
    reach = np.where(firm, options.firm, options.reach)
    poses, times = track.camera_from_object, object_clip.clip.frame_times
    costs = PoseMeasurements.with_covariances(poses, mesh.center, track.covariance, reach)
    found = solve_clip(costs, poses, track.valid, mesh.center, frame_times=times, options=options.solver)
    _tell(object_clip.name, found, "measured poses")
    return _rewritten(track, found, symmetry, _EVIDENCE.vague)


def _judged(
    track: PoseTrack, solved: PoseTrack, mesh: Mesh, object_clip: ObjectClip, rule: ContinuityOptions
) -> tuple[PoseTrack, Bools]:
    """The solved track with overlaps measured anew where poses moved, and the (T,) frames that left their mask."""
    radius, center = mesh.radius, mesh.center
    before, after = track.camera_from_object, solved.camera_from_object
    drawn = moved_frames(before, after, center, rule.drawn_shift * radius, rule.drawn_turn) & solved.valid
    if not drawn.any() or track.mask_iou is None:
        return solved, np.zeros(len(track), bool)
    refiner = refiner_for(mesh, object_clip.masks.mask(int(np.argmax(drawn)), object_clip.name))
    costs = clip_costs(refiner, replace(object_clip, depth=None), after, drawn, texture=False)
    overlap, none = _overlap_where_seen(costs, solved, np.zeros(0)), np.zeros(0)
    was = np.where(_seen(costs), costs.overlap(before, none), track.mask_iou)
    overruled = moved_frames(before, after, center, rule.moved_shift * radius, rule.moved_turn)
    left = drawn & overruled & (overlap < was - rule.worse)
    _log.debug("%s: %d poses moved visibly, %d left their mask", object_clip.name, drawn.sum(), left.sum())
    return replace(solved, mask_iou=overlap), left


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
        covariance = 0.5 * (
            covariance + np.swapaxes(covariance, 1, 2)
        )  # rounding, where hardly anything is known
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
