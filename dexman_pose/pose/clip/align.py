"""A mesh of arbitrary pose and size, out of a generator say, brought onto an object through a whole clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.data import Camera, Clip, DepthSequence, HandTrack, MaskSequence, Mesh, RigidObject
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.imaging.undistorted_inputs import undistorted_tracks, undistorted_views
from dexman_pose.pose.clip.objects import find_objects
from dexman_pose.pose.clip.types import ObjectRequest
from dexman_pose.pose.observation.view import object_name
from dexman_pose.pose.solver.options import SCALE_COUNTS


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
        camera: intrinsics; with a lens, frames, masks, depth and pixels of hands are undistorted first.
        name: which object of ``masks``; may be left out when there is one.
        depth: depth images, metres; frames without a measurement may be all 0.
        hands: metric hands, which give a size where depth gives none.
        start_frame: the only frame to search in, or that of ``start``.
        start: (4, 4) camera_from_object in ``start_frame``, of the mesh as it is; no search then.
        scale: ``"known"``, ``"unknown"``: one factor, or ``"axes"``: one along each axis of the mesh.
        symmetry: of the mesh as given; left out, it is detected.
        smooth: whether poses are smoothed over the whole clip; without it frames share the size alone.
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
    request = ObjectRequest(
        name,
        mesh,
        frame=start_frame,
        elsewhere=start_frame is None,
        start=None if start is None else np.asarray(start, np.float64),
        scale=scale,
        symmetry=symmetry,
        closed=closed,
        held=held,
    )
    hands = undistorted_tracks(hands, camera)
    clip, masks, camera, depth = undistorted_views(clip, masks, camera, depth)
    found = find_objects(
        clip, masks, camera, [request], hands=hands, depth=depth, smooth=smooth, device=device
    )[name]
    if not found.valid.any():
        raise EstimationError(f"object {name!r} was found, but its pose explains no mask in any frame")
    return found


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
