"""How well a pose explains outline, depth and edges of a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.pose.matching.edges import PictureEdges, edge_score, model_edges
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.refinement.options import SCORES
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined
from dexman_pose.render.halves import in_halves

EDGE_SHARE = SCORES.edge_share
"""Weight of edges in a score, against overlap and correlation."""


_WORTH_HALVING = 4
"""Poses whose edges are scored, from which a second thread is worth its while."""


def agreement(refiner: PoseRefiner, refined: Refined, evidence: CropObservation) -> float:
    """Overlap of the outline, plus the share of depth that agrees where there is any."""
    if evidence.depth is None:
        return refined.iou
    return refined.iou + depth_agreement(refiner, refined, evidence)


def depth_agreement(refiner: PoseRefiner, refined: Refined, view: CropObservation) -> float:
    """Share of measured depth on the mask that the rendering agrees with, in [0, 1]."""
    assert view.depth is not None
    h, w = view.size
    measured = view.mask & (view.depth > 0)
    if not measured.any():
        return 0.0
    pose = refined.camera_from_object
    rotation = pose[:3, :3] * refined.stretch
    projection = np.eye(4)
    projection[:3, :3] = rotation
    projection[:3, 3] = pose[:3, :3] @ refiner.center + pose[:3, 3] - rotation @ refiner.center
    drawn = refiner.rasterizer.render(projection[None], view.camera.K, w, h).depth
    assert drawn is not None
    tolerance = SCORES.depth_tolerance * refiner.rasterizer.mesh.radius * float(refined.stretch.mean())
    off = (drawn[0][measured] - view.depth[measured]) / tolerance
    return float(np.mean(np.where(drawn[0][measured] > 0, 1.0 / (1.0 + off * off), 0.0)))


def edge_scores(
    refiner: PoseRefiner, refined: list[Refined], view: CropObservation, picture: PictureEdges
) -> Array:
    """(B,) how much of the edges of each pose the picture shows."""
    if any((r.stretch != 1.0).any() for r in refined):
        return np.zeros(len(refined))

    def scored(half: int, part: Sequence[Refined]) -> list[float]:
        rasterizer = refiner.halves[half].rasterizer if half else refiner.rasterizer
        found = (model_edges(rasterizer, r.camera_from_object, view.camera, view) for r in part)
        return [edge_score(edges, picture) for edges in found]

    on_cpu = refiner.rasterizer.device == "cpu"
    return np.array(in_halves(scored, refined, _WORTH_HALVING) if on_cpu else scored(0, refined))
