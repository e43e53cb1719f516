"""Poses pulled onto the edges of the picture, along outline and creases."""

from __future__ import annotations

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
    out = list(refined)
    for turn in range(options.rounds if rounds is None else rounds):
        problems, which = [], []
        reach = max(EDGES.reach - turn, options.least_reach)
        for i, r in enumerate(out):
            edges = model_edges(refiner.rasterizer, r.camera_from_object, evidence.camera, evidence)
            if edges is None:
                continue
            matches = match_edges(edges, picture, r.camera_from_object, evidence, reach)
            if matches is not None:
                problems.append(Problem(r.camera_from_object, edges=matches))
                which.append(i)
        if problems:
            for i, r in zip(which, refiner.refine_all(problems, [evidence], options.refinement)):
                out[i] = r
    return out
