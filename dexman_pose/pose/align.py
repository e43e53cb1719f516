"""A mesh of arbitrary pose and size, out of a generator say, brought onto an object through a whole clip."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data import (
    Camera,
    Clip,
    DepthSequence,
    HandTrack,
    MaskSequence,
    Mesh,
    PoseTrack,
    RigidObject,
    _check,
)
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.align_frames import best_frames
from dexman_pose.pose.clip_solver import ClipOptions
from dexman_pose.pose.closed_shape import closed_shape, fill_share
from dexman_pose.pose.estimate import PoseEstimate
from dexman_pose.pose.find import find_pose
from dexman_pose.pose.grip import hold_by_hand, holding_hand
from dexman_pose.pose.scale import Scale, scale_from_depth, scale_from_hands
from dexman_pose.pose.search import refiner_for
from dexman_pose.pose.smoothing import FREE, Footage, object_name, smooth_track, solve_track
from dexman_pose.pose.symmetry_cache import symmetry_of
from dexman_pose.pose.track import TrackStart, track_objects

__all__ = ["align_mesh", "smooth_track"]

Array = NDArray[np.float64]
_log = logging.getLogger(__name__)

_UNKNOWNS = {"known": 0, "unknown": 1, "axes": 3}
_FULL = 0.86  # share of its closed picture that a mesh without gaps covers; the closing itself adds a little
_CLEAR, _MANY = 0.85, 10  # outline overlap of frames that a size is read off first, and how many are enough
_MARGIN_CAP = 0.2  # a lead over the runner-up beyond this is no better news


@dataclass(frozen=True)
class _Start:
    """Where the alignment begins.

    Attributes:
        frame: index.
        pose: (4, 4) camera_from_object of the mesh multiplied by ``factors`` along its axes.
        factors: (3,).
        metric: whether depth has fixed the size already.
    """

    frame: int
    pose: Array
    factors: Array
    metric: bool = False


def align_mesh(
    mesh: Mesh,
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    *,
    name: str | None = None,
    depth: DepthSequence | None = None,
    hands: dict[str, HandTrack] | None = None,
    start_frame: int | None = None,
    start: ArrayLike | None = None,
    scale: str = "unknown",
    symmetry: SymmetryGroup | None = None,
    smooth: bool = True,
    closed: bool | None = None,
    held: bool = False,
    device: str = "cpu",
) -> RigidObject:
    """Find pose and size of a mesh in a clip: search, track, then one size and smooth poses for the whole clip.

    It is searched for in a few of the best frames; the frame whose best hypothesis scores highest and leads most
    begins the track. The size comes from depth, all frames together; else from hands that touch the object; else it
    stays as it is and so does the common factor of all distances.

    Args:
        mesh: of any pose, and of any size unless ``scale`` is ``"known"``.
        clip: the frames.
        masks: label images of the same frames.
        camera: intrinsics.
        name: which object of ``masks``; may be left out when there is one.
        depth: depth images, metres; frames without a measurement may be all 0.
        hands: metric hands, which give a size where depth gives none.
        start_frame: the only frame to search in, or that of ``start``.
        start: (4, 4) camera_from_object in ``start_frame``, of the mesh as it is; no search then.
        scale: ``"known"``, ``"unknown"``: one factor, or ``"axes"``: one along each axis of the mesh.
        symmetry: of the mesh as given; left out, it is detected.
        smooth: whether smoothness in time counts; without it frames share the size alone.
        closed: whether gaps of the mesh (wires, bars) are filled while outlines are compared, as masks fill them;
            None: where they let more than a seventh of the background through.
        held: one of ``hands`` holds the object throughout; where the outline is not explained, the pose follows that
            hand instead, with low confidence. Needs a metric size.
        device: where the search runs.

    Returns:
        The object: mesh in its found size, track, ``scale`` (the geometric mean of factors along axes) and what fixed
        it, symmetry of the mesh.

    Raises:
        InputError: an option is unknown, lengths differ, several objects and no name, ``start`` without its frame.
        EstimationError: no usable mask, or the object could not be followed in any frame.
    """
    name = object_name(masks, name)
    _check_arguments(clip, masks, start_frame, start, scale)
    footage = Footage(clip, masks, name, camera, depth)
    own = symmetry_of(mesh) if symmetry is None else symmetry
    shape, group = _stand_in(mesh, own, symmetry, closed)
    if start is not None:
        begin = _given(shape, footage, int(start_frame or 0), start, scale)
    else:
        begin = _searched(shape, footage, start_frame, scale, group, device)
    sized = _stretched(shape, begin.factors)
    group = _sized_group(group, sized, begin.factors)
    track = _tracked(sized, footage, begin, group, scale)
    if not track.valid.any():
        raise EstimationError(
            f"object {name!r} was found in frame {begin.frame} but its pose explains no mask there"
        )
    track, factor, source = _sized(sized, track, footage, hands, scale, begin, group, smooth)
    if held and hands and source != "unknown":
        group = _sized_group(group, sized, factor)
        track = _held(_stretched(sized, factor), track, footage, hands, begin.frame, group)
    factors = begin.factors * factor
    final = _stretched(mesh, factors)
    return RigidObject(
        name,
        final,
        track,
        scale=float(np.exp(np.log(factors).mean())),
        scale_source=source,
        symmetry=_sized_group(own, final, factors).sampled(),
    )


def _stand_in(
    mesh: Mesh, own: SymmetryGroup, given: SymmetryGroup | None, closed: bool | None
) -> tuple[Mesh, SymmetryGroup]:
    """The shape whose outline is compared with masks, and its symmetry."""
    if closed is False:
        return mesh, own
    filled = closed_shape(mesh)
    if closed is None and fill_share(mesh, filled) > _FULL:
        return mesh, own
    return filled, symmetry_of(filled) if given is None else given


def _held(
    sized: Mesh,
    track: PoseTrack,
    footage: Footage,
    hands: dict[str, HandTrack],
    frame: int,
    group: SymmetryGroup,
) -> PoseTrack:
    """The track with the help of the hand that holds the object in the start frame, if one does."""
    hand = holding_hand(hands, sized, track.camera_from_object[frame], footage.camera, frame)
    return track if hand is None else hold_by_hand(track, hand, frame, symmetry=group)


def _check_arguments(
    clip: Clip, masks: MaskSequence, start_frame: int | None, start: ArrayLike | None, scale: str
) -> None:
    if scale not in _UNKNOWNS:
        raise InputError(f"scale must be one of {', '.join(_UNKNOWNS)}, but got {scale!r}")
    if clip.num_frames != masks.num_frames:
        raise InputError(
            f"clip and masks must have one length, but got {clip.num_frames} and {masks.num_frames} frames"
        )
    if start is not None and start_frame is None:
        raise InputError("a start pose needs start_frame=, the frame it is of")
    if start_frame is not None and not 0 <= start_frame < clip.num_frames:
        raise InputError(f"start_frame {start_frame} is not in the clip of {clip.num_frames} frames")


def _given(mesh: Mesh, footage: Footage, frame: int, start: ArrayLike, scale: str) -> _Start:
    """A start pose, made metric where depth was measured in its frame."""
    pose = _check.rigid(np.asarray(start, np.float64)[None], "start")[0]
    if scale == "known" or footage.depth is None:
        return _Start(frame, pose, np.ones(3))
    count = footage.clip.num_frames
    alone = PoseTrack(np.repeat(pose[None], count, 0), np.arange(count) == frame, np.ones(count))
    found = scale_from_depth(alone, mesh, footage.masks, footage.name, footage.camera, footage.depth)
    if found is None:
        return _Start(frame, pose, np.ones(3))
    return _Start(frame, _farther(pose[None], found.factor)[0], np.full(3, found.factor), True)


def _searched(
    mesh: Mesh, footage: Footage, start_frame: int | None, scale: str, group: SymmetryGroup, device: str
) -> _Start:
    """The best hypothesis of a few good frames."""
    frames = [start_frame]
    if start_frame is None:
        frames = [*best_frames(footage.masks, footage.name, footage.depth)]
    if not frames:
        raise EstimationError(
            f"object {footage.name!r} has no usable mask in any frame; give a tighter box or a mask"
        )
    best: tuple[float, _Start] | None = None
    for frame in frames:
        assert frame is not None
        merit, found = _hypothesis(mesh, footage, frame, scale, group, device)
        _log.info("%s: search in frame %d has merit %.3f", footage.name, frame, merit)
        if best is None or merit > best[0]:
            best = merit, found
    assert best is not None
    return best[1]


def _hypothesis(
    mesh: Mesh, footage: Footage, frame: int, scale: str, group: SymmetryGroup, device: str
) -> tuple[float, _Start]:
    """The best pose in one frame, and its score plus half its lead."""
    labels, label = footage.masks.labels(frame), footage.masks.label_of(footage.name)
    sensor = None if footage.depth is None else footage.depth.frame(frame)
    metric = sensor is not None and bool((sensor[labels == label] > 0).any())
    scales = _UNKNOWNS[scale] if metric or scale == "axes" else 0
    found = find_pose(
        mesh,
        footage.clip.frame(frame),
        labels,
        label,
        footage.camera,
        depth=sensor if metric else None,
        scales=scales,
        symmetry=group,
        device=device,
    )
    lead = found[0].score - found[1].score if len(found) > 1 else _MARGIN_CAP
    merit = found[0].score + 0.5 * float(np.clip(lead, 0.0, _MARGIN_CAP))
    return merit, _start_of(found[0], frame, metric and scale != "known")


def _start_of(estimate: PoseEstimate, frame: int, metric: bool) -> _Start:
    """Without depth only the ratios of factors mean anything: their common factor becomes 1."""
    factors, pose = estimate.axis_scales, estimate.camera_from_object
    if not metric:
        common = float(np.exp(np.log(factors).mean()))
        factors, pose = factors / common, _farther(pose[None], 1.0 / common)[0]
    return _Start(frame, pose, factors, metric)


def _tracked(sized: Mesh, footage: Footage, begin: _Start, group: SymmetryGroup, scale: str) -> PoseTrack:
    """The track; depth takes part only once the mesh is as large as depth says."""
    refiner = refiner_for(sized, footage.masks.mask(begin.frame, footage.name))
    start = TrackStart(refiner, begin.frame, begin.pose, sized.seen, group)
    depth = footage.depth if begin.metric or scale == "known" else None
    tracks = track_objects(footage.clip, footage.masks, footage.camera, {footage.name: start}, depth=depth)
    return tracks[footage.name]


def _sized(
    mesh: Mesh,
    track: PoseTrack,
    footage: Footage,
    hands: dict[str, HandTrack] | None,
    scale: str,
    begin: _Start,
    group: SymmetryGroup,
    smooth: bool,
) -> tuple[PoseTrack, Array, ScaleSource]:
    """The track in its final size, (3,) further factors on the mesh, and what fixed the size."""
    found = Scale(1.0, "given") if scale == "known" else _metric(mesh, track, footage, hands)
    factor, source = found.factor, found.source
    mesh, group = mesh.scaled(factor), group.scaled(factor)
    track = replace(track, camera_from_object=_farther(track.camera_from_object, factor))
    scales = _UNKNOWNS[scale] if source == "depth" else 0
    if not (smooth or scales):
        return track, np.full(3, factor), source
    if source != "depth" and scale != "known":
        footage = replace(footage, depth=None)
    refiner = refiner_for(mesh, footage.masks.mask(begin.frame, footage.name))
    options = ClipOptions() if smooth else FREE
    track, more = solve_track(refiner, track, footage, group, options, scales=scales)
    return _about_origin(track, mesh.center, more), factor * more, source


def _metric(mesh: Mesh, track: PoseTrack, footage: Footage, hands: dict[str, HandTrack] | None) -> Scale:
    """One factor from depth, else from hands; first from the frames whose outline the track explains."""
    overlap = np.zeros(len(track)) if track.mask_iou is None else track.mask_iou
    clear = track.valid & (overlap > _CLEAR)
    parts = [track] if int(clear.sum()) < _MANY else [replace(track, valid=clear), track]
    found, f = None, footage
    for part in parts if f.depth is not None else ():
        assert f.depth is not None
        found = found or scale_from_depth(part, mesh, f.masks, f.name, f.camera, f.depth)
    for part in parts if hands else ():
        found = found or scale_from_hands(part, mesh, f.masks, f.name, hands or {}, f.camera)
    return found or Scale(1.0, "unknown")


def _about_origin(track: PoseTrack, center: Array, factors: Array) -> PoseTrack:
    """The solver stretches a mesh about its centre, a mesh is scaled about its origin: the poses of the latter."""
    poses = track.camera_from_object.copy()
    poses[:, :3, 3] += poses[:, :3, :3] @ (center - factors * center)
    return replace(track, camera_from_object=poses)


def _farther(poses: Array, factor: float) -> Array:
    """Poses (T, 4, 4) of an object ``factor`` times as large and as far: the picture stays the same."""
    out = poses.copy()
    out[:, :3, 3] *= factor
    return out


def _stretched(mesh: Mesh, factors: Array) -> Mesh:
    return replace(mesh, vertices=mesh.vertices * factors)


def _sized_group(group: SymmetryGroup, sized: Mesh, factors: Array) -> SymmetryGroup:
    """The symmetry after scaling; unequal factors may break it, so that it is looked for anew."""
    if float(np.ptp(factors)) < 1e-9:
        return group.scaled(float(factors[0]))
    return group if group.is_trivial else symmetry_of(sized)
