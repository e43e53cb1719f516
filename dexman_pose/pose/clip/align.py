"""A mesh of arbitrary pose and size, out of a generator say, brought onto an object through a whole clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

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
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.meshing.closed_shape import closed_shape, fill_share
from dexman_pose.pose.clip.held_in_hand import held_track
from dexman_pose.pose.clip.scale import (
    sized_symmetry,
    sized_track,
    stretched_mesh,
)
from dexman_pose.pose.clip.smoothing import smooth_track
from dexman_pose.pose.clip.start import start_given, start_searched
from dexman_pose.pose.clip.types import AlignStart
from dexman_pose.pose.observation.view import ObjectClip, object_name
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.solver.options import SCALE_COUNTS
from dexman_pose.pose.tracking.clip_tracker import TrackStart, track_objects
from dexman_pose.symmetry.cache import symmetry_of

__all__ = ["align_mesh", "smooth_track"]


_FULL = 0.86  # share of its closed picture that a mesh without gaps covers; the closing itself adds a little


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
    object_clip = ObjectClip(clip, masks, name, camera, depth)
    own = symmetry_of(mesh) if symmetry is None else symmetry
    shape, group = _stand_in(mesh, own, symmetry, closed)
    if start is not None:
        begin = start_given(shape, object_clip, int(start_frame or 0), start, scale)
    else:
        begin = start_searched(shape, object_clip, start_frame, scale, group, device)
    sized = stretched_mesh(shape, begin.factors)
    group = sized_symmetry(group, sized, begin.factors)
    track = _tracked(sized, object_clip, begin, group, scale)
    if not track.valid.any():
        raise EstimationError(
            f"object {name!r} was found in frame {begin.frame} but its pose explains no mask there"
        )
    track, factor, source = sized_track(sized, track, object_clip, hands, scale, begin, group, smooth)
    if held and hands and source != "unknown":
        group = sized_symmetry(group, sized, factor)
        track = held_track(stretched_mesh(sized, factor), track, object_clip, hands, begin.frame, group)
    factors = begin.factors * factor
    final = stretched_mesh(mesh, factors)
    return RigidObject(
        name,
        final,
        track,
        scale=float(np.exp(np.log(factors).mean())),
        scale_source=source,
        symmetry=sized_symmetry(own, final, factors).sampled(),
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


def _check_arguments(
    clip: Clip, masks: MaskSequence, start_frame: int | None, start: ArrayLike | None, scale: str
) -> None:
    if scale not in SCALE_COUNTS:
        raise InputError(f"scale must be one of {', '.join(SCALE_COUNTS)}, but got {scale!r}")
    if clip.num_frames != masks.num_frames:
        raise InputError(
            f"clip and masks must have one length, but got {clip.num_frames} and {masks.num_frames} frames"
        )
    if start is not None and start_frame is None:
        raise InputError("a start pose needs start_frame=, the frame it is of")
    if start_frame is not None and not 0 <= start_frame < clip.num_frames:
        raise InputError(f"start_frame {start_frame} is not in the clip of {clip.num_frames} frames")


def _tracked(
    sized: Mesh, object_clip: ObjectClip, begin: AlignStart, group: SymmetryGroup, scale: str
) -> PoseTrack:
    """The track; depth takes part only once the mesh is as large as depth says."""
    refiner = refiner_for(sized, object_clip.masks.mask(begin.frame, object_clip.name))
    start = TrackStart(refiner, begin.frame, begin.pose, sized.seen, group)
    depth = object_clip.depth if begin.metric or scale == "known" else None
    tracks = track_objects(
        object_clip.clip, object_clip.masks, object_clip.camera, {object_clip.name: start}, depth=depth
    )
    return tracks[object_clip.name]
