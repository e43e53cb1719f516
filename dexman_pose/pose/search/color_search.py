"""Searching a coloured mesh where colours and mask disagree: the mask is a weak hint, colours decide.

A mask that leaks, or misses a part, suggests poses that cover it and nothing else. The mesh's own colours, compared
over all of the area that a pose covers, do not depend on where the mask ends. Nor does the box that somebody drew:
where the mask was made of it, and the best pose does not explain that mask, colours and box decide.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.matching.boxed_agreement import BoxedPicture
from dexman_pose.pose.matching.color_agreement import ColorAgreement, color_agreement
from dexman_pose.pose.matching.edges import picture_edges
from dexman_pose.pose.observation.crop import CropObservation, crop_like
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, apply_increment
from dexman_pose.pose.refinement.scores import EDGE_SHARE, agreement, edge_scores
from dexman_pose.pose.refinement.texture import align_to_texture
from dexman_pose.pose.search.asked_box import covered_sides, pose_off_box, poses_off_box
from dexman_pose.pose.search.by_region import RegionJudge
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
        explained: overlap of a pose with a mask that was made of a box, below which the mask is searched past ...
        sure: ... unless colours agree so well ...
        boxed_gain: ... colour agreement by which another pose must be better there ...
        boxed_overlap: ... and the weight of the overlap with the mask when what was found is ranked.
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
        refined: poses brought onto the picture by their texture, and by what their outline separates ...
        again: ... and the best of these, so many, once more.
        boxed: what a pose loses whose outline misses the box that somebody drew by a whole side of it.
        beyond: weight of the agreement in and around such a box, on both sides of the outline, against that of colours.
        small: pixels of the longer side of a box up to which poses in it are polished: the soft edges of a larger
            object's picture are a small part of it.
        polish: first steps in which the best pose of a box is moved, while it agrees better: turns, radians; ...
        polish_shift: ... across the line of sight, in radii of the object; ...
        polish_growth: ... and of the logarithm of the distance.
        halvings: how often these steps are halved.
        looks: poses that are looked at in all, at most.
    """

    agreed: float = 0.6
    contrast: float = 22.0
    least_contrast: float = 6.0
    gain: float = 0.05
    explained: float = 0.95
    sure: float = 0.85
    boxed_gain: float = 0.02
    boxed_overlap: float = 0.1
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
    again: int = 2
    boxed: float = 2.0
    beyond: float = 1.0
    small: float = 120.0
    polish: float = 0.06
    polish_shift: float = 0.03
    polish_growth: float = 0.03
    halvings: int = 2
    looks: int = 120


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


def is_unexplained(
    best: Hypothesis, found: ColorAgreement, look: ObjectView, options: ColorSearchOptions = _DEFAULT
) -> bool:
    """Whether a pose explains too little of a mask that was made of a box, and colours can tell a better one."""
    if look.asked is None or found.contrast < options.contrast:
        return False
    return best.iou < options.explained and found.value < options.sure


def is_small(box: Array | None, options: ColorSearchOptions = _DEFAULT) -> bool:
    """Whether somebody drew a box (4,) around an object, and one so small that poses in it are polished."""
    return box is not None and float((box[2:] - box[:2]).max()) <= options.small


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
    boxed = look.asked is not None
    fine = look.evidence(options.margin)
    judge = PoseJudge(refiner, look, fine, options)
    pool = [judge.judged(h.refined) for h in found]
    start = pool[0].agreed
    pool += _candidates(refiner, look, fine, judge, options)
    if is_small(look.asked, options):
        pool.append(judge.polished(max(pool, key=lambda one: one.agreed)))
    if max(one.agreed for one in pool) < start + (options.boxed_gain if boxed else options.gain):
        return found
    picture = picture_edges(crop_like(look.image, fine))
    edges = edge_scores(refiner, [one.refined for one in pool], fine, picture)
    overlap = options.boxed_overlap if boxed else 1.0
    made = [_hypothesis(refiner, one, float(e), fine, overlap) for one, e in zip(pool, edges)]
    ranks = np.array([h.score for h in made])
    if not boxed:
        colors = np.array([one.agreed for one in pool])
        ranks = colors + options.overlap * np.array([h.iou for h in made]) + EDGE_SHARE * edges
    poses = np.stack([h.camera_from_object for h in made])
    return [made[i] for i in distinct_poses(poses, ranks, len(found), options.apart, symmetry)]


def polished_in_box(
    refiner: PoseRefiner,
    look: ObjectView,
    found: list[Hypothesis],
    colors: ColorAgreement,
    options: ColorSearchOptions = _DEFAULT,
) -> list[Hypothesis]:
    """Hypotheses whose first is moved to where it agrees best with the picture in and around a box that somebody drew.

    Args:
        refiner: of the coloured mesh.
        look: the picture.
        found: hypotheses, best first.
        colors: agreement of the first.
        options: settings.
    """
    if not is_small(look.asked, options) or colors.contrast < options.contrast:
        return found
    judge = PoseJudge(refiner, look, look.evidence(options.margin), options)
    start = judge.judged(found[0].refined)
    best = judge.polished(start)
    if best is start:
        return found
    pose, iou = best.refined.camera_from_object, best.refined.iou
    refined = replace(found[0].refined, camera_from_object=pose, iou=iou)
    score = found[0].score + best.agreed - start.agreed
    return [replace(found[0], camera_from_object=pose, score=score, iou=iou, refined=refined), *found[1:]]


@dataclass(frozen=True)
class Candidate:
    """A refined pose, and what speaks for it.

    Attributes:
        refined: the pose.
        colors: agreement of colours over its own area.
        agreed: the same, with what the box says.
    """

    refined: Refined
    colors: float
    agreed: float


