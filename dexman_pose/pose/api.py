"""The public functions on single pictures and clips with a known mesh."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data import BACKGROUND, Camera, Clip, DepthSequence, MaskSequence, Mesh, PoseTrack, _check
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.appearance import texture_matches
from dexman_pose.pose.creases import picture_edges
from dexman_pose.pose.estimate import PoseEstimate, estimate_of, ranked
from dexman_pose.pose.evidence import Evidence, crop_box, crop_like, gather, mask_box
from dexman_pose.pose.find import find_pose
from dexman_pose.pose.occlusion import label_image
from dexman_pose.pose.polish import onto_edges
from dexman_pose.pose.problem import Problem
from dexman_pose.pose.refine import PoseRefiner, Refined, apply_increment
from dexman_pose.pose.residuals import RefineOptions, trusting_points
from dexman_pose.pose.search import has_color, refiner_for, search_pose
from dexman_pose.pose.symmetry_cache import symmetry_of
from dexman_pose.pose.track import TrackStart, track_objects

Array = NDArray[np.float64]

ScaleMode = Literal["known", "unknown", "axes"]
SCALE_MODES: tuple[str, ...] = ("known", "unknown", "axes")

_KICK = np.deg2rad(4.0)


def estimate_pose(
    mesh: Mesh,
    image: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    camera: Camera,
    *,
    depth: NDArray[np.float32] | None = None,
    occluders: NDArray[np.bool_] | None = None,
    scale: ScaleMode = "known",
    symmetry: SymmetryGroup | None = None,
    device: str = "cpu",
) -> PoseEstimate:
    """The pose of an object in one picture, with no idea of it beforehand.

    Args:
        mesh: metres; of any size when ``scale`` says that it is not known.
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) bool, visible pixels of the object.
        camera: intrinsics of the picture.
        depth: (H, W) float32 metres, 0 where not measured.
        occluders: (H, W) bool, pixels of things that may hide a part of the object. With depth, what is measured
            nearer than the object beside it counts as one too.
        scale: ``"known"``: the mesh has its true size. ``"unknown"``: one factor is free; depth fixes it, and without
            depth only rotation and viewing direction are found. ``"axes"``: a factor along each axis of the mesh.
        symmetry: of the object; left out, it is detected from the mesh.
        device: where the engine runs, ``"cpu"`` or a CUDA device.

    Returns:
        The best pose, with ranked alternatives.

    Raises:
        InputError: sizes do not agree, or an option is unknown.
        EstimationError: the mask is empty.
    """
    labels = _labels(mask, camera, occluders, _depth(depth, camera))
    picture = _picture(image, camera)
    scales, source = _scale_unknowns(scale, depth)
    group = symmetry_of(mesh) if symmetry is None else symmetry
    return ranked(
        find_pose(
            mesh,
            picture,
            labels,
            1,
            camera,
            depth=depth,
            scales=scales,
            source=source,
            symmetry=group,
            device=device,
        )
    )


def refine_pose(
    mesh: Mesh,
    camera_from_object: ArrayLike,
    mask: NDArray[np.bool_],
    camera: Camera,
    *,
    image: NDArray[np.uint8] | None = None,
    depth: NDArray[np.float32] | None = None,
    occluders: NDArray[np.bool_] | None = None,
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
        camera: intrinsics.
        image: (H, W, 3) uint8 RGB; with it a coloured mesh is matched with the picture too.
        depth: (H, W) float32 metres, 0 where not measured.
        occluders: (H, W) bool, pixels of things that may hide a part of the object.
        scale: as for :func:`estimate_pose`; ``"unknown"`` and ``"axes"`` need the ``lm`` solver.
        solver: ``"lm"``: second order, fused. ``"adam"``: first order through :func:`dexman_pose.render.render`.
        device: where the engine runs.

    Raises:
        InputError: sizes do not agree, the start is no rigid transform, or an option is unknown.
        EstimationError: the mask is empty.
    """
    start = _check.rigid(np.asarray(camera_from_object, dtype=np.float64)[None], "camera_from_object")[0]
    if solver not in ("lm", "adam"):
        raise InputError(f"solver must be 'lm' or 'adam', but got {solver!r}")
    labels = _labels(mask, camera, occluders, _depth(depth, camera))
    box = mask_box(labels == 1)
    if box is None:
        raise EstimationError("refining needs a mask with at least one pixel, but this one is empty")
    picture = None if image is None else _picture(image, camera)
    scales, source = _scale_unknowns(scale, depth)
    refiner = refiner_for(mesh, labels == 1, device)
    evidence = gather(labels, 1, camera, crop_box([box], 0.25), depth=depth)
    if solver == "adam":
        if scales:
            raise InputError(f"solver 'adam' refines the pose alone; scale={scale!r} needs solver='lm'")
        return _by_adam(mesh, refiner, start, labels, camera, evidence, picture, depth)
    result, ncc = _by_lm(refiner, start, evidence, labels, camera, picture, scales)
    if scales != 1 or picture is None or not has_color(refiner):
        return estimate_of(refiner, result, result.iou + ncc, source)
    # With the size known, colours tell what outline and depth leave open: the spin of a can.
    factor = float(result.stretch[0])
    sized = refiner_for(mesh.scaled(factor), labels == 1, device)
    pose = estimate_of(refiner, result, 0.0, source).camera_from_object
    result, ncc = _by_lm(sized, pose, evidence, labels, camera, picture, 0)
    return estimate_of(sized, result, result.iou + ncc, source).with_mesh_scaled(factor)


