"""From masks to objects: a mesh for each (the user's, or one made from the clip), its track, and its metric scale."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from dexman_pose.data import (
    Camera,
    Clip,
    DepthSequence,
    HandTrack,
    MaskSequence,
    Mesh,
    ObjectPrompt,
    PoseTrack,
    RigidObject,
)
from dexman_pose.pose.clip.scale import (
    Scale,
    object_scales,
    scaled_object,
)
from dexman_pose.pose.clip.shape import improve_shape
from dexman_pose.pose.clip.start import begin_object, pose_at
from dexman_pose.pose.clip.types import ObjectStart
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.tracking.clip_tracker import TrackStart, track_objects
from dexman_pose.symmetry.cache import symmetry_of_made

_log = logging.getLogger(__name__)


_GOOD_OVERLAP = 0.94
"""Mean outline overlap above which a shape made from one frame already explains the whole clip."""


def reconstruct_objects(
    clip: Clip,
    masks: MaskSequence,
    prompts: dict[str, ObjectPrompt],
    meshes: dict[str, Mesh | None],
    camera: Camera,
    *,
    hands: dict[str, HandTrack] | None = None,
    depth: DepthSequence | None = None,
) -> dict[str, RigidObject]:
    """Mesh, metric poses and scale of every object of a clip.

    Args:
        clip: the frames.
        masks: label images of the same frames.
        prompts: where each object was pointed at; its frame is where its track starts.
        meshes: the user's mesh per object in metres, or None to make one from the clip.
        camera: intrinsics.
        hands: metric hands, which give objects without a mesh their size.
        depth: depth images, metres.

    Returns:
        The objects by name.

    Raises:
        EstimationError: an object has no usable mask in any frame.
    """
    hands = hands or {}
    made = {n: begin_object(n, clip, masks, prompts[n], meshes.get(n), camera, hands, depth) for n in prompts}
    tracks = _track(clip, masks, camera, made, depth)
    guessed = [n for n in prompts if meshes.get(n) is None]
    poor = [n for n in guessed if _mean_iou(tracks[n]) < _GOOD_OVERLAP]
    if poor:
        better = improve_shape(
            clip,
            masks,
            camera,
            {n: made[n].mesh for n in poor},
            {n: tracks[n] for n in poor},
            {n: made[n].frame for n in poor},
        )
        made, tracks = _keep_better(clip, masks, camera, made, tracks, better, depth)
    scales = object_scales(guessed, tracks, made, masks, camera, hands, depth)
    out = {}
    for name in prompts:
        scale = scales.get(name, Scale(1.0, "given"))
        out[name] = scaled_object(name, made[name].mesh, tracks[name], scale)
    return out


def _track(
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    made: dict[str, ObjectStart],
    depth: DepthSequence | None,
) -> dict[str, PoseTrack]:
    starts = {}
    for name, m in made.items():
        refiner = refiner_for(m.mesh, masks.mask(m.frame, name))
        starts[name] = TrackStart(
            refiner, m.frame, m.camera_from_object, m.mesh.seen, symmetry_of_made(m.mesh)
        )
    return track_objects(clip, masks, camera, starts, depth=depth)


def _keep_better(
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    made: dict[str, ObjectStart],
    tracks: dict[str, PoseTrack],
    better: dict[str, Mesh],
    depth: DepthSequence | None,
) -> tuple[dict[str, ObjectStart], dict[str, PoseTrack]]:
    """Track again with the improved shapes and keep, per object, whichever explains the masks better."""
    if not better:
        return made, tracks
    again = {
        n: replace(made[n], mesh=mesh, camera_from_object=pose_at(tracks[n], made[n]))
        for n, mesh in better.items()
    }
    retracked = _track(clip, masks, camera, again, depth)
    made, tracks = dict(made), dict(tracks)
    for name in better:
        before, after = _mean_iou(tracks[name]), _mean_iou(retracked[name])
        _log.info(
            "%s: outline overlap %.3f with the first shape, %.3f with the improved one", name, before, after
        )
        if after > before:
            made[name], tracks[name] = again[name], retracked[name]
    return made, tracks


def _mean_iou(track: PoseTrack) -> float:
    """Mean outline overlap over all frames; frames without a valid pose count as nothing."""
    assert track.mask_iou is not None
    return float(np.where(track.valid, track.mask_iou, 0.0).mean())
