"""Searching a coloured mesh where colours and mask disagree: the mask is a weak hint, colours decide.

A mask that leaks, or misses a part, suggests poses that cover it and nothing else. The mesh's own colours, compared
over all of the area that a pose covers, do not depend on where the mask ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.matching.color_agreement import ColorAgreement, color_agreement
from dexman_pose.pose.matching.edges import picture_edges
from dexman_pose.pose.observation.crop import CropObservation, crop_like
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, apply_increment
from dexman_pose.pose.refinement.scores import EDGE_SHARE, agreement, edge_scores
from dexman_pose.pose.refinement.texture import align_to_texture
from dexman_pose.pose.search.asked_box import pose_off_box
from dexman_pose.pose.search.coarse import coarse_scorer
from dexman_pose.pose.search.distinct import distinct_poses
from dexman_pose.pose.search.hypotheses import Hypothesis
from dexman_pose.pose.search.viewpoints import (
    extreme_points,
    poses_on_box,
    poses_on_part,
    ray_rotation,
    rotation_grid,
)
from dexman_pose.pose.solver.options import RefineOptions


@dataclass(frozen=True)
class ColorSearchOptions:
    """When colours are held to contradict a pose, and how a pose is then searched by them.

    Attributes:
        agreed: colour agreement at which a pose is believed, where the mesh shows much contrast. On rendered meshes of
            household things right poses reach 0.68 to 0.95; wrong ones on leaking masks stay below 0.4.
        contrast: grey levels of local contrast at which ``agreed`` holds; with less it falls in proportion.
        least_contrast: grey levels of contrast below which colours are not asked.
        gain: colour agreement by which another pose must be better.
        directions, turns: viewing directions, and turns in the image of each, that are tried.
        margin: share of the mask's longer side by which the crop is wider on each side.
        side: longest side in pixels of the crop in which poses are scored.
        overlap: weight of the overlap with the mask, against colour correlation.
        kept: poses kept after each round of perturbing.
        tries: perturbed poses of each pose in a round.
        turn: standard deviation, radians, of the first perturbation; halved in every round.
        shift: the same of the place across the line of sight, in radii of the object.
        growth: the same of the logarithm of the distance.
        apart: radians by which poses kept differ.
        refined: poses brought onto the picture by their texture.
        boxed: what a pose loses whose outline misses the box that somebody drew by a whole side of it.
    """

    agreed: float = 0.6
    contrast: float = 22.0
    least_contrast: float = 6.0
    gain: float = 0.05
    directions: int = 140
    turns: int = 16
    margin: float = 0.5
    side: int = 48
    overlap: float = 0.4
    kept: tuple[int, ...] = (48, 32, 16)
    tries: int = 40
    turn: float = 0.2
    shift: float = 0.15
    growth: float = 0.1
    apart: float = 0.2
    refined: int = 8
    boxed: float = 1.0


_DEFAULT = ColorSearchOptions()
_REFINE = RefineOptions(iterations=10, use_silhouette=False, edge_weight=0.6)
"""Refinement by texture and edges of the picture, without the mask's outline."""


def agreement_of(refiner: PoseRefiner, pose: Array, look: ObjectView) -> ColorAgreement:
    """How well the colours of a mesh at a pose (4, 4) agree with the picture."""
    return color_agreement(refiner.rasterizer, pose, look)


def colors_contradict(found: ColorAgreement, options: ColorSearchOptions = _DEFAULT) -> bool:
    """Whether the picture shows other colours than a right pose would have it."""
    if found.contrast < options.least_contrast:
        return False
    return found.value < options.agreed * min(1.0, found.contrast / options.contrast)


def search_by_color(
    refiner: PoseRefiner,
    look: ObjectView,
    found: list[Hypothesis],
    symmetry: SymmetryGroup | None = None,
    options: ColorSearchOptions = _DEFAULT,
) -> list[Hypothesis]:
    """Search once more with the mask as a weak hint, and rank what was found before with it by colour.

    Args:
        refiner: of the coloured mesh.
        look: the picture.
        found: hypotheses of the search on the mask, best first.
        symmetry: of the mesh; symmetric equivalents are one pose.
        options: sizes of the search.

    Returns:
        Hypotheses, best first; those that were given, as they were, where nothing agrees clearly better.
    """
    fine = look.evidence(options.margin)
    pool = [(h.refined, _agreed(refiner, h.camera_from_object, look, options)) for h in found]
    start = pool[0][1]
    for pose in _promising(refiner, look, options):
        by_texture = align_to_texture(refiner, pose, fine, look, _REFINE, None)
        if by_texture is not None:
            refined = by_texture.refined
            pool.append((refined, _agreed(refiner, refined.camera_from_object, look, options)))
    best = max(value for _, value in pool)
    if best < start + options.gain:
        return found
    picture = picture_edges(crop_like(look.image, fine))
    edges = edge_scores(refiner, [refined for refined, _ in pool], fine, picture)
    made = [_hypothesis(refiner, r, v, float(e), fine) for (r, v), e in zip(pool, edges)]
    colors = np.array([value for _, value in pool])
    ranks = colors + options.overlap * np.array([h.iou for h in made]) + EDGE_SHARE * edges
    poses = np.stack([h.camera_from_object for h in made])
    return [made[i] for i in distinct_poses(poses, ranks, len(found), options.apart, symmetry)]


