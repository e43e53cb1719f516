"""The public functions on single pictures and clips with a known mesh."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import BACKGROUND, Mesh, PoseTrack
from dexman_pose.data.accept import (
    CameraLike,
    ClipLike,
    DepthImageLike,
    DepthsLike,
    ImageLike,
    MaskLike,
    MasksLike,
    MeshLike,
    PoseLike,
)
from dexman_pose.data.numbers import described, word
from dexman_pose.errors import InputError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.imaging.undistorted_inputs import undistorted_views
from dexman_pose.pose.estimate import PoseEstimate, estimate_of, ranked
from dexman_pose.pose.observation.checked import (
    checked_camera,
    checked_frame,
    checked_mesh,
    checked_start,
    checked_symmetry,
    checked_views,
)
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.observation.prompted import mask_or_box
from dexman_pose.pose.observation.view import (
    ObjectView,
    checked_depth,
    checked_labels,
    checked_picture,
    object_name,
    undistorted_view,
)
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, has_color, refiner_for
from dexman_pose.pose.refinement.texture import refine_second_order
from dexman_pose.pose.search.finding import find_pose, search_and_recut
from dexman_pose.pose.search.search import judge_best
from dexman_pose.pose.search.signals import pose_signals
from dexman_pose.pose.search.verdict import judge
from dexman_pose.pose.solver.options import SCALE_MODES, RefineOptions, ScaleMode, scale_unknowns
from dexman_pose.render.devices import device_name
from dexman_pose.symmetry.cache import symmetry_ahead, symmetry_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def estimate_pose(
    mesh: MeshLike,
    image: ImageLike,
    mask: MaskLike | None = None,
    camera: CameraLike | None = None,
    *,
    box: ArrayLike | None = None,
    depth: DepthImageLike | None = None,
    occluders: MaskLike | None = None,
    scale: ScaleMode = "known",
    symmetry: SymmetryGroup | None = None,
    device: str = "cpu",
) -> PoseEstimate:
    """The pose of an object in one picture, with no idea of it beforehand.

    Say which object is meant by a box or by a mask::

        found = estimate_pose("cup.obj", image, box=(387, 258, 483, 409), camera=(600, 600, 319.5, 239.5))
        found = estimate_pose("cup.obj", image, mask, camera)

    Args:
        mesh: metres; of any size when ``scale`` says that it is not known. A mesh file or a mesh of trimesh will do.
        image: (H, W, 3) RGB, see :func:`~dexman_pose.data.accept.as_picture`.
        mask: (H, W) visible pixels of the object, see :func:`~dexman_pose.data.accept.as_mask`; may be left out where
            there is a box.
        camera: intrinsics of the picture, see :func:`~dexman_pose.data.accept.as_camera`.
        box: (4,) x0, y0, x1, y1 in pixels of the picture as given, a few pixels loose around what is visible of the
            object. Where a mask is given too, the mask counts, and most of it must lie in the box.
        depth: (H, W) metres, 0 where not measured, see :func:`~dexman_pose.data.accept.as_depth`.
        occluders: (H, W) bool, pixels of things that may hide a part of the object. With depth, what is measured
            nearer than the object beside it counts as one too.
        scale: ``"known"``: the mesh has its true size. ``"unknown"``: one factor is free; depth fixes it, and without
            depth only rotation and viewing direction are found. ``"axes"``: a factor along each axis of the mesh.
        symmetry: of the object; left out, it is detected from the mesh.
        device: where the engine runs, ``"cpu"`` or a CUDA device.

    Returns:
        The best pose, with ranked alternatives, and whether it may be used (``valid``, ``doubts``).

    Raises:
        InputError: neither mask nor box, or the two disagree; no camera; sizes do not agree, depth is not in metres,
            or an option is unknown.
        EstimationError: the mask is empty, or nothing in the box could be told from its surroundings.
    """
    if camera is None:
        raise InputError(
            "estimate_pose needs the camera of the picture: camera=(fx, fy, cx, cy) in pixels, a 3x3 matrix or a Camera"
        )
    camera, given, device = checked_camera(camera, image), checked_symmetry(symmetry), device_name(device)
    depth = checked_depth(depth, camera)
    picture = checked_picture(image, camera)
    mask = mask_or_box(mask, box, picture, camera, occluders=occluders)
    labels = checked_labels(mask, camera, occluders, depth)
    word(scale, "scale", SCALE_MODES)
    mesh = checked_mesh(mesh, known=scale == "known")
    scales, source = scale_unknowns(scale, depth, mesh.size_source)
    group = symmetry_ahead(mesh) if given is None else given
    asked = None if box is None else np.asarray(box, np.float64)
    view = undistorted_view(ObjectView(picture, labels, 1, camera, depth, asked=asked))
    return ranked(find_pose(mesh, view, scales=scales, source=source, symmetry=group, device=device))


def refine_pose(
    mesh: MeshLike,
    camera_from_object: PoseLike,
    mask: MaskLike,
    camera: CameraLike,
    *,
    image: ImageLike | None = None,
    depth: DepthImageLike | None = None,
    occluders: MaskLike | None = None,
    scale: ScaleMode = "known",
    solver: str = "lm",
    device: str = "cpu",
) -> PoseEstimate:
    """Refine a pose that is roughly right (a few degrees, a tenth of the object's size).

    What the picture leaves open, mostly the distance, stays close to the start; with no idea of the pose use
    :func:`estimate_pose`.

    Args:
        mesh: metres.
        camera_from_object: (4, 4) start.
        mask: (H, W) bool, visible pixels of the object.
        camera: intrinsics; with a lens, the picture is undistorted first, and all that goes with it.
        image: (H, W, 3) uint8 RGB; with it a coloured mesh is matched with the picture too.
        depth: (H, W) float32 metres, 0 where not measured.
        occluders: (H, W) bool, pixels of things that may hide a part of the object.
        scale: as for :func:`estimate_pose`; ``"unknown"`` and ``"axes"`` need the ``lm`` solver.
        solver: ``"lm"``: second order, fused. ``"adam"``: first order through :func:`dexman_pose.render.render`.
        device: where the engine runs.

    Raises:
        InputError: sizes do not agree, the start is no rigid transform or puts the object out of sight, depth is not
            in metres, or an option is unknown.
        EstimationError: the mask is empty.
    """
    if not isinstance(solver, str) or solver not in ("lm", "adam"):
        raise InputError(f"solver must be 'lm' or 'adam', but got {described(solver)}")
    camera, device = checked_camera(camera, mask if image is None else image), device_name(device)
    depth = checked_depth(depth, camera)
    labels = checked_labels(mask, camera, occluders, depth)
    picture = None if image is None else checked_picture(image, camera)
    word(scale, "scale", SCALE_MODES)
    mesh = checked_mesh(mesh, known=scale == "known")
    start = checked_start(camera_from_object, mesh, camera, "camera_from_object")
    view = undistorted_view(ObjectView.of(labels, 1, camera, picture, depth))
    scales, source = scale_unknowns(scale, depth, mesh.size_source)
    evidence = view.evidence()
    refiner = refiner_for(mesh, view.own, device)
    if solver == "adam":
        if scales:
            raise InputError(f"solver 'adam' refines the pose alone; scale={scale!r} needs solver='lm'")
        return _by_adam(mesh, refiner, start, evidence, view)
    result, ncc = refine_second_order(refiner, start, view, scales)
    if scales != 1 or not view.pictured or not has_color(refiner):
        return _judged(estimate_of(refiner, result, result.iou + ncc, source), refiner, result, view)
    # With the size known, colours tell what outline and depth leave open: the spin of a can.
    factor = float(result.stretch[0])
    sized = refiner_for(mesh.scaled(factor), view.own, device)
    pose = estimate_of(refiner, result, 0.0, source).camera_from_object
    result, ncc = refine_second_order(sized, pose, view, 0)
    found = _judged(estimate_of(sized, result, result.iou + ncc, source), sized, result, view)
    return found.with_mesh_scaled(factor)


def _judged(found: PoseEstimate, refiner: PoseRefiner, refined: Refined, view: ObjectView) -> PoseEstimate:
    """An estimate with its verdict; there is no runner-up, and without a picture mask and depth alone judge."""
    verdict = judge(pose_signals(refiner, refined, view, None, view.pictured))
    return replace(found, valid=verdict.valid, doubts=verdict.doubts)


def _by_adam(
    mesh: Mesh,
    refiner: PoseRefiner,
    start: Array,
    evidence: CropObservation,
    view: ObjectView,
) -> PoseEstimate:
    """First order; what it found is judged by the fused solver without a step."""
    from dexman_pose.pose.refinement.first_order import refine_adam

    pose, _, converged, steps = refine_adam(
        mesh,
        start,
        view.own,
        view.camera,
        image=view.image if view.pictured else None,
        depth=view.depth,
        unknown=~view.own & (view.labels != BACKGROUND),
    )
    judged = refiner.refine(pose, evidence, RefineOptions(iterations=0))
    judged = replace(judged, camera_from_object=pose, converged=converged, iterations=steps)
    return _judged(estimate_of(refiner, judged, judged.iou, mesh.size_source), refiner, judged, view)


def track(
    mesh: MeshLike,
    clip: ClipLike,
    masks: MasksLike | None,
    camera: CameraLike,
    *,
    name: str | None = None,
    start: PoseLike | None = None,
    start_frame: int = 0,
    depth: DepthsLike | None = None,
    scale: ScaleMode = "known",
    symmetry: SymmetryGroup | None = None,
    device: str = "cpu",
) -> PoseTrack:
    """Follow a known object through a clip.

    Args:
        mesh: metres.
        clip: the frames.
        masks: label images of the same frames. None: the object is followed by what its outline separates in the
            picture, from ``start`` on; a camera that moves is no obstacle then. So it is where masks lead to poses that
            are doubted in many frames, and without them there are fewer; ``mask_iou`` is None then.
        camera: intrinsics; with a lens, frames, masks and depth are undistorted first.
        name: which object of ``masks``; may be left out when there is one.
        start: (4, 4) camera_from_object in ``start_frame``; searched for when left out.
        start_frame: where tracking begins; it runs forwards and backwards from there.
        depth: depth images, metres.
        scale: ``"known"``, or ``"unknown"``: one factor is found from the whole clip by
            :func:`~dexman_pose.pose.clip.align.align_mesh`, which gives axes and provenance too; it is the
            ``mesh_scale`` of the track.
        symmetry: of the object; left out, it is detected from the mesh. The track does not jump in it.
        device: where the engine runs.

    Returns:
        The track. ``valid`` is off where the pose is not to be used, and ``doubt`` says why (bits of
        :class:`~dexman_pose.data.Doubt`); where the mask alone is lost the pose stays valid.

    Raises:
        InputError: clip, masks, camera or depth of other sizes or lengths, several objects and no name, a start frame
            outside the clip, a start that puts the object out of sight, or neither masks nor a start.
        EstimationError: no start given and no mask in the start frame.
    """
    from dexman_pose.pose.tracking.clip_tracker import TrackStart, track_objects
    from dexman_pose.pose.tracking.verdict import judged_again

    if not isinstance(scale, str) or scale not in ("known", "unknown"):
        raise InputError(
            f"track takes scale 'known' or 'unknown', but got {described(scale)}; see align_mesh"
        )
    if masks is None:
        if scale != "known":
            raise InputError(f"track without masks needs a mesh of known size, but got scale={scale!r}")
        from dexman_pose.pose.without_masks import track_without_masks

        return track_without_masks(
            mesh, clip, camera, start, start_frame, depth=depth, symmetry=symmetry, device=device
        )
    clip, masks, camera, depth = checked_views(clip, masks, camera, depth, name)
    name, start_frame = object_name(masks, name), checked_frame(start_frame, clip)
    mesh, device = checked_mesh(mesh, known=scale == "known"), device_name(device)
    symmetry = checked_symmetry(symmetry)
    start = None if start is None else checked_start(start, mesh, camera, "start")
    if scale == "unknown":
        from dexman_pose.pose.clip.align import align_mesh

        found_object = align_mesh(
            mesh,
            clip,
            masks,
            camera,
            name=name,
            depth=depth,
            start=start,
            start_frame=start_frame,
            symmetry=symmetry,
            device=device,
        )
        return replace(found_object.track, mesh_scale=found_object.scale)
    clip, masks, camera, depth = undistorted_views(clip, masks, camera, depth)
    refiner = refiner_for(mesh, masks.mask(start_frame, name), device)
    group = symmetry_of(mesh) if symmetry is None else symmetry
    if start is None:
        view = ObjectView(
            clip.frame(start_frame),
            masks.labels(start_frame),
            masks.label_of(name),
            camera,
            None if depth is None else depth.frame(start_frame),
        )
        pose, doubt = _searched_start(refiner, view, group)
    else:
        pose, doubt = start, ()
    # What the search holds against its own pose: the track is not valid then until colours or depth confirm it.
    begin = TrackStart(refiner, start_frame, pose, symmetry=group, doubt=doubt, given=start is not None)
    found_track = track_objects(clip, masks, camera, {name: begin}, depth=depth)[name]
    found_track = judged_again(found_track, resized=False)
    if device != "cpu":
        return found_track
    from dexman_pose.pose.clip.past_masks import past_masks

    return past_masks(clip, masks, camera, name, begin, found_track, depth=depth)


def _searched_start(
    refiner: PoseRefiner, view: ObjectView, group: SymmetryGroup
) -> tuple[Array, tuple[str, ...]]:
    """The pose (4, 4) a track begins at, and what speaks against it.

    Depth on a mask that leaks is that of other things: where it leaves a doubt, the picture alone is asked.
    """
    found, cut = search_and_recut(refiner, view, symmetry=group)
    verdict = judge_best(refiner, found, cut)
    if verdict.valid:
        return found[0].camera_from_object, ()
    if view.depth is not None and view.pictured:
        flat = replace(view, depth=None)
        seen, cut = search_and_recut(refiner, flat, symmetry=group)
        if judge_best(refiner, seen, cut).valid:
            return seen[0].camera_from_object, ()
    return found[0].camera_from_object, verdict.doubts
