"""A pose from one picture whose mask may be wrong: search, cut the mask again along the outline found, search in it.

Mask and pose help each other: a pose that most of the picture speaks for says where the mask must end, and the mask
that is cut there says where the pose errs. What was found in the first place stays where it agrees better.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from dexman_pose.data import Mesh
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.estimate import PoseEstimate, estimate_of
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner, has_color, refiner_for
from dexman_pose.pose.search.box_outlines import is_astray
from dexman_pose.pose.search.by_region import RegionJudge
from dexman_pose.pose.search.distinct import distinct_poses
from dexman_pose.pose.search.hypotheses import Hypothesis
from dexman_pose.pose.search.options import BY_REGION, IN_RECUT, RECUT, SEARCH, RecutOptions
from dexman_pose.pose.search.recut import recut
from dexman_pose.pose.search.search import Awaited, judge_best, search_pose

_log = logging.getLogger(__name__)


def search_and_recut(
    refiner: PoseRefiner,
    look: ObjectView,
    *,
    symmetry: SymmetryGroup | Awaited | None = None,
    scales: int = 0,
    options: RecutOptions = RECUT,
) -> tuple[list[Hypothesis], ObjectView]:
    """Ranked hypotheses of :func:`~dexman_pose.pose.search.search.search_pose`, and the view whose mask they are of.

    Of a mesh without colours the mask is cut again where the pose that was found does not explain it, or it cannot be
    the object's by the box that somebody drew.

    Args:
        refiner: holds the mesh.
        look: the object in the picture.
        symmetry: of the mesh; a function is called when poses have been scored.
        scales: unknown factors of the mesh.
        options: when and how a mask is cut again.

    Raises:
        EstimationError: the mask is empty.
    """
    found = search_pose(refiner, look, scales=scales, symmetry=symmetry)
    plain = scales == 0 and look.pictured and not has_color(refiner)
    if not plain or (found[0].iou >= options.explained and not is_astray(look)):
        return found, look
    if look.depth is not None:
        return _recut_by_picture(refiner, look, found, symmetry, options)
    clearest = max(found, key=lambda h: h.shown or 0.0)
    cut = recut(refiner.rasterizer, clearest.camera_from_object, look, options)
    if cut is None:
        return found, look
    again = search_pose(refiner, cut, symmetry=symmetry, options=IN_RECUT)
    group = symmetry() if callable(symmetry) else symmetry
    return _better((found, look), (with_rivals(again, found, group), cut), options)


Found = tuple[list[Hypothesis], ObjectView]


def with_rivals(
    again: list[Hypothesis], before: list[Hypothesis], symmetry: SymmetryGroup | None
) -> list[Hypothesis]:
    """Hypotheses of a mask cut again, and as their second the one of before that the picture shows best.

    A mask that was cut along a pose agrees with no other one: the lead over others is what the picture makes of it.
    """
    best = again[0]
    others = [h for h in before if h.shown is not None and _differ(best, h, symmetry)]
    if not others or best.shown is None:
        return again
    rival = max(others, key=lambda h: h.shown or 0.0)
    behind = BY_REGION.weight * max(best.shown - (rival.shown or 0.0), 0.0)
    if len(again) > 1 and again[1].score >= best.score - behind:
        return again
    return [best, replace(rival, score=best.score - behind), *again[1:-1]]


def _differ(one: Hypothesis, other: Hypothesis, symmetry: SymmetryGroup | None) -> bool:
    poses = np.stack([one.camera_from_object, other.camera_from_object])
    return len(distinct_poses(poses, np.array([1.0, 0.0]), 2, SEARCH.returned_apart, symmetry)) > 1


def _better(first: Found, again: Found, options: RecutOptions) -> Found:
    """What was found in the mask cut again, unless mask or picture agree less with it."""
    (before, _), (after, _) = first, again
    shown = [h.shown or 0.0 for h in (before[0], after[0])]
    _log.debug(
        "search: overlap %.2f with the mask, %.2f with that cut again; the picture shows %.2f and %.2f",
        before[0].iou,
        after[0].iou,
        *shown,
    )
    worse = after[0].iou < before[0].iou and not is_astray(first[1])
    return first if worse or shown[1] < shown[0] - options.less else again


def _recut_by_picture(
    refiner: PoseRefiner,
    look: ObjectView,
    found: list[Hypothesis],
    symmetry: SymmetryGroup | Awaited | None,
    options: RecutOptions,
) -> Found:
    """Where depth was measured: the mask cut again without it, for depth on a wrong mask is that of other things."""
    flat = replace(look, depth=None)
    _, cut = search_and_recut(refiner, flat, symmetry=symmetry, options=options)
    if cut is flat:
        return found, look
    cut = replace(cut, depth=look.depth)
    again = search_pose(refiner, cut, symmetry=symmetry, options=IN_RECUT)
    judge = RegionJudge(refiner, flat)
    said = [replace(h, shown=judge.shown(h.camera_from_object)) for h in (found[0], again[0])]
    return _better(([said[0], *found[1:]], look), ([said[1], *again[1:]], cut), options)


def find_pose(
    mesh: Mesh,
    look: ObjectView,
    *,
    scales: int = 0,
    source: ScaleSource = "given",
    symmetry: SymmetryGroup | Awaited,
    device: str = "cpu",
) -> list[PoseEstimate]:
    """Ranked estimates of one object in one picture, best first; the first is judged.

    Where one scale is unknown and the mesh has colours, shape and depth give the size first; with the size known,
    colours then tell what shape leaves open.

    Args:
        mesh: metres, or of any size where ``scales`` is not 0.
        look: the object in the picture.
        scales: unknown factors of the mesh: 0, 1, or 3 along its axes.
        source: what fixes the scale.
        symmetry: of the mesh.
        device: where the engine runs.

    Raises:
        EstimationError: the mask is empty.
    """
    refiner = refiner_for(mesh, look.own, device)
    found, seen = search_and_recut(refiner, look, scales=scales, symmetry=symmetry)
    if scales != 1 or not has_color(refiner):
        return _judged(refiner, found, seen, source)
    factor = float(found[0].refined.stretch[0])
    refiner = refiner_for(mesh.scaled(factor), look.own, device)
    _log.debug("search: the mesh is taken %.3f times as large", factor)
    group = symmetry() if callable(symmetry) else symmetry
    found = search_pose(refiner, look, symmetry=group.scaled(factor))
    return [e.with_mesh_scaled(factor) for e in _judged(refiner, found, look, source)]


def _judged(
    refiner: PoseRefiner, found: list[Hypothesis], look: ObjectView, source: ScaleSource
) -> list[PoseEstimate]:
    """The public estimates of hypotheses; the first with its verdict."""
    verdict = judge_best(refiner, found, look)
    out = [estimate_of(refiner, h.refined, h.score, source) for h in found]
    return [replace(out[0], valid=verdict.valid, doubts=verdict.doubts), *out[1:]]