class PoseJudge:
    """What colours and the box that somebody drew say of poses in one picture."""

    def __init__(
        self, refiner: PoseRefiner, look: ObjectView, fine: CropObservation, options: ColorSearchOptions
    ) -> None:
        self._refiner, self._look, self._fine, self._options = refiner, look, fine, options
        self._around = None if look.asked is None else BoxedPicture(look)

    def judged(self, refined: Refined) -> Candidate:
        """A refined pose with what speaks for it."""
        pose, rasterizer = refined.camera_from_object, self._refiner.rasterizer
        colors = agreement_of(self._refiner, pose, self._look).value
        if self._around is None:
            return Candidate(refined, colors, colors)
        off = pose_off_box(rasterizer, pose, self._look, ranked=True) or 0.0
        around = self._around.agreement(rasterizer, pose)
        return Candidate(refined, colors, colors - self._options.boxed * off + self._options.beyond * around)

    def at(self, pose: Array) -> Candidate:
        """A pose (4, 4) as it is."""
        return self.judged(self._refiner.refine(pose, self._fine, RefineOptions(iterations=0)))

    def polished(self, best: Candidate) -> Candidate:
        """A pose moved by small steps, one way at a time, as long as it agrees better."""
        o, radius = self._options, self._refiner.rasterizer.mesh.radius
        steps = np.array([o.polish_growth, *[o.polish_shift * radius] * 2, *[o.polish] * 3])
        left, halvings = o.looks, 0
        while left > 0 and halvings <= o.halvings:
            moved = False
            for way, sign in itertools.product(range(len(steps)), (1.0, -1.0)):
                step = np.zeros(len(steps))
                step[way] = sign * steps[way]
                tried = self.at(self._moved(best.refined.camera_from_object, step))
                left -= 1
                if tried.agreed > best.agreed:
                    best, moved = tried, True
            if not moved:
                steps, halvings = 0.5 * steps, halvings + 1
        return best

    def _moved(self, pose: Array, step: Array) -> Array:
        """A pose (4, 4) moved: logarithm of the distance, two ways across, three turns."""
        center = self._refiner.camera_center(pose)
        shift = (np.exp(step[0]) - 1.0) * center + np.array([step[1], step[2], 0.0])
        return apply_increment(np.concatenate([shift, step[3:]]), pose, center)


def _candidates(
    refiner: PoseRefiner,
    look: ObjectView,
    fine: CropObservation,
    judge: PoseJudge,
    options: ColorSearchOptions,
) -> list[Candidate]:
    """Poses that colours suggest, brought onto the picture by texture and by region; the best of them once more."""
    region = RegionJudge(refiner, look)

    def brought(pose: Array) -> list[Candidate]:
        seen = region.seen(pose).camera_from_object
        out = [judge.at(seen)]
        for start in (pose, seen):
            by_texture = align_to_texture(refiner, start, fine, look, _REFINE, None)
            if by_texture is not None:
                out.append(judge.judged(by_texture.refined))
        return out

    pool = [one for pose in _promising(refiner, look, options) for one in brought(pose)]
    best = sorted(pool, key=lambda one: -one.agreed)[: options.again]
    return pool + [one for known in best for one in brought(known.refined.camera_from_object)]


def _hypothesis(
    refiner: PoseRefiner, one: Candidate, edges: float, view: CropObservation, overlap: float
) -> Hypothesis:
    """A refinement that colours and edges made, judged as all hypotheses are; the mask may count for less."""
    judged = refiner.refine(one.refined.camera_from_object, view, RefineOptions(iterations=0))
    refined = replace(one.refined, iou=judged.iou)
    mask = (1.0 - overlap) * (1.0 - judged.iou)
    score = agreement(refiner, refined, view) + mask + one.agreed + EDGE_SHARE * edges
    return Hypothesis(refined.camera_from_object, score, refined.iou, one.colors, refined)


def _promising(refiner: PoseRefiner, look: ObjectView, options: ColorSearchOptions) -> list[Array]:
    """Poses (4, 4) that colours in a small picture suggest, best first."""
    view = look.evidence(options.margin, options.side)
    picture = crop_like(look.image, view)
    scorer = coarse_scorer(refiner, True)
    rng = np.random.default_rng(0)
    extremes = extreme_points(refiner.rasterizer.mesh.vertices)

    def ranks(poses: Array) -> Array:
        scores = scorer.score(poses, view, picture=picture, beyond_mask=True)
        off = options.boxed * poses_off_box(poses, extremes, look)
        return scores.correlation + options.overlap * scores.iou - off

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

    Where somebody drew a box, they are on that one, too, for a mask may show a part of what is in it; and only those
    of its sides are left open over which the object may go on.
    """
    ray = look.camera.unproject(0.5 * (look.box[:2] + look.box[2:]), np.array(1.0))
    rotations = ray_rotation(ray) @ rotation_grid(options.directions, options.turns)
    extremes = extreme_points(refiner.rasterizer.mesh.vertices)
    on_box = poses_on_box(rotations, extremes, look.box, look.camera)
    drawn = look.box if look.asked is None else look.asked
    # Every second rotation: perturbing makes up for what is lost.
    open_sides = poses_on_part(rotations[::2], extremes, drawn, look.camera)
    if look.asked is None:
        return np.concatenate([on_box, open_sides])
    # They come below, above, on the right, on the left.
    covered = covered_sides(look)[[3, 1, 2, 0]]
    open_sides = open_sides.reshape(len(covered), -1, *open_sides.shape[1:])[covered].reshape(-1, 4, 4)
    return np.concatenate([on_box, poses_on_box(rotations, extremes, drawn, look.camera), open_sides])


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
