"""The public functions on single pictures and clips with a known mesh."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data import Camera, Clip, DepthSequence, MaskSequence, Mesh, PoseTrack, _check
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.pose.appearance import texture_matches
from dexman_pose.pose.evidence import Evidence, crop_box, gather, mask_box
from dexman_pose.pose.refine import PoseRefiner, Refined, apply_increment
from dexman_pose.pose.residuals import RefineOptions, trusting_points
from dexman_pose.pose.search import has_color, refiner_for, search_pose
from dexman_pose.pose.track import TrackStart, track_objects

Array = NDArray[np.float64]

_KICK = np.deg2rad(4.0)


@dataclass(frozen=True)
class PoseEstimate:
    """A pose and how far it can be trusted.

    Attributes:
        camera_from_object: (4, 4), metres.
        score: higher is better; outline overlap plus, for a coloured mesh, colour correlation.
        mask_iou: overlap of the rendered outline with the mask, in [0, 1].
        converged: whether the refinement came to rest.
        covariance: (6, 6) of the twist (v, w) about the object's centre, camera axes, metres and radians.
        alternatives: other poses that explain the picture, best first.
    """

    camera_from_object: Array
    score: float
    mask_iou: float
    converged: bool
    covariance: Array
    alternatives: list[PoseEstimate] = field(default_factory=list)


def estimate_pose(
    mesh: Mesh,
    image: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    camera: Camera,
    *,
    depth: NDArray[np.float32] | None = None,
) -> PoseEstimate:
    """The pose of a known object in one picture, with no idea of it beforehand.

    Args:
        mesh: metres.
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) bool, visible pixels of the object.
        camera: intrinsics of the picture.
        depth: (H, W) float32 metres, 0 where not measured.

    Returns:
        The best pose, with ranked alternatives.

    Raises:
        InputError: sizes do not agree.
        EstimationError: the mask is empty.
    """
    labels = _labels(mask, camera)
    picture = _picture(image, camera)
    refiner = refiner_for(mesh, labels == 1)
    found = search_pose(refiner, picture, labels, 1, camera, depth=_depth(depth, camera))
    estimates = [
        PoseEstimate(
            h.camera_from_object, h.score, h.iou, h.refined.converged, _covariance(h.refined.hessian)
        )
        for h in found
    ]
    best = estimates[0]
    return PoseEstimate(
        best.camera_from_object, best.score, best.mask_iou, best.converged, best.covariance, estimates[1:]
    )


def refine_pose(
    mesh: Mesh,
    camera_from_object: ArrayLike,
    mask: NDArray[np.bool_],
    camera: Camera,
    *,
    image: NDArray[np.uint8] | None = None,
    depth: NDArray[np.float32] | None = None,
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

    Raises:
        InputError: sizes do not agree, or the start is no rigid transform.
        EstimationError: the mask is empty.
    """
    start = _check.rigid(np.asarray(camera_from_object, dtype=np.float64)[None], "camera_from_object")[0]
    labels = _labels(mask, camera)
    box = mask_box(labels == 1)
    if box is None:
        raise EstimationError("refining needs a mask with at least one pixel, but this one is empty")
    refiner = refiner_for(mesh, labels == 1)
    evidence = gather(labels, 1, camera, crop_box([box], 0.25), depth=_depth(depth, camera))
    result = _best_of_kicks(refiner, start, evidence)
    ncc = 0.0
    if image is not None and has_color(refiner):
        picture = _picture(image, camera)
        for _ in range(3):
            matches, ncc = texture_matches(
                refiner.rasterizer, result.camera_from_object, picture, camera, labels, 1
            )
            if matches is None or len(matches) < 6:
                break
            options = trusting_points(matches, RefineOptions(iterations=15))
            result = refiner.refine(result.camera_from_object, evidence, options, matches=matches)
    return PoseEstimate(
        result.camera_from_object, result.iou + ncc, result.iou, result.converged, _covariance(result.hessian)
    )


def _best_of_kicks(refiner: PoseRefiner, start: Array, evidence: Evidence) -> Refined:
    """The cheapest refinement from the start and from six small turns of it.

    Where a face seen at a grazing angle comes and goes, the cost has a kink that no single start steps over.
    """
    radius = refiner.rasterizer.mesh.radius
    # Where the picture leaves a direction open, mostly the distance, the start is what is known of it.
    options = RefineOptions(iterations=30, prior_translation=0.05 * radius, prior_rotation=0.1)
    center = start[:3, :3] @ refiner.center + start[:3, 3]
    best = refiner.refine(start, evidence, options, predicted=start)
    for axis in range(3):
        for angle in (-_KICK, _KICK):
            twist = np.zeros(6)
            twist[3 + axis] = angle
            other = refiner.refine(apply_increment(twist, start, center), evidence, options, predicted=start)
            if other.cost < best.cost:
                best = other
    return best


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
    refiner = refiner_for(mesh, masks.mask(start_frame, name))
    if start is None:
        sensor = depth.frame(start_frame) if depth is not None else None
        found = search_pose(
            refiner,
            clip.frame(start_frame),
            masks.labels(start_frame),
            masks.label_of(name),
            camera,
            depth=sensor,
        )
        pose = found[0].camera_from_object
    else:
        pose = _check.rigid(np.asarray(start, dtype=np.float64)[None], "start")[0]
    tracks = track_objects(clip, masks, camera, {name: TrackStart(refiner, start_frame, pose)}, depth=depth)
    return tracks[name]


def _labels(mask: NDArray[np.bool_], camera: Camera) -> NDArray[np.uint8]:
    checked = _check.array(mask, "mask", (camera.height, camera.width), np.bool_)
    return checked.astype(np.uint8)


def _picture(image: NDArray[np.uint8], camera: Camera) -> NDArray[np.uint8]:
    checked: NDArray[np.uint8] = _check.array(image, "image", (camera.height, camera.width, 3), np.uint8)
    return checked


def _depth(depth: NDArray[np.float32] | None, camera: Camera) -> NDArray[np.float32] | None:
    if depth is None:
        return None
    checked: NDArray[np.float32] = _check.array(depth, "depth", (camera.height, camera.width), np.float32)
    return checked


def _covariance(hessian: Array) -> Array:
    return np.asarray(np.linalg.pinv(hessian + 1e-9 * np.eye(6)), np.float64)
