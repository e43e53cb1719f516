"""Poses pulled onto the edges of the picture, along outline and creases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.pose.matching.edges import PictureEdges, match_edges, model_edges, outline_of, rim_of
from dexman_pose.pose.matching.options import EDGES
from dexman_pose.pose.matching.photometric import Shading
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.refinement.options import TO_EDGES, EdgeAlignmentOptions
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined
from dexman_pose.pose.solver.problem import Problem
from dexman_pose.pose.solver.residuals import EdgeMatches
from dexman_pose.render.halves import in_halves


def outline_edges(
    shading: Shading, pose: Array, evidence: CropObservation, picture: PictureEdges
) -> EdgeMatches | None:
    """Edges of the picture along the rendered outline, where the inside looks like the object."""
    rim, out = rim_of(shading.depth > 0)
    kept = slice(None, None, 1 + len(rim) // EDGES.rim_points)
    (x, y), out = rim[kept].T, out[kept]
    h, w = shading.depth.shape
    inner = np.round(np.stack([x, y], 1) - EDGES.rim_inside * out).astype(int).clip(0, [w - 1, h - 1])
    border = EDGES.rim_reach + 1
    good = (x > border) & (y > border) & (x < w - 1 - border) & (y < h - 1 - border)
    good &= ~evidence.near_unknown[y, x]
    # No edge of the object where its inside looks like something else.
    good &= shading.agree[inner[:, 1], inner[:, 0]]
    if int(good.sum()) < EDGES.least:
        return None
    x, y = x[good], y[good]
    edges = outline_of(shading.depth, np.stack([x, y], 1), out[good])
    return match_edges(edges, picture, pose, evidence, reach=EDGES.rim_reach)


def align_to_edges(
    refiner: PoseRefiner,
    refined: list[Refined],
    evidence: CropObservation,
    picture: PictureEdges,
    rounds: int | None = None,
    options: EdgeAlignmentOptions = TO_EDGES,
) -> list[Refined]:
    """Pull outline and creases of poses onto edges of the picture; the mask keeps its say.

    Args:
        refiner: holds the mesh.
        refined: the poses.
        evidence: of the frame.
        picture: edges of the same crop.
        rounds: in place of those of the options.
        options: how often, how far, and how much edges weigh.
    """
    return align_in_views(refiner, refined, [evidence], [0] * len(refined), picture, rounds, options)


def align_in_views(
    refiner: PoseRefiner,
    refined: Sequence[Refined],
    views: Sequence[CropObservation],
    view_of: Sequence[int],
    picture: PictureEdges,
    rounds: int | None = None,
    options: EdgeAlignmentOptions = TO_EDGES,
) -> list[Refined]:
    """The same for poses that each believe another evidence of one crop.

    Args:
        refiner: holds the mesh.
        refined: the poses.
        views: evidence, all of one crop.
        view_of: index into ``views`` of each pose.
        picture: edges of the same crop.
        rounds: in place of those of the options.
        options: how often, how far, and how much edges weigh.
    """
    out = list(refined)
    for turn in range(options.rounds if rounds is None else rounds):
        reach = max(EDGES.reach - turn, options.least_reach)
        poses = [(r.camera_from_object, views[v]) for r, v in zip(out, view_of)]
        matches = _matches(refiner, poses, picture, reach)
        which = [i for i, found in enumerate(matches) if found is not None]
        problems = [Problem(out[i].camera_from_object, view_of[i], edges=matches[i]) for i in which]
        if problems:
            for i, r in zip(which, refiner.refine_all(problems, views, options.refinement)):
                out[i] = r
    return out


def _matches(
    refiner: PoseRefiner,
    poses: Sequence[tuple[Array, CropObservation]],
    picture: PictureEdges,
    reach: int,
) -> list[EdgeMatches | None]:
    """What poses (4, 4), each with its evidence, find of their edges in the picture; None for too little."""

    def matched(half: int, part: Sequence[tuple[Array, CropObservation]]) -> list[EdgeMatches | None]:
        rasterizer = refiner.halves[half].rasterizer if half else refiner.rasterizer
        out = []
        for pose, view in part:
            edges = model_edges(rasterizer, pose, view.camera, view)
            out.append(None if edges is None else match_edges(edges, picture, pose, view, reach))
        return out

    return in_halves(matched, poses) if refiner.rasterizer.device == "cpu" else matched(0, poses)