def _by_lm(
    refiner: PoseRefiner,
    start: Array,
    evidence: Evidence,
    labels: NDArray[np.uint8],
    camera: Camera,
    picture: NDArray[np.uint8] | None,
    scales: int,
) -> tuple[Refined, float]:
    """The fused refinement, then the mesh's colours where it has any; their correlation comes along."""
    result, ncc = _best_of_kicks(refiner, start, evidence, scales), 0.0
    if picture is not None and has_color(refiner) and not scales:
        for _ in range(3):
            matches, ncc = texture_matches(
                refiner.rasterizer, result.camera_from_object, picture, camera, labels, 1
            )
            if matches is None or len(matches) < 6:
                break
            options = trusting_points(matches, RefineOptions(iterations=15))
            result = refiner.refine(result.camera_from_object, evidence, options, matches=matches)
        return result, ncc
    if picture is not None and not scales:
        edges = picture_edges(crop_like(picture, evidence))
        result = onto_edges(refiner, [result], evidence, edges, weight=0.25)[0]
    return result, ncc


def _by_adam(
    mesh: Mesh,
    refiner: PoseRefiner,
    start: Array,
    labels: NDArray[np.uint8],
    camera: Camera,
    evidence: Evidence,
    picture: NDArray[np.uint8] | None,
    depth: NDArray[np.float32] | None,
) -> PoseEstimate:
    """First order; what it found is judged by the fused solver without a step."""
    from dexman_pose.pose.adam import refine_adam

    unknown = (labels != 1) & (labels != BACKGROUND)
    pose, _, converged, steps = refine_adam(
        mesh, start, labels == 1, camera, image=picture, depth=depth, unknown=unknown
    )
    judged = refiner.refine(pose, evidence, RefineOptions(iterations=0))
    judged = replace(judged, camera_from_object=pose, converged=converged, iterations=steps)
    return estimate_of(refiner, judged, judged.iou, "given")


def _best_of_kicks(refiner: PoseRefiner, start: Array, evidence: Evidence, scales: int = 0) -> Refined:
    """The cheapest refinement from the start and from six small turns of it.

    Where a face seen at a grazing angle comes and goes, the cost has a kink that no single start steps over.
    """
    radius = refiner.rasterizer.mesh.radius
    # Where the picture leaves a direction open, mostly the distance, the start is what is known of it.
    free = scales > 0
    options = RefineOptions(
        iterations=30, prior_translation=None if free else 0.05 * radius, prior_rotation=0.1
    )
    center = refiner.camera_center(start)
    turns = np.concatenate([np.zeros((6, 3)), _KICK * np.concatenate([np.eye(3), -np.eye(3)])], 1)
    starts = [start, *(apply_increment(turn, start, center) for turn in turns)]
    problems = [Problem(s, predicted=start) for s in starts]
    return min(refiner.refine_all(problems, [evidence], options, scales=scales), key=lambda r: r.cost)


