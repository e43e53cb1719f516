"""Refine poses without the side of a mask that leaks, and decide whether to take them."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.matching.edges import PictureEdges
from dexman_pose.pose.observation.crop import CropObservation, visible_iou
from dexman_pose.pose.refinement.edges import align_in_views
from dexman_pose.pose.refinement.options import (
    LEAKING_MASK,
    LEAKING_MASK_IN_DEPTH,
)
from dexman_pose.pose.refinement.perturb import perturbed_poses
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined
from dexman_pose.pose.refinement.scores import depth_agreement, edge_scores
from dexman_pose.pose.search.hypotheses import Hypothesis
from dexman_pose.pose.search.options import LEAKS, LeakOptions
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.problem import Problem

_log = logging.getLogger(__name__)

_SIDES = ("right", "lower", "left", "upper")


def refine_with_leaks(
    refiner: PoseRefiner, found: Hypothesis, evidence: CropObservation, picture: PictureEdges
) -> Hypothesis:
    """The best of small turns about a pose, each pulled onto the picture's edges.

    A mask that leaks holds its pose off the edges it belongs on, farther than they reach.
    """
    starts = [
        replace(found.refined, camera_from_object=p)
        for p in perturbed_poses(found.camera_from_object, refiner.center)
    ]
    options = LEAKING_MASK if evidence.depth is None else LEAKING_MASK_IN_DEPTH
    sides = [(side, view) for side in range(4) if (view := _without_side(evidence, side)) is not None]
    views = [evidence, *(view for _, view in sides)]
    begun = _begun(refiner, found.refined, views[1:])
    count = 1 + len(starts)
    tried = align_in_views(
        refiner,
        [found.refined, *starts, *begun],
        views,
        [0] * count + list(range(1, len(views))),
        picture,
        options=options,
    )
    tried[count:] = _overlapping(refiner, tried[count:], evidence)
    overlap = np.array([r.iou for r in tried])
    edges = edge_scores(refiner, tried, evidence, picture)
    if evidence.depth is None:
        best = int((edges + overlap)[:count].argmax())
        best = _leaked(refiner, tried, best, count, edges, overlap)
    else:
        best = _leaked_in_depth(refiner, tried, count, edges, overlap, evidence)
    best_pose = tried[best]
    if best >= count:
        _log.info("the mask may leak on its %s side, which is left out", _SIDES[sides[best - count][0]])
    return replace(found, camera_from_object=best_pose.camera_from_object, refined=best_pose)


def _leaked(
    refiner: PoseRefiner, tried: list[Refined], best: int, count: int, edges: Array, overlap: Array
) -> int:
    """The best of the poses from ``count`` on, that leave out a side of the mask, if it is better than ``best``.

    A leak makes the object look larger: without it the object is farther away, and overlaps the mask less by what has
    leaked. So only the edges are asked, of poses that lie farther and leave something out.
    """
    distance = np.array([refiner.camera_center(r.camera_from_object)[2] for r in tried])
    fits = (np.arange(len(tried)) >= count) & (distance > distance[best])
    leaked = overlap[best] - overlap
    fits &= (leaked > LEAKS.least_area) & (leaked < LEAKS.most_area)
    fits &= edges > edges[best] + LEAKS.edges
    return int(np.where(fits, edges, -1.0).argmax()) if fits.any() else best


def _leaked_in_depth(
    refiner: PoseRefiner,
    tried: list[Refined],
    count: int,
    edges: Array,
    overlap: Array,
    evidence: CropObservation,
) -> int:
    """The best of all poses; those from ``count`` on leave out a side of the mask, as edges and depth must justify."""
    scores = edges + np.array([depth_agreement(refiner, r, evidence) for r in tried])
    best = int((scores + overlap)[:count].argmax())
    # A wrong pose may overlap a leaking mask best: edges and depth must support the other pose clearly.
    scores += LEAKS.overlap * overlap
    scores[:count] += LEAKS.gain
    other = count + int(scores[count:].argmax()) if len(tried) > count else best
    return other if scores[other] > scores[best] else best


def _begun(refiner: PoseRefiner, start: Refined, views: list[CropObservation]) -> list[Refined]:
    """The pose refined by the outline alone, once in each of the views that leave a side out."""
    if not views:
        return []
    problems = [Problem(start.camera_from_object, view) for view in range(len(views))]
    return refiner.refine_all(problems, views, RefineOptions(iterations=LEAKS.iterations))


def _overlapping(refiner: PoseRefiner, found: list[Refined], evidence: CropObservation) -> list[Refined]:
    """Poses with their overlap with the whole mask, the side that was left out included."""
    if not found:
        return []
    poses = np.stack([r.camera_from_object for r in found])
    drawn = refiner.rasterizer.render(poses, evidence.camera.K, *evidence.size[::-1], attributes=())
    return [replace(r, iou=visible_iou(mask, evidence)) for r, mask in zip(found, drawn.mask)]


def _without_side(
    evidence: CropObservation, side: int, options: LeakOptions = LEAKS
) -> CropObservation | None:
    """The evidence with a band along one side of the mask not trusted; None without a mask."""
    box = mask_box(evidence.mask)
    if box is None:
        return None
    h, w = evidence.size
    # In units of the mask's box, so that its four sides get equal shares.
    middle, extent = 0.5 * (box[:2] + box[2:]), np.maximum(box[2:] - box[:2], 1.0)
    x, y = (np.arange(w) - middle[0]) / extent[0], ((np.arange(h) - middle[1]) / extent[1])[:, None]
    away = (np.arctan2(y, x) - 0.5 * np.pi * side + np.pi) % (2 * np.pi) - np.pi
    near = evidence.near_unknown | (
        (np.abs(away) < options.half_angle) & (np.abs(evidence.sdf) < options.half_width)
    )
    ex, ey = evidence.edge.astype(int).T
    kept = ~near[ey, ex]
    return replace(
        evidence, near_unknown=near, edge=evidence.edge[kept], edge_normal=evidence.edge_normal[kept]
    )
