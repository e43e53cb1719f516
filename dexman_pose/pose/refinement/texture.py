"""A textured mesh brought onto a picture by its colours and the edges of its outline, coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage
from dexman_pose.pose.matching.edges import PictureEdges, picture_edges
from dexman_pose.pose.matching.options import EDGES, FINE_TEXTURE, QUICK_TEXTURE, TextureMatchOptions
from dexman_pose.pose.matching.photometric import COARSE, FINE, Shading, sampled_correlation, shade
from dexman_pose.pose.matching.texture import TextureEvidence, texture_evidence
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.edges import align_to_edges, outline_edges
from dexman_pose.pose.refinement.options import BY_GRAY, TO_EDGES_GENTLY, GrayAlignmentOptions
from dexman_pose.pose.refinement.perturb import best_of_perturbed
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, has_color, is_converged
from dexman_pose.pose.refinement.scores import agreement
from dexman_pose.pose.solver.options import RefineOptions, trusting_points
from dexman_pose.pose.solver.residuals import EdgeMatches, PointMatches, join_matches


@dataclass(frozen=True)
class TextureOptions:
    """How matching a mesh's texture and refining take turns. Chosen on rendered scenes.

    Attributes:
        least_matches: with fewer the texture says nothing, and the rounds end.
        rounds: at most.
        iterations: of each refinement; None for those of the refinement's own options.
        matching: size of the crop, number of matches.
        use_edges: whether the picture's edges along the outline are matched too.
        outline_steps_back: whether the mask's outline has the less to say the more matches there are.
        keep: the pose that is handed back, ``"last"``, or the ``"best"`` by agreement with mask and depth plus
            correlation: small or blurred texture is matched wrongly now and then, and may make a pose worse.
        until_rest: whether a round that moved the pose by nothing ends them.
        followed_below: matches below which points followed from earlier frames are used too.
        followed_weight: of such a point; it may carry an old error along.
    """

    least_matches: int = 6
    rounds: int = 3
    iterations: int | None = 8
    matching: TextureMatchOptions = QUICK_TEXTURE
    use_edges: bool = True
    outline_steps_back: bool = True
    keep: Literal["last", "best"] = "last"
    until_rest: bool = False
    followed_below: int = 40
    followed_weight: float = 0.25


SINGLE_PICTURE: Final = TextureOptions(iterations=15, matching=FINE_TEXTURE, use_edges=False)
"""A pose that the user says is roughly right, in one picture."""

HYPOTHESIS: Final = TextureOptions(rounds=2, keep="best")
"""A hypothesis of a search, which may be wrong."""

LEADING: Final = TextureOptions(least_matches=12, iterations=None, outline_steps_back=False, until_rest=True)
"""Texture that leads alone, as in a frame of a clip: it must be plenty."""


@dataclass(frozen=True)
class TextureRefined:
    """The outcome of :func:`refine_with_texture`.

    Attributes:
        refined: the pose.
        ncc: correlation of the mesh's colours with the picture, in [-1, 1], where it was last rendered; at the pose
            itself where the best is kept.
        rounds: refinements by texture that were made.
        enough: whether the last rendering found enough matches.
        evidence: what that rendering found.
    """

    refined: Refined
    ncc: float
    rounds: int
    enough: bool
    evidence: TextureEvidence


def refine_with_texture(
    refiner: PoseRefiner,
    start: Refined,
    evidence: CropObservation,
    view: ObjectView,
    options: TextureOptions,
    *,
    refinement: RefineOptions | None = None,
    predicted: Array | None = None,
    trusted: NDArray[np.bool_] | None = None,
    followed: PointMatches | None = None,
) -> TextureRefined:
    """Match the mesh's texture with the picture and refine the pose by it, in turns.

    Args:
        refiner: of the coloured mesh.
        start: right to a few pixels.
        evidence: crop of the picture.
        view: the picture.
        options: how often, with what, and which pose is kept.
        refinement: weights and priors; the default ones when None.
        predicted: (4, 4) centre of the motion prior.
        trusted: (F,) faces whose colour can be believed, None for all.
        followed: points followed from earlier frames.
    """
    weights = refinement or RefineOptions()
    if options.iterations is not None:
        weights = replace(weights, iterations=options.iterations)
    keeps_best = options.keep == "best"
    refined, best, best_score = start, (start, 0.0), -np.inf
    rounds, limit = 0, options.rounds
    while True:
        # What is kept is judged by its own rendering, so the pose of the last round is rendered too.
        seen = texture_evidence(
            refiner.rasterizer,
            refined.camera_from_object,
            view,
            trusted=trusted,
            options=options.matching,
        )
        if keeps_best and (score := agreement(refiner, refined, evidence) + seen.ncc) > best_score:
            best, best_score = (refined, seen.ncc), score
        enough = seen.matches is not None and len(seen.matches) >= options.least_matches
        if rounds == limit or seen.matches is None or not enough:
            break
        before, rounds = refined.camera_from_object, rounds + 1
        refined = refiner.refine(
            before,
            evidence,
            trusting_points(seen.matches, weights) if options.outline_steps_back else weights,
            matches=_with_followed(seen.matches, followed, options),
            edges=seen.edges if options.use_edges else None,
            predicted=predicted,
        )
        if options.until_rest and is_converged(before, refined.camera_from_object):
            limit = rounds
        if rounds == limit and not keeps_best:
            break
    if not keeps_best:
        best = refined, seen.ncc
    return TextureRefined(*best, rounds, enough, seen)


def _with_followed(
    found: PointMatches, followed: PointMatches | None, options: TextureOptions
) -> PointMatches | None:
    """Matches, and where they are few the points followed from earlier frames."""
    if followed is None or len(found) >= options.followed_below:
        return found
    lighter = PointMatches(followed.points, followed.pixels, options.followed_weight * followed.weight)
    return join_matches([found, lighter])


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
        shading: the grey values that were aligned, or None where corners were found.
    """

    refined: Refined
    ncc: float
    inliers: float
    agreeing: float
    matches: PointMatches | None
    edges: EdgeMatches | None
    shading: Shading | None = None

    def correlation(self, camera_from_object: Array) -> float:
        """Correlation of the mesh's colours with the picture at another pose (4, 4) nearby; NaN without shading."""
        return np.nan if self.shading is None else sampled_correlation(self.shading, camera_from_object)


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
    return found or _by_gray(refiner, start, evidence, look.picture(evidence), options, predicted)