def _scale_unknowns(scale: str, depth: NDArray[np.float32] | None) -> tuple[int, ScaleSource]:
    """Number of unknown scales, and what fixes them."""
    if scale not in SCALE_MODES:
        raise InputError(f"scale must be one of {', '.join(SCALE_MODES)}, but got {scale!r}")
    if scale == "known":
        return 0, "given"
    if depth is None or not (depth > 0).any():
        return (0 if scale == "unknown" else 3), "unknown"
    return (1 if scale == "unknown" else 3), "depth"


def track(
    mesh: Mesh,
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    *,
    name: str | None = None,
    start: ArrayLike | None = None,
    start_frame: int = 0,
    depth: DepthSequence | None = None,
    scale: ScaleMode = "known",
    symmetry: SymmetryGroup | None = None,
    device: str = "cpu",
) -> PoseTrack:
    """Follow a known object through a clip.

    Args:
        mesh: metres.
        clip: the frames.
        masks: label images of the same frames.
        camera: intrinsics.
        name: which object of ``masks``; may be left out when there is one.
        start: (4, 4) camera_from_object in ``start_frame``; searched for when left out.
        start_frame: where tracking begins; it runs forwards and backwards from there.
        depth: depth images, metres.
        scale: ``"known"``, or ``"unknown"``: one factor is found from the whole clip by
            :func:`~dexman_pose.pose.align.align_mesh`, which gives axes and provenance too; it is the ``mesh_scale`` of
            the track.
        symmetry: of the object; left out, it is detected from the mesh. The track does not jump in it.
        device: where the engine runs.

    Raises:
        InputError: several objects and no name, or a start frame outside the clip.
        EstimationError: no start given and no mask in the start frame.
    """
    if name is None:
        if len(masks.names) != 1:
            raise InputError(f"say which object to track: name= one of {', '.join(masks.names)}")
        name = masks.names[0]
    if not 0 <= start_frame < clip.num_frames:
        raise InputError(f"start_frame {start_frame} is not in the clip of {clip.num_frames} frames")
    if scale not in ("known", "unknown"):
        raise InputError(f"track takes scale 'known' or 'unknown', but got {scale!r}; see align_mesh")
    if scale == "unknown":
        from dexman_pose.pose.align import align_mesh

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
    refiner = refiner_for(mesh, masks.mask(start_frame, name), device)
    group = symmetry_of(mesh) if symmetry is None else symmetry
    if start is None:
        found = search_pose(
            refiner,
            clip.frame(start_frame),
            masks.labels(start_frame),
            masks.label_of(name),
            camera,
            depth=None if depth is None else depth.frame(start_frame),
            symmetry=group,
        )
        pose = found[0].camera_from_object
    else:
        pose = _check.rigid(np.asarray(start, dtype=np.float64)[None], "start")[0]
    begin = TrackStart(refiner, start_frame, pose, symmetry=group)
    return track_objects(clip, masks, camera, {name: begin}, depth=depth)[name]


def _labels(
    mask: NDArray[np.bool_],
    camera: Camera,
    occluders: NDArray[np.bool_] | None,
    depth: NDArray[np.float32] | None,
) -> NDArray[np.uint8]:
    size = (camera.height, camera.width)
    checked = _check.array(mask, "mask", size, np.bool_)
    others = None if occluders is None else _check.array(occluders, "occluders", size, np.bool_)
    return label_image(checked, others, depth)


def _picture(image: NDArray[np.uint8], camera: Camera) -> NDArray[np.uint8]:
    checked: NDArray[np.uint8] = _check.array(image, "image", (camera.height, camera.width, 3), np.uint8)
    return checked


def _depth(depth: NDArray[np.float32] | None, camera: Camera) -> NDArray[np.float32] | None:
    if depth is None:
        return None
    checked: NDArray[np.float32] = _check.array(depth, "depth", (camera.height, camera.width), np.float32)
    return checked
