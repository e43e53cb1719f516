"""What one picture says for and against a pose that was found in it."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array, Mask
from dexman_pose.pose.matching.color_agreement import color_agreement
from dexman_pose.pose.matching.edges import picture_edges
from dexman_pose.pose.observation.crop import crop_like
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, has_color
from dexman_pose.pose.refinement.scores import depth_agreement, edge_scores
from dexman_pose.pose.search.asked_box import off_box
from dexman_pose.pose.search.verdict import PoseSignals

_MARGIN = 0.25
"""Share of the mask's longer side by which the crop is wider, as where hypotheses are scored."""


def pose_signals(
    refiner: PoseRefiner, refined: Refined, look: ObjectView, margin: float | None, pictured: bool = True
) -> PoseSignals:
    """Gather the signals that a verdict on a pose rests on.

    Args:
        refiner: of the mesh.
        refined: the pose.
        look: the picture.
        margin: score minus that of the runner-up, or None where there is none.
        pictured: whether there is a picture to ask, or masks and depth alone.
    """
    view = look.evidence(_MARGIN)
    pose = refined.camera_from_object
    sized = bool((refined.stretch == 1.0).all())
    colors = None
    if pictured and sized and has_color(refiner):
        colors = color_agreement(refiner.rasterizer, pose, look)
    edges = None
    if pictured and sized:
        edges = float(edge_scores(refiner, [refined], view, picture_edges(crop_like(look.image, view)))[0])
    depth = None if view.depth is None else depth_agreement(refiner, refined, view)
    stretched = (refiner.rasterizer.mesh.vertices - refiner.center) * refined.stretch
    drawn = refiner.rasterizer.render(pose[None], look.camera.K, look.camera.width, look.camera.height).mask[
        0
    ]
    return PoseSignals(
        overlap=refined.iou,
        margin=margin,
        colors=colors,
        edges=edges,
        depth=depth,
        inside=_share_inside(stretched @ pose[:3, :3].T + refiner.camera_center(pose), look),
        seen=_share_seen(drawn, look),
        boxed=off_box(drawn & look.free, look.asked, whole=drawn),
    )


def _share_inside(points: Array, look: ObjectView) -> float:
    """Share of points (N, 3), camera frame, that the picture shows."""
    ahead = points[:, 2] > 0
    pixels = look.camera.project(np.where(ahead[:, None], points, 1.0))
    size = np.array([look.camera.width, look.camera.height])
    return float((ahead & (pixels > -0.5).all(1) & (pixels < size - 0.5).all(1)).mean())


def _share_seen(drawn: Mask, look: ObjectView) -> float:
    """Share of the rendered object (H, W), of what the picture could show of it, that no other label covers."""
    return float(np.count_nonzero(drawn & look.free)) / max(int(np.count_nonzero(drawn)), 1)
