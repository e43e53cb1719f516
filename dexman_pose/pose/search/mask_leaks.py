"""Refine poses without the side of a mask that leaks, and decide whether to take them."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.matching.edges import PictureEdges
from dexman_pose.pose.observation.crop import CropObservation, visible_iou
from dexman_pose.pose.refinement.edges import align_to_edges
from dexman_pose.pose.refinement.options import (
    LEAKING_MASK,
    LEAKING_MASK_IN_DEPTH,
    EdgeAlignmentOptions,
)
from dexman_pose.pose.refinement.perturb import perturbed_poses
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined
from dexman_pose.pose.refinement.scores import depth_agreement, edge_scores
from dexman_pose.pose.search.hypotheses import Hypothesis
from dexman_pose.pose.search.options import LEAKS, LeakOptions
from dexman_pose.pose.solver.options import RefineOptions

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
    tried = align_to_edges(refiner, [found.refined, *starts], evidence, picture, options=options)
    count = len(tried)
    left_out, without = _without_sides(refiner, found.refined, evidence, picture, options)
    tried += without
    overlap = np.array([r.iou for r in tried])
    edges = edge_scores(refiner, tried, evidence, picture)
    if evidence.depth is None:
        best = int((edges + overlap)[:count].argmax())
        best = _leaked(refiner, tried, best, count, edges, overlap)
    else:
        best = _leaked_in_depth(refiner, tried, count, edges, overlap, evidence)
    best_pose = tried[best]
    if best >= count:
        _log.info("the mask may leak on its %s side, which is left out", left_out[best - count])
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


def _without_sides(
    refiner: PoseRefiner,
    start: Refined,
    evidence: CropObservation,
    picture: PictureEdges,
    options: EdgeAlignmentOptions,
) -> tuple[list[str], list[Refined]]:
    """Poses that three sides of the mask and the edges make, and the fourth, left out, which may leak."""
    sides, out = [], []
    for side in range(4):
        view = _without_side(evidence, side)
        if view is None:
            continue
        begun = refiner.refine(start.camera_from_object, view, RefineOptions(iterations=LEAKS.iterations))
        pulled = align_to_edges(refiner, [begun], view, picture, options=options)[0]
        rendered = refiner.rasterizer.render(pulled.camera_from_object[None], view.camera.K, *view.size[::-1])
        sides.append(_SIDES[side])
        out.append(replace(pulled, iou=visible_iou(rendered.mask[0], evidence)))
    return sides, out


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
