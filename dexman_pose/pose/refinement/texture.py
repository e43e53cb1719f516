"""A textured mesh brought onto a picture by its colours and the edges of its outline, coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage
from dexman_pose.data import Camera
from dexman_pose.pose.matching.edges import PictureEdges, picture_edges
from dexman_pose.pose.matching.photometric import COARSE, FINE, sampled_correlation, shade
from dexman_pose.pose.matching.texture import texture_evidence, texture_matches, texture_of_view
from dexman_pose.pose.observation.crop import CropObservation, crop_like
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.edges import align_to_edges, outline_edges
from dexman_pose.pose.refinement.perturb import best_of_perturbed
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, has_color, is_converged
from dexman_pose.pose.refinement.scores import agreement
from dexman_pose.pose.solver.options import RefineOptions, trusting_points
from dexman_pose.pose.solver.residuals import EdgeMatches, PointMatches

_ROUNDS = 3
_SIDE = 200  # longest side in pixels of the crop in which corners are matched
_SIGMA = {COARSE: 24.0, FINE: 16.0}
_GAIN = 1e-3


@dataclass(frozen=True)
class Textured:
    """A pose found by a mesh's own colours.

    Attributes:
        refined: the refinement.
        ncc: correlation of the mesh's colours with the picture.
        inliers: share of points that agree.
        agreeing: how many do.
        matches: corners of the rendering found in the picture, or None where grey values were aligned.
        edges: edges of the picture along the outline, or None.
    """

    refined: Refined
    ncc: float
    inliers: float
    agreeing: float
    matches: PointMatches | None
    edges: EdgeMatches | None


def align_to_texture(
    refiner: PoseRefiner,
    start: Array,
    evidence: CropObservation,
    look: ObjectView,
    options: RefineOptions,
    predicted: Array | None,
) -> Textured | None:
    """Bring a coloured mesh onto the picture: by corners where it has them, else by grey values.

    Args:
        refiner: of the coloured mesh.
        start: (4, 4), right to a few pixels.
        evidence: crop of the same picture.
        look: the picture.
        options: limits and priors; the outline of the mask has no say.
        predicted: (4, 4) centre of the motion prior.
    """
    found = _by_corners(refiner, start, evidence, look, options, predicted)
    return found or _by_gray(refiner, start, evidence, crop_like(look.image, evidence), options, predicted)


def _by_corners(
    refiner: PoseRefiner,
    start: Array,
    evidence: CropObservation,
    look: ObjectView,
    options: RefineOptions,
    predicted: Array | None,
) -> Textured | None:
    pose, out = start, None
    for _ in range(_ROUNDS):
        found = texture_evidence(
            refiner.rasterizer,
            pose,
            look.image,
            look.camera,
            look.labels,
            look.label,
            max_side=_SIDE,
        )
        if found.matches is None or len(found.matches) < 12:
            return None
        refined = refiner.refine(
            pose, evidence, options, matches=found.matches, edges=found.edges, predicted=predicted
        )
        before, pose = pose, refined.camera_from_object
        inliers = refined.point_inliers
        out = Textured(refined, found.ncc, inliers, inliers * len(found.matches), found.matches, found.edges)
        if is_converged(before, pose):
            break
    return out


def _by_gray(
    refiner: PoseRefiner,
    start: Array,
    evidence: CropObservation,
    crop: FloatImage,
    options: RefineOptions,
    predicted: Array | None,
) -> Textured | None:
    """Grey values of the surface and edges of the outline, coarse to fine."""
    pose, out = start, None
    gray = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) * np.float32(255.0), np.float32)
    blurred = cv2.GaussianBlur(crop * np.float32(255.0), (0, 0), 0.8)
    picture = PictureEdges(np.zeros((0, 0, 0), np.float32), blurred)
    for turn in range(_ROUNDS):
        shading = shade(refiner.rasterizer, pose, evidence, gray)
        if shading is None:
            return out
        edges = outline_edges(shading, pose, evidence, picture)
        before = pose
        for level in (COARSE, FINE) if turn == 0 else (FINE,):
            refined = refiner.refine(
                pose,
                shading.views[level],
                replace(options, color_sigma=_SIGMA[level], small_gain=_GAIN),
                shaded=shading.points[level],
                edges=edges if level == FINE else None,
                predicted=predicted,
            )
            pose = refined.camera_from_object
        inliers = refined.point_inliers
        out = Textured(
            refined,
            sampled_correlation(shading, pose),
            inliers,
            0.1 * inliers * len(shading.points[FINE]),
            None,
            edges,
        )
        if is_converged(before, pose):
            break
    return out


def refine_second_order(
    refiner: PoseRefiner,
    start: Array,
    evidence: CropObservation,
    labels: NDArray[np.uint8],
    camera: Camera,
    picture: NDArray[np.uint8] | None,
    scales: int,
) -> tuple[Refined, float]:
    """The fused refinement, then the mesh's colours where it has any; their correlation comes along."""
    result, ncc = best_of_perturbed(refiner, start, evidence, scales), 0.0
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
        result = align_to_edges(refiner, [result], evidence, edges, weight=0.25)[0]
    return result, ncc


def refine_on_texture(
    refiner: PoseRefiner, refined: Refined, evidence: CropObservation, look: ObjectView, rounds: int
) -> tuple[Refined, float, bool]:
    """The best of a pose and what texture makes of it, the correlation there, and whether there was any texture.

    Small or blurred texture is matched wrongly now and then: a pose that got worse is not taken.
    """
    best, matched = (refined, 0.0), False
    best_score = -np.inf
    for turn in range(rounds + 1):
        found = texture_of_view(refiner.rasterizer, refined.camera_from_object, look)
        score = agreement(refiner, refined, evidence) + found.ncc
        if score > best_score:
            best, best_score = (refined, found.ncc), score
        if turn == rounds or found.matches is None or len(found.matches) < 6:
            break
        matched = True
        options = trusting_points(found.matches, RefineOptions(iterations=8))
        refined = refiner.refine(
            refined.camera_from_object, evidence, options, matches=found.matches, edges=found.edges
        )
    return *best, matched
