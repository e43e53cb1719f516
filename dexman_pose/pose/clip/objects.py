"""The one road from masks to objects: start, track, shape, size, and the whole clip solved at once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import (
    Camera,
    Clip,
    DepthSequence,
    HandTrack,
    MaskSequence,
    Mesh,
    PoseTrack,
    RigidObject,
)
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.geometry.se3 import scaled_translations
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.clip.held_in_hand import held_track
from dexman_pose.pose.clip.options import RoadOptions, ShapeOptions, TrialOptions
from dexman_pose.pose.clip.scale import (
    Scale,
    about_origin,
    metric_scale,
    sized_symmetry,
    stretched_mesh,
    unit_by_hands,
)
from dexman_pose.pose.clip.shape import improve_shape
from dexman_pose.pose.clip.shape_choice import SILHOUETTE, choose_shape
from dexman_pose.pose.clip.shape_trial import trial_gain
from dexman_pose.pose.clip.shared_size import Foot, foot_of, shared_scales
from dexman_pose.pose.clip.smoothing import FREE, smooth_measured, solve_track
from dexman_pose.pose.clip.start import begin_object
from dexman_pose.pose.clip.track_followed import track_followed
from dexman_pose.pose.clip.types import ObjectRequest, ObjectStart
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.pose.refinement.lit_track import lit_track
from dexman_pose.pose.refinement.refiner import has_color, refiner_for
from dexman_pose.pose.refinement.settled import settled_track
from dexman_pose.pose.solver.options import SCALE_COUNTS
from dexman_pose.pose.tracking.clip_tracker import TrackStart, track_objects
from dexman_pose.pose.tracking.verdict import judged_again, tracked_again
from dexman_pose.symmetry.cache import symmetry_of
from dexman_pose.threads import cores

_log = logging.getLogger(__name__)
_DEFAULTS = RoadOptions()


def find_objects(
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    requests: Sequence[ObjectRequest],
    *,
    hands: dict[str, HandTrack] | None = None,
    depth: DepthSequence | None = None,
    smooth: bool = True,
    device: str = "cpu",
    options: RoadOptions = _DEFAULTS,
    followed: Mapping[str, PoseTrack] | None = None,
) -> dict[str, RigidObject]:
    """Find shape, size and poses of several objects of a clip together: they hide each other.

    Each starts in the frame asked for, or in a better one; all are tracked at once; shapes made from one outline are
    improved by the others; sizes that are not known come from depth, else from hands that touch the object; at the end
    all poses of a clip are solved together, each by its own covariance and smooth in time.

    Args:
        clip: the frames.
        masks: label images of the same frames.
        camera: intrinsics.
        requests: the objects, in the order of the result.
        hands: metric hands, which give a size where depth gives none.
        depth: depth images, metres; frames without a measurement may be all 0.
        smooth: whether the clip is solved at the end.
        device: where the search runs.
        options: all settings.
        followed: tracks that were made without the masks, of objects whose request has a start in them. They stay as
            they are where nothing but the outline could make them better.

    Returns:
        The objects by name. One that could not be followed at all has no valid frame.

    Raises:
        EstimationError: an object has no usable mask in any frame.
    """
    hands = hands or {}
    clips = {r.name: ObjectClip(clip, masks, r.name, camera, depth) for r in requests}
    starts = {r.name: begin_object(r, clips[r.name], hands, options, device) for r in requests}
    made = [r.name for r in requests if r.mesh is None]
    first = {name: starts[name] for name in made}
    with ThreadPoolExecutor(min(max(len(made), 1), cores())) as beside:  # shapes know nothing of each other
        chosen = beside.map(lambda name: choose_shape(clips[name], first[name], options.choice), made)
        starts |= dict(zip(made, chosen))
    tracks = _tracked(clips, starts, followed or {})
    starts, tracks = _second_thoughts(clips, starts, tracks, first, options)
    starts, tracks = _improved(clips, starts, tracks, made, options.shape, options.trial)
    scales = {
        r.name: _scale(r, tracks[r.name], starts[r.name], clips[r.name], hands, options) for r in requests
    }
    feet = {name: _foot(start, tracks[name]) for name, start in starts.items()}
    scales = shared_scales(scales, {name: foot for name, foot in feet.items() if foot}, options.shared)
    return {
        r.name: _finished(
            r, starts[r.name], tracks[r.name], clips[r.name], scales[r.name], hands, smooth, options
        )
        for r in requests
    }


def _tracked(
    clips: dict[str, ObjectClip], starts: dict[str, ObjectStart], followed: Mapping[str, PoseTrack]
) -> dict[str, PoseTrack]:
    """Tracks of all objects at once; depth takes part only if every mesh is as large as depth says."""
    begin, kept = {}, {}
    for name, start in starts.items():
        refiner = refiner_for(start.mesh, clips[name].masks.mask(start.frame, name))
        if name in followed and clips[name].depth is None and not has_color(refiner):
            kept[name] = followed[name]
            continue
        begin[name] = TrackStart(
            refiner,
            start.frame,
            start.camera_from_object,
            start.trusted,
            start.symmetry,
            doubt=start.doubt,
            given=start.given,
        )
    one = next(iter(clips.values()))
    unsized = [name for name, start in starts.items() if not start.metric]
    if unsized and one.depth is not None:
        _log.info("tracked without depth: the size of %s is not known yet", ", ".join(unsized))
    tracks = kept
    if begin:
        depth = None if unsized else one.depth
        if all(name in followed for name in begin):
            tracks |= track_followed(one.clip, one.masks, one.camera, begin, followed, depth=depth)
            if one.depth is None:
                tracks |= {
                    name: settled_track(start.refiner.rasterizer, followed[name], tracks[name], clips[name])
                    for name, start in begin.items()
                }
        else:
            tracks |= track_objects(one.clip, one.masks, one.camera, begin, depth=depth)
        if one.depth is None:
            tracks |= {
                name: lit_track(start.refiner.rasterizer, tracks[name], clips[name])
                for name, start in begin.items()
                if starts[name].metric
                and starts[name].mesh.seen is None  # colours of a clip have its light already
            }
    for name, track in tracks.items():
        lost = int((~track.valid).sum())
        _log.info("%s: %d of %d frames lost or in doubt", name, lost, len(track))
    # What is in doubt may be so for a size or a shape that is still to be mended: it is judged again at the end.
    return {name: tracked_again(tracks[name]) for name in starts}


def _second_thoughts(
    clips: dict[str, ObjectClip],
    starts: dict[str, ObjectStart],
    tracks: dict[str, PoseTrack],
    first: dict[str, ObjectStart],
    options: RoadOptions,
) -> tuple[dict[str, ObjectStart], dict[str, PoseTrack]]:
    """The first shapes again where the chosen ones explain the whole clip poorly and the first ones less so."""
    again = {
        name: start
        for name, start in first.items()
        if _believed_overlap(tracks[name]) < options.choice.poor
        and starts[name].mesh.source != start.mesh.source
        and (
            _believed_overlap(tracks[name]) < options.choice.failed
            or _is_promising(clips[name], starts[name], start.mesh, tracks[name], options.trial)
        )
    }
    if not again:
        return starts, tracks
    starts, tracks = dict(starts), dict(tracks)
    for name, track in _tracked({name: clips[name] for name in again}, again, {}).items():
        if _believed_overlap(track) > _believed_overlap(tracks[name]):
            _log.info("%s: the swollen outline explains the clip better than the chosen shape", name)
            starts[name], tracks[name] = again[name], track
    return starts, tracks


def _believed_overlap(track: PoseTrack) -> float:
    """Mean outline overlap where frames that the verdict will take for wrong count as nothing."""
    return _mean_overlap(judged_again(track, resized=True))


def _improved(
    clips: dict[str, ObjectClip],
    starts: dict[str, ObjectStart],
    tracks: dict[str, PoseTrack],
    made: list[str],
    options: ShapeOptions,
    trial: TrialOptions,
) -> tuple[dict[str, ObjectStart], dict[str, PoseTrack]]:
    """Starts and tracks with better shapes where that explains the masks better.

    A second track costs as much as the first, so it is made only where a trial on a few frames does not speak against
    the better shape.
    """
    swollen = [name for name in made if starts[name].mesh.source == SILHOUETTE]
    poor = [name for name in swollen if _mean_overlap(tracks[name]) < options.good_overlap]
    if not poor:
        return starts, tracks
    one = clips[poor[0]]
    better = improve_shape(
        one.clip,
        one.masks,
        one.camera,
        {name: starts[name].mesh for name in poor},
        {name: tracks[name] for name in poor},
        {name: starts[name].frame for name in poor},
        options=options,
    )
    again = {
        name: starts[name].reshaped(mesh, _pose_at(tracks[name], starts[name]))
        for name, mesh in better.items()
        if _is_promising(clips[name], starts[name], mesh, tracks[name], trial)
    }
    if not again:
        return starts, tracks
    retracked = _tracked({name: clips[name] for name in again}, again, {})
    starts, tracks = dict(starts), dict(tracks)
    for name, track in retracked.items():
        before, after = _mean_overlap(tracks[name]), _mean_overlap(track)
        _log.info(
            "%s: outline overlap %.3f with the first shape, %.3f with the improved one, which is %s",
            name,
            before,
            after,
            "kept" if after > before else "dropped",
        )
        if after > before:
            starts[name], tracks[name] = again[name], track
    return starts, tracks


def _is_promising(
    object_clip: ObjectClip, start: ObjectStart, mesh: Mesh, track: PoseTrack, options: TrialOptions
) -> bool:
    """Whether another shape may explain the masks better than the tracked one."""
    gain = trial_gain(object_clip, start.mesh, mesh, track, start.frame, options)
    _log.info("%s: in a few frames the other shape covers %+.3f more of the mask", object_clip.name, gain)
    return gain > -options.doubt


def _foot(start: ObjectStart, track: PoseTrack) -> Foot | None:
    return foot_of(start.mesh, _pose_at(track, start))


def _pose_at(track: PoseTrack, start: ObjectStart) -> Array:
    return track.camera_from_object[start.frame] if track.valid[start.frame] else start.camera_from_object


def _mean_overlap(track: PoseTrack) -> float:
    """Mean outline overlap over all frames; frames without a valid pose count as nothing."""
    assert track.mask_iou is not None
    return float(np.where(track.valid, track.mask_iou, 0.0).mean())


def _scale(
    request: ObjectRequest,
    track: PoseTrack,
    start: ObjectStart,
    object_clip: ObjectClip,
    hands: dict[str, HandTrack],
    options: RoadOptions,
) -> Scale:
    """The factor on the tracked mesh, and what fixes it."""
    if request.mesh is not None and request.scale == "known":
        shape = replace(start.mesh, unit=request.mesh.unit)  # a stand-in has its size, not its word
        factor = unit_by_hands(track, shape, object_clip.camera, hands, options.scale)
        return Scale(factor, request.mesh.size_source)
    return metric_scale(track, start.mesh, object_clip, hands, options.scale)


def _finished(
    request: ObjectRequest,
    start: ObjectStart,
    track: PoseTrack,
    object_clip: ObjectClip,
    scale: Scale,
    hands: dict[str, HandTrack],
    smooth: bool,
    options: RoadOptions,
) -> RigidObject:
    """The object in its size, held by a hand where that was said, its poses solved over the whole clip."""
    factors = np.full(3, scale.factor)
    track = replace(track, camera_from_object=scaled_translations(track.camera_from_object, scale.factor))
    even = options.scale.even
    scales = SCALE_COUNTS[request.scale] if request.mesh is not None and scale.source == "depth" else 0
    if scales and track.valid.any():
        track, more = _sized_by_depth(start, track, object_clip, factors, scales, options)
        factors = factors * more
    tracked = stretched_mesh(start.mesh, factors)
    group = sized_symmetry(start.symmetry, tracked, factors, even)
    if request.held and hands and scale.source != "unknown":
        track = held_track(tracked, track, object_clip, hands, start.frame, group, options.held)
    track = judged_again(track, resized=request.mesh is None or request.scale != "known")
    if smooth:
        track = smooth_measured(
            track, tracked, object_clip, group, options.smooth, guessed=request.mesh is None
        )
    return _object(request, start, track, factors, scale.source, even)


def _sized_by_depth(
    start: ObjectStart,
    track: PoseTrack,
    object_clip: ObjectClip,
    factors: Array,
    scales: int,
    options: RoadOptions,
) -> tuple[PoseTrack, Array]:
    """The track and (3,) further factors on the mesh, from outlines and depth of all frames together."""
    mesh = stretched_mesh(start.mesh, factors)
    refiner = refiner_for(mesh, object_clip.masks.mask(start.frame, object_clip.name))
    group = sized_symmetry(start.symmetry, mesh, factors, options.scale.even)
    track, more = solve_track(
        refiner, track, object_clip, group, FREE, scales=scales, evidence=options.evidence
    )
    return about_origin(track, mesh.center, more), more


def _object(
    request: ObjectRequest,
    start: ObjectStart,
    track: PoseTrack,
    factors: Array,
    source: ScaleSource,
    even: float,
) -> RigidObject:
    """The result, with the user's own mesh in place of a stand-in."""
    total = start.factors * factors
    if request.mesh is None:
        mesh, group = stretched_mesh(start.mesh, factors), SymmetryGroup.trivial()
    else:
        mesh = stretched_mesh(request.mesh, total)
        own = symmetry_of(request.mesh) if request.symmetry is None else request.symmetry
        group = sized_symmetry(own, mesh, total, even)
    return RigidObject(
        request.name,
        mesh,
        track,
        scale=float(np.exp(np.log(total).mean())),
        scale_source=source,
        symmetry=group.sampled(),
    )
