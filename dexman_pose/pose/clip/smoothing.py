"""A track put through the whole-clip solver: all its poses at once, and what they share, against all the evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Clip, DepthSequence, MaskSequence, Mesh, PoseTrack
from dexman_pose.errors import InputError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.optimize.solver import solve_clip
from dexman_pose.optimize.types import ClipOptions, ClipSolution, SharedUnknowns
from dexman_pose.pose.clip.frame_costs import FusedCosts, PoseAnchors, clip_costs
from dexman_pose.pose.observation.view import ObjectClip, object_name
from dexman_pose.pose.refinement.refiner import PoseRefiner, refiner_for
from dexman_pose.symmetry.cache import symmetry_of

FREE = ClipOptions(acceleration_sigma=1e6, angular_acceleration_sigma=1e6, max_gap=0, mend=False)
"""No smoothness at all: frames are tied together by what they share alone."""

_ANCHOR_SHIFT = 0.05  # of the mesh's radius
_ANCHOR_TURN = np.deg2rad(3.0)
_LOOSE = 10.0  # times wider along translations while the scale is unknown: distances move with it
_SCALE_SIGMA = 2.0  # of the log-scales' prior: a factor of seven either way


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
) -> tuple[PoseTrack, Array]:
    """The solved track, and (3,) factors on the mesh about its centre."""
    poses = symmetry.continuous_track(track.camera_from_object, track.valid)
    radius = refiner.rasterizer.mesh.radius * (_LOOSE if scales else 1.0)
    anchors = PoseAnchors(poses, _ANCHOR_SHIFT * radius, _ANCHOR_TURN)
    costs = clip_costs(
        refiner,
        object_clip.clip,
        object_clip.masks,
        object_clip.name,
        object_clip.camera,
        poses,
        track.valid,
        depth=object_clip.depth,
        anchors=anchors,
        scales=scales,
    )
    shared = SharedUnknowns(np.zeros(scales), np.full(scales, _SCALE_SIGMA), scales)
    found = solve_clip(
        costs,
        poses,
        track.valid,
        refiner.center,
        shared=shared,
        frame_times=object_clip.clip.frame_times,
        options=options,
    )
    factors = np.exp(np.broadcast_to(found.shared, 3)) if scales else np.ones(3)
    return _rewritten(track, found, costs, symmetry), np.asarray(factors, np.float64)


def _rewritten(
    track: PoseTrack, found: ClipSolution, costs: FusedCosts, symmetry: SymmetryGroup
) -> PoseTrack:
    """The track with the solver's poses, overlaps and covariances where it solved."""
    poses = track.camera_from_object.copy()
    poses[found.solved] = found.poses[found.solved]
    seen = np.array([view is not None for view in costs.views])
    overlap = np.zeros(len(track)) if track.mask_iou is None else track.mask_iou
    overlap = np.where(seen, costs.overlap(poses, found.shared), overlap)
    covariance = track.covariance
    if found.covariance is not None:
        old = np.tile(1e4 * np.eye(6), (len(track), 1, 1)) if covariance is None else covariance
        covariance = np.where(found.solved[:, None, None], found.covariance, old)
    poses = symmetry.continuous_track(poses, track.valid)
    return replace(track, camera_from_object=poses, mask_iou=overlap, covariance=covariance)
