"""A mesh of arbitrary pose and size, out of a generator say, brought onto an object through a whole clip."""

from __future__ import annotations

from collections.abc import Mapping

from dexman_pose.data import HandTrack, RigidObject
from dexman_pose.data.accept import (
    CameraLike,
    ClipLike,
    DepthsLike,
    MasksLike,
    MeshLike,
    PoseLike,
)
from dexman_pose.data.numbers import flag, word
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.imaging.undistorted_inputs import undistorted_tracks, undistorted_views
from dexman_pose.pose.clip.objects import find_objects
from dexman_pose.pose.clip.types import ObjectRequest
from dexman_pose.pose.observation.checked import (
    checked_frame,
    checked_hands,
    checked_mesh,
    checked_start,
    checked_symmetry,
    checked_views,
)
from dexman_pose.pose.observation.view import object_name
from dexman_pose.pose.solver.options import SCALE_COUNTS
from dexman_pose.render.devices import device_name


def align_mesh(
    mesh: MeshLike,
    clip: ClipLike,
    masks: MasksLike,
    camera: CameraLike,
    *,
    name: str | None = None,
    depth: DepthsLike | None = None,
    hands: Mapping[str, HandTrack] | None = None,
    start_frame: int | None = None,
    start: PoseLike | None = None,
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
    word(scale, "scale", tuple(SCALE_COUNTS))
    clip, masks, camera, depth = checked_views(clip, masks, camera, depth, name)
    name, hands = object_name(masks, name), checked_hands(hands, clip)
    mesh, device = checked_mesh(mesh, known=scale == "known"), device_name(device)
    if start is not None and start_frame is None:
        raise InputError("a start pose needs start_frame=, the frame it is of")
    start_frame = None if start_frame is None else checked_frame(start_frame, clip)
    request = ObjectRequest(
        name,
        mesh,
        frame=start_frame,
        elsewhere=start_frame is None,
        start=None if start is None else checked_start(start, mesh, camera, "start"),
        scale=scale,
        symmetry=checked_symmetry(symmetry),
        closed=None if closed is None else flag(closed, "closed"),
        held=flag(held, "held"),
    )
    hands = undistorted_tracks(hands, camera)
    clip, masks, camera, depth = undistorted_views(clip, masks, camera, depth)
    found = find_objects(
        clip, masks, camera, [request], hands=hands, depth=depth, smooth=flag(smooth, "smooth"), device=device
    )[name]
    if not found.valid.any():
        raise EstimationError(f"object {name!r} was found, but its pose explains no mask in any frame")
    return found
