"""From masks to objects: a mesh for each (the user's, or one made from the clip), its track, and its metric scale."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import (
    OCCLUDER,
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
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.meshing.silhouette import close_gaps, shape_from_mask
from dexman_pose.pose.scale import Scale, scale_from_depth, scale_from_hands
from dexman_pose.pose.search import refiner_for, search_pose
from dexman_pose.pose.shape import improve_shape
from dexman_pose.pose.symmetry_cache import symmetry_of
from dexman_pose.pose.track import TrackStart, track_objects

Array = NDArray[np.float64]
_log = logging.getLogger(__name__)

_ARM_LENGTH = 0.7
"""Metres at which an object is put when nothing tells its distance: a person's reach from a table camera."""


_GOOD_OVERLAP = 0.94
"""Mean outline overlap above which a shape made from one frame already explains the whole clip."""


@dataclass(frozen=True)
class _Made:
    """A mesh and where it starts."""

    mesh: Mesh
    frame: int
    camera_from_object: Array


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
    made = {n: _begin(n, clip, masks, prompts[n], meshes.get(n), camera, hands, depth) for n in prompts}
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
    scales = _scales(guessed, tracks, made, masks, camera, hands, depth)
    out = {}
    for name in prompts:
        scale = scales.get(name, Scale(1.0, "given"))
        out[name] = _scaled(name, made[name].mesh, tracks[name], scale)
    return out


def _begin(
    name: str,
    clip: Clip,
    masks: MaskSequence,
    prompt: ObjectPrompt,
    mesh: Mesh | None,
    camera: Camera,
    hands: dict[str, HandTrack],
    depth: DepthSequence | None,
) -> _Made:
    """The mesh of one object and its pose in the frame it starts from."""
    label = masks.label_of(name)
    frame = _first_frame(masks, name, prompt.frame)
    labels = masks.labels(frame)
    image = clip.frame(frame)
    sensor = depth.frame(frame) if depth is not None else None
    if mesh is not None:
        refiner = refiner_for(mesh, labels == label)
        found = search_pose(refiner, image, labels, label, camera, depth=sensor, symmetry=symmetry_of(mesh))
        return _Made(mesh, frame, found[0].camera_from_object)
    visible = labels == label
    distance = _distance(visible, frame, hands, sensor)
    shape, pose = shape_from_mask(
        close_gaps(visible, labels == OCCLUDER), camera, distance, image, visible=visible
    )
    return _Made(shape, frame, pose)


def _first_frame(masks: MaskSequence, name: str, wanted: int) -> int:
    """The prompted frame, or the nearest one in which the object has a mask."""
    column = masks.names.index(name)
    order = np.argsort(np.abs(np.arange(masks.num_frames) - wanted), kind="stable")
    for frame in order:
        if masks.confidence[frame, column] > 0 and int(masks.mask(int(frame), name).sum()) >= 30:
            return int(frame)
    raise EstimationError(f"object {name!r} has no usable mask in any frame; give a tighter box or a mask")


def _distance(
    visible: NDArray[np.bool_], frame: int, hands: dict[str, HandTrack], sensor: NDArray[np.float32] | None
) -> float:
    """A first distance in metres for an object without a mesh; the scale is settled later from the whole clip."""
    if sensor is not None and np.count_nonzero(sensor[visible]) >= 20:
        measured = sensor[visible]
        return float(np.median(measured[measured > 0]))
    known = [h.joints[h.valid][:, :, 2] for h in hands.values() if h.valid.any()]
    if known:
        return float(np.median(np.concatenate(known)))
    return _ARM_LENGTH


def _track(
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    made: dict[str, _Made],
    depth: DepthSequence | None,
) -> dict[str, PoseTrack]:
    starts = {}
    for name, m in made.items():
        refiner = refiner_for(m.mesh, masks.mask(m.frame, name))
        starts[name] = TrackStart(refiner, m.frame, m.camera_from_object, m.mesh.seen, _symmetry(m.mesh))
    return track_objects(clip, masks, camera, starts, depth=depth)


def _symmetry(mesh: Mesh) -> SymmetryGroup:
    """The symmetry of a user's mesh; one made from a single view is too much of a guess to have any."""
    return symmetry_of(mesh) if mesh.seen is None else SymmetryGroup.trivial()


def _keep_better(
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    made: dict[str, _Made],
    tracks: dict[str, PoseTrack],
    better: dict[str, Mesh],
    depth: DepthSequence | None,
) -> tuple[dict[str, _Made], dict[str, PoseTrack]]:
    """Track again with the improved shapes and keep, per object, whichever explains the masks better."""
    if not better:
        return made, tracks
    again = {
        n: replace(made[n], mesh=mesh, camera_from_object=_pose_at(tracks[n], made[n]))
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


def _pose_at(track: PoseTrack, made: _Made) -> Array:
    return track.camera_from_object[made.frame] if track.valid[made.frame] else made.camera_from_object


def _mean_iou(track: PoseTrack) -> float:
    """Mean outline overlap over all frames; frames without a valid pose count as nothing."""
    assert track.mask_iou is not None
    return float(np.where(track.valid, track.mask_iou, 0.0).mean())


def _scales(
    guessed: list[str],
    tracks: dict[str, PoseTrack],
    made: dict[str, _Made],
    masks: MaskSequence,
    camera: Camera,
    hands: dict[str, HandTrack],
    depth: DepthSequence | None,
) -> dict[str, Scale]:
    """The metric scale of each object whose mesh was made here: depth first, then the hands that touch it."""
    out: dict[str, Scale] = {}
    for name in guessed:
        found = None
        if depth is not None:
            found = scale_from_depth(tracks[name], made[name].mesh, masks, name, camera, depth)
        if found is None and hands:
            found = scale_from_hands(tracks[name], made[name].mesh, masks, name, hands)
        out[name] = found or Scale(1.0, "unknown")
    known = [s.factor for s in out.values() if s.source != "unknown"]
    if known:  # an object nobody touched stands on the same table as those that somebody did
        middle = float(np.median(known))
        out = {n: s if s.source != "unknown" else Scale(middle, "unknown") for n, s in out.items()}
    return out


def _scaled(name: str, mesh: Mesh, track: PoseTrack, scale: Scale) -> RigidObject:
    """The object with mesh and translations multiplied by its scale: the picture stays the same."""
    poses = track.camera_from_object.copy()
    poses[:, :3, 3] *= scale.factor
    source: ScaleSource = scale.source
    return RigidObject(
        name,
        mesh.scaled(scale.factor),
        replace(track, camera_from_object=poses),
        scale=scale.factor,
        scale_source=source,
        symmetry=_symmetry(mesh).scaled(scale.factor).sampled(),
    )
