"""Poses pulled onto the edges of the picture, along outline and creases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.pose.matching.edges import PictureEdges, match_edges, model_edges, outline_of, rim_of
from dexman_pose.pose.matching.photometric import Shading
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.problem import Problem
from dexman_pose.pose.solver.residuals import EdgeMatches

LEAK_EDGE_OPTIONS = RefineOptions(iterations=8, silhouette_reach=3.0, edge_weight=0.6)

LEAK_EDGE_OPTIONS_IN_DEPTH = replace(
    LEAK_EDGE_OPTIONS, silhouette_weight=0.1, silhouette_reach=2.0, edge_weight=1.0
)


def outline_edges(
    shading: Shading, pose: Array, evidence: CropObservation, picture: PictureEdges
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


def align_to_edges(
    refiner: PoseRefiner,
    refined: list[Refined],
    evidence: CropObservation,
    picture: PictureEdges,
    rounds: int = 2,
    weight: float = 0.6,
    options: RefineOptions | None = None,
) -> list[Refined]:
    """Pull outline and creases of poses onto edges of the picture; the mask keeps its say."""
    options = options or replace(LEAK_EDGE_OPTIONS, edge_weight=weight)
    out = list(refined)
    for turn in range(rounds):
        problems, which = [], []
        for i, r in enumerate(out):
            edges = model_edges(refiner.rasterizer, r.camera_from_object, evidence.camera, evidence)
            if edges is None:
                continue
            matches = match_edges(edges, picture, r.camera_from_object, evidence, reach=max(6 - turn, 3))
            if matches is not None:
                problems.append(Problem(r.camera_from_object, edges=matches))
                which.append(i)
        if problems:
            for i, r in zip(which, refiner.refine_all(problems, [evidence], options)):
                out[i] = r
    return out
