"""Pose from one picture with no prior: render many viewpoints small, score them all, refine the best."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.matching.edges import PictureEdges, picture_edges
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.observation.occlusion import is_cut
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.perturb import perturbed_poses
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, has_color
from dexman_pose.pose.refinement.texture import HYPOTHESIS
from dexman_pose.pose.search.box_outlines import is_astray, poses_filling_box
from dexman_pose.pose.search.by_region import judge_by_region
from dexman_pose.pose.search.coarse import CoarseScores, coarse_scorer
from dexman_pose.pose.search.coarse_mesh import stand_in_refiner
from dexman_pose.pose.search.color_search import (
    agreement_of,
    colors_contradict,
    is_unexplained,
    polished_in_box,
    search_by_color,
)
from dexman_pose.pose.search.distinct import distinct_poses
from dexman_pose.pose.search.hypotheses import Hypothesis, refine_and_score
from dexman_pose.pose.search.mask_leaks import refine_with_leaks
from dexman_pose.pose.search.options import (
    BOX_OUTLINES,
    FINE_STAND_IN,
    ROUGH_STAND_IN,
    SEARCH,
    VIEWPOINTS,
    RegionJudgeOptions,
    SearchOptions,
    ViewpointOptions,
)
from dexman_pose.pose.search.scorers import RANKING, Contest, total
from dexman_pose.pose.search.signals import pose_signals
from dexman_pose.pose.search.verdict import Verdict, judge
from dexman_pose.pose.search.viewpoints import (
    extreme_points,
    poses_on_box,
    poses_on_part,
    ray_rotation,
    rotation_grid,
)
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.problem import Problem
from dexman_pose.render.halves import in_halves
from dexman_pose.symmetry.cache import shape_symmetry_of

_log = logging.getLogger(__name__)

Awaited = Callable[[], SymmetryGroup]
"""A symmetry that is still being detected."""


def search_pose(
    refiner: PoseRefiner,
    look: ObjectView,
    *,
    rotations: Array | None = None,
    keep: int = 32,
    count: int = 5,
    scales: int = 0,
    symmetry: SymmetryGroup | Awaited | None = None,
    options: SearchOptions = SEARCH,
) -> list[Hypothesis]:
    """Ranked pose hypotheses of one object in one picture, best first.

    Thousands of poses that cover the mask are rendered small and scored; the best that differ are refined together,
    the best of these once more in full size, with texture where the mesh has any. Where the picture then shows other
    colours than the mesh has, or a mask made of a box is not explained, the mask may be wrong: it is searched once more
    by colour, the mask a weak hint.

    Args:
        refiner: holds the mesh.
        look: the object in the picture.
        rotations: (B, 3, 3) camera from object; the default covers all rotations.
        keep: hypotheses refined after the coarse scoring.
        count: hypotheses returned.
        scales: unknown factors of the mesh: 0, 1, or 3 along its axes; found from depth.
        symmetry: of the mesh; no two hypotheses returned are symmetric equivalents. A function is called when poses
            have been scored.
        options: sizes of the stages.

    Raises:
        EstimationError: the mask is empty.
    """
    colored = has_color(refiner) and scales == 0
    # Where shape has symmetries, colours are asked once shape is settled: they tell its equivalents apart.
    shape = shape_symmetry_of(refiner.rasterizer.mesh) if colored and rotations is None else None
    folded = shape is not None and not shape.is_trivial
    first_colors = colored and not folded
    poses, scored = _coarse(refiner, look, rotations, first_colors, options)
    symmetry = symmetry() if callable(symmetry) else symmetry
    first_symmetry = shape if folded else symmetry
    chosen = distinct_poses(poses, scored.total, keep, options.coarse_apart, first_symmetry)
    problems = _on_depth(refiner, poses[chosen], scored.depth_ratio[chosen], scales, options)
    if not colored:
        refiner = stand_in_refiner(refiner, FINE_STAND_IN)
    rough = look.evidence(side=options.rough_side)
    roughly = RefineOptions(iterations=options.rough_iterations, silhouette_sigma=options.rough_sigma)
    first = stand_in_refiner(refiner, ROUGH_STAND_IN).refine_all(problems, [rough], roughly, scales=scales)
    edges = picture_edges(look.picture(rough))
    scores = total(RANKING, Contest(refiner, first, rough, look, edges, first_colors))
    chosen = distinct_poses(_poses(first), scores, options.full_size, options.full_apart, first_symmetry)
    again = [Problem(first[i].camera_from_object, stretch=first[i].stretch) for i in chosen]
    if folded and shape is not None:
        again = _equivalents_by_color(refiner, [first[i] for i in chosen], shape, rough, look, options)
    fine = look.evidence()
    fully = RefineOptions(iterations=options.full_iterations)
    refined = refiner.refine_all(again, [fine], fully, scales=scales)
    ranks = total(RANKING, Contest(refiner, refined, rough, look, edges, colored))
    # Two near the top, against a bad start of one; the others far from it, so that there is something to compare.
    kept = distinct_poses(_poses(refined), ranks, options.near, options.near_apart, symmetry)
    apart = distinct_poses(_poses(refined), ranks, options.distinct, options.distinct_apart, symmetry)
    kept += [i for i in apart if i not in kept]
    fine_edges = picture_edges(look.picture(fine))
    hypotheses = _refined_and_scored(
        refiner, [refined[i] for i in kept], fine, look, fine_edges, colored, scales, options
    )
    if not colored and scales == 0 and look.depth is None and look.pictured:

        def others(count: int) -> Array:
            share = 1.0 if look.asked is None else 0.0 if is_astray(look) else BOX_OUTLINES.beside
            count = round(share * count)
            return poses[distinct_poses(poses, scored.total, count, options.coarse_apart, symmetry)]

        def filling() -> Array:
            return poses_filling_box(refiner, look, options.coarse_apart, symmetry)

        hypotheses = _by_region(
            refiner, hypotheses, (others, filling), fine, look, fine_edges, options.region
        )
    reached = np.stack([h.camera_from_object for h in hypotheses])
    order = np.array([h.score for h in hypotheses])
    found = [hypotheses[i] for i in distinct_poses(reached, order, count, options.returned_apart, symmetry)]
    _log.debug(
        "search: %d starts, %d refined in full size, %d on texture and edges; score %.3f, margin %s",
        len(problems),
        len(again),
        len(hypotheses),
        found[0].score,
        f"{found[0].score - found[1].score:.3f}" if len(found) > 1 else "none",
    )
    if colored and rotations is None:
        seen = agreement_of(refiner, found[0].camera_from_object, look)
        if colors_contradict(seen) or is_unexplained(found[0], seen, look):
            _log.debug("search: colours agree to %.2f; searched again by colour", seen.value)
            return search_by_color(refiner, look, found, symmetry)
        return polished_in_box(refiner, look, found, seen)
    return found


def _refined_and_scored(
    refiner: PoseRefiner,
    refined: list[Refined],
    fine: CropObservation,
    look: ObjectView,
    edges: PictureEdges,
    colored: bool,
    scales: int,
    options: SearchOptions,
) -> list[Hypothesis]:
    """The hypotheses on texture and edges of the picture, best first; the best also from small turns of it."""

    def finished(found: list[Refined], rounds: int) -> list[Hypothesis]:
        def work(half: int, part: Sequence[Refined]) -> list[Hypothesis]:
            own = refiner.halves[half] if half else refiner
            return [refine_and_score(own, r, fine, look, colored, edges, rounds=rounds) for r in part]

        return in_halves(work, found) if refiner.rasterizer.device == "cpu" else work(0, found)

    out = finished(refined, HYPOTHESIS.rounds)
    out.sort(key=lambda h: -h.score)
    if colored:
        turned = [Problem(p) for p in perturbed_poses(out[0].camera_from_object, refiner.center)]
        by_color = RefineOptions(
            iterations=options.perturbed_iterations, silhouette_weight=options.perturbed_silhouette
        )
        more = refiner.refine_all(turned, [fine], by_color)
        out += finished(more, options.perturbed_rounds)
        out.sort(key=lambda h: -h.score)
    elif scales == 0:
        out[0] = refine_with_leaks(refiner, out[0], fine, edges)
    return out


def _by_region(
    refiner: PoseRefiner,
    found: list[Hypothesis],
    others: tuple[Callable[[int], Array], Callable[[], Array]],
    fine: CropObservation,
    look: ObjectView,
    edges: PictureEdges,
    options: RegionJudgeOptions,
) -> list[Hypothesis]:
    """The hypotheses judged by what the picture shows along their outlines, best first."""

    def finish(pose: Array) -> Hypothesis:
        refined = refiner.refine(pose, fine, RefineOptions(iterations=0))
        return refine_and_score(refiner, refined, fine, look, False, edges)

    return judge_by_region(refiner, found, others[0], look, fine, finish, options, filling=others[1])


def _coarse(
    refiner: PoseRefiner,
    look: ObjectView,
    rotations: Array | None,
    colored: bool,
    options: SearchOptions,
    viewpoints: ViewpointOptions = VIEWPOINTS,
) -> tuple[Array, CoarseScores]:
    """Thousands of poses (B, 4, 4) that cover the mask, and their scores in a small picture."""
    if rotations is None:
        ray = look.camera.unproject(0.5 * (look.box[:2] + look.box[2:]), np.array(1.0))
        directions = viewpoints.colored_directions if colored else viewpoints.directions
        rotations = ray_rotation(ray) @ rotation_grid(directions, viewpoints.turns)
    mesh = refiner.rasterizer.mesh
    extremes = extreme_points(mesh.vertices)
    poses = poses_on_box(rotations, extremes, look.box, look.camera)
    if is_cut(look.labels, look.label):
        some = rotations[:: viewpoints.part_step]
        poses = np.concatenate([poses, poses_on_part(some, extremes, look.box, look.camera)])
        _log.debug("search: the mask shows a part of the object; poses that reach beyond it are tried too")
    cut = len(poses) > len(rotations)
    small = look.evidence(options.cut_margin if cut else options.coarse_margin, options.coarse_side)
    picture = look.picture(small) if colored else None
    tolerance = options.depth_tolerance * mesh.radius
    return poses, coarse_scorer(refiner, colored).score(poses, small, picture=picture, tolerance=tolerance)


def _on_depth(
    refiner: PoseRefiner, poses: Array, ratios: Array, scales: int, options: SearchOptions
) -> list[Problem]:
    """Poses (B, 4, 4) moved, or stretched too where the scale is unknown, by measured over rendered depth (B,)."""
    out = []
    for pose, ratio in zip(poses.copy(), np.clip(ratios, options.least_ratio, options.most_ratio)):
        pose[:3, 3] += (ratio - 1.0) * refiner.camera_center(pose)
        out.append(Problem(pose, stretch=np.full(3, ratio if scales else 1.0)))
    return out


def _poses(refined: list[Refined]) -> Array:
    return np.stack([r.camera_from_object for r in refined])


def _equivalents_by_color(
    refiner: PoseRefiner,
    refined: list[Refined],
    shape: SymmetryGroup,
    view: CropObservation,
    look: ObjectView,
    options: SearchOptions,
) -> list[Problem]:
    """Poses that shape alone cannot tell apart, ranked by colour: the spins of a can and its flips."""
    mesh = refiner.rasterizer.mesh
    turns = shape.sampled(options.equivalents_step, options.equivalents_most)
    poses = np.concatenate([r.camera_from_object @ turns for r in refined[: options.with_equivalents]])
    found = coarse_scorer(refiner, True).score(
        poses, view, picture=look.picture(view), tolerance=options.depth_tolerance * mesh.radius
    )
    chosen = distinct_poses(poses, found.total, options.equivalents_kept, options.equivalents_apart)
    return [Problem(poses[i]) for i in chosen]


def judge_best(refiner: PoseRefiner, found: list[Hypothesis], look: ObjectView) -> Verdict:
    """Judge the best of ranked hypotheses of a picture, by its lead too."""
    margin = found[0].score - found[1].score if len(found) > 1 else None
    signals = pose_signals(refiner, found[0].refined, look, margin)
    return judge(replace(signals, region=found[0].seen))