def _by_corners(
    refiner: PoseRefiner,
    start: Array,
    evidence: CropObservation,
    look: ObjectView,
    options: RefineOptions,
    predicted: Array | None,
) -> Textured | None:
    found = refine_with_texture(
        refiner,
        Refined.unrefined(start),
        evidence,
        look,
        LEADING,
        refinement=options,
        predicted=predicted,
    )
    matches, inliers = found.evidence.matches, found.refined.point_inliers
    if not found.enough or matches is None:
        return None
    return Textured(found.refined, found.ncc, inliers, inliers * len(matches), matches, found.evidence.edges)


def _by_gray(
    refiner: PoseRefiner,
    start: Array,
    evidence: CropObservation,
    crop: FloatImage,
    options: RefineOptions,
    predicted: Array | None,
    levels: GrayAlignmentOptions = BY_GRAY,
) -> Textured | None:
    """Grey values of the surface and edges of the outline, coarse to fine."""
    pose, out = start, None
    gray = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) * np.float32(255.0), np.float32)
    blurred = cv2.GaussianBlur(crop * np.float32(255.0), (0, 0), EDGES.blur)
    picture = PictureEdges(np.zeros((0, 0, 0), np.float32), blurred)
    sigma = {COARSE: levels.coarse_sigma, FINE: levels.fine_sigma}
    for turn in range(levels.rounds):
        shading = shade(refiner.rasterizer, pose, evidence, gray)
        if shading is None:
            return out
        edges = outline_edges(shading, pose, evidence, picture)
        before = pose
        for level in (COARSE, FINE) if turn == 0 else (FINE,):
            refined = refiner.refine(
                pose,
                shading.views[level],
                replace(options, color_sigma=sigma[level], small_gain=levels.small_gain),
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
            levels.point_worth * inliers * len(shading.points[FINE]),
            None,
            edges,
            shading,
        )
        if is_converged(before, pose):
            break
    return out


def refine_second_order(
    refiner: PoseRefiner, start: Array, view: ObjectView, scales: int
) -> tuple[Refined, float]:
    """The fused refinement, then the mesh's colours where it has any; their correlation comes along.

    Args:
        refiner: holds the mesh.
        start: (4, 4), roughly right.
        view: the object, with or without a picture.
        scales: unknown factors of the mesh; with any, shape and depth alone are asked.
    """
    evidence = view.evidence()
    result = best_of_perturbed(refiner, start, evidence, scales)
    if not view.pictured or scales:
        return result, 0.0
    if has_color(refiner):
        found = refine_with_texture(refiner, result, evidence, view, SINGLE_PICTURE)
        return found.refined, found.ncc
    edges = picture_edges(view.picture(evidence))
    return align_to_edges(refiner, [result], evidence, edges, options=TO_EDGES_GENTLY)[0], 0.0