def _agreed(refiner: PoseRefiner, pose: Array, look: ObjectView, options: ColorSearchOptions) -> float:
    """Agreement of colours at a pose (4, 4), less what it misses of the box that somebody drew."""
    off = pose_off_box(refiner.rasterizer, pose, look)
    return agreement_of(refiner, pose, look).value - options.boxed * (off or 0.0)


def _hypothesis(
    refiner: PoseRefiner, refined: Refined, color: float, edges: float, view: CropObservation
) -> Hypothesis:
    """A refinement that colours and edges made, judged as all hypotheses are."""
    judged = refiner.refine(refined.camera_from_object, view, RefineOptions(iterations=0))
    refined = replace(refined, iou=judged.iou)
    score = agreement(refiner, refined, view) + color + EDGE_SHARE * edges
    return Hypothesis(refined.camera_from_object, score, refined.iou, color, refined)


def _promising(refiner: PoseRefiner, look: ObjectView, options: ColorSearchOptions) -> list[Array]:
    """Poses (4, 4) that colours in a small picture suggest, best first."""
    view = look.evidence(options.margin, options.side)
    picture = crop_like(look.image, view)
    scorer = coarse_scorer(refiner, True)
    rng = np.random.default_rng(0)

    def ranks(poses: Array) -> Array:
        scores = scorer.score(poses, view, picture=picture, beyond_mask=True)
        return scores.correlation + options.overlap * scores.iou

    poses = _starts(refiner, look, options)
    scores = ranks(poses)
    chosen = poses[:0]
    for turn, count in enumerate(options.kept):
        chosen_at = distinct_poses(poses, scores, count, options.apart / (1 + turn))
        chosen, kept_scores = poses[chosen_at], scores[chosen_at]
        tried = _perturbed(chosen, refiner, rng, 0.5**turn, options)
        poses = np.concatenate([chosen, tried])
        scores = np.concatenate([kept_scores, ranks(tried)])
    return [poses[i] for i in distinct_poses(poses, scores, options.refined, options.apart)]


def _starts(refiner: PoseRefiner, look: ObjectView, options: ColorSearchOptions) -> Array:
    """(B, 4, 4) poses all around: on the mask's box, and on three sides of it, the fourth left open.

    Where somebody drew a box, on that one, too: a mask may show a part of what is in it.
    """
    ray = look.camera.unproject(0.5 * (look.box[:2] + look.box[2:]), np.array(1.0))
    rotations = ray_rotation(ray) @ rotation_grid(options.directions, options.turns)
    extremes = extreme_points(refiner.rasterizer.mesh.vertices)
    on_box = poses_on_box(rotations, extremes, look.box, look.camera)
    # Every second rotation: perturbing makes up for what is lost.
    open_sides = poses_on_part(rotations[::2], extremes, look.box, look.camera)
    if look.asked is None:
        return np.concatenate([on_box, open_sides])
    drawn = poses_on_box(rotations, extremes, look.asked, look.camera)
    return np.concatenate([on_box, open_sides, drawn])


def _perturbed(
    poses: Array, refiner: PoseRefiner, rng: np.random.Generator, share: float, options: ColorSearchOptions
) -> Array:
    """(B * tries, 4, 4) poses around poses (B, 4, 4)."""
    radius = refiner.rasterizer.mesh.radius
    out = []
    for pose in poses:
        center = refiner.camera_center(pose)
        for turn, shift, growth in zip(
            rng.standard_normal((options.tries, 3)) * options.turn * share,
            rng.standard_normal((options.tries, 2)) * options.shift * share * radius,
            rng.standard_normal(options.tries) * options.growth * share,
        ):
            move = (np.exp(growth) - 1.0) * center + np.array([*shift, 0.0])
            out.append(apply_increment(np.concatenate([move, turn]), pose, center))
    return np.stack(out)
