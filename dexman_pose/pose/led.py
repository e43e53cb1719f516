"""A textured mesh brought onto a picture by its colours and the edges of its outline, coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.pose.appearance import texture_evidence
from dexman_pose.pose.creases import PictureEdges, match_edges, outline_of, rim_of
from dexman_pose.pose.evidence import Evidence, crop_like
from dexman_pose.pose.motion import hardly_moved
from dexman_pose.pose.polish import Look
from dexman_pose.pose.refine import PoseRefiner, Refined
from dexman_pose.pose.residuals import EdgeMatches, PointMatches, RefineOptions
from dexman_pose.pose.shading import COARSE, FINE, Shading, sampled_correlation, shade

Array = NDArray[np.float64]
Image = NDArray[np.float32]

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


def onto_texture(
    refiner: PoseRefiner,
    start: Array,
    evidence: Evidence,
    look: Look,
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
    evidence: Evidence,
    look: Look,
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
        if hardly_moved(before, pose):
            break
    return out


def _by_gray(
    refiner: PoseRefiner,
    start: Array,
    evidence: Evidence,
    crop: Image,
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
        if hardly_moved(before, pose):
            break
    return out


def outline_edges(
    shading: Shading, pose: Array, evidence: Evidence, picture: PictureEdges
) -> EdgeMatches | None:
    """Edges of the picture along the rendered outline, where the inside looks like the object."""
    rim, out = rim_of(shading.depth > 0)
    kept = slice(None, None, 1 + len(rim) // 140)
    (x, y), out = rim[kept].T, out[kept]
    h, w = shading.depth.shape
    inner = np.round(np.stack([x, y], 1) - 5.0 * out).astype(int).clip(0, [w - 1, h - 1])
    good = (x > 7) & (y > 7) & (x < w - 8) & (y < h - 8) & ~evidence.near_unknown[y, x]
    # No edge of the object where its inside looks like something else.
    good &= shading.agree[inner[:, 1], inner[:, 0]]
    if int(good.sum()) < 12:
        return None
    x, y = x[good], y[good]
    edges = outline_of(shading.depth, np.stack([x, y], 1), out[good])
    return match_edges(edges, picture, pose, evidence, reach=6)
