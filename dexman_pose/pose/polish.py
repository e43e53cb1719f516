"""One hypothesis brought onto texture, edges and depth of a picture, and scored."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera
from dexman_pose.pose.appearance import TextureEvidence, texture_evidence
from dexman_pose.pose.creases import PictureEdges, edge_score, match_edges, model_edges
from dexman_pose.pose.evidence import MAX_SIDE, Evidence, crop_box, gather, mask_box, visible_iou
from dexman_pose.pose.problem import Problem
from dexman_pose.pose.refine import PoseRefiner, Refined, apply_increment
from dexman_pose.pose.residuals import RefineOptions, trusting_points

Array = NDArray[np.float64]

_TEXTURE_SIDE = 200  # longest side in pixels of the crop in which texture is matched
_SETTLED = RefineOptions(iterations=8, silhouette_reach=3.0, edge_weight=0.6)
_SETTLED_IN_DEPTH = replace(_SETTLED, silhouette_weight=0.1, silhouette_reach=2.0, edge_weight=1.0)
KICK = np.deg2rad(5.0)
_LEAKING_OVERLAP, _LEAK_GAIN = 0.3, 0.008
_LEAK_AREA = 0.01, 0.03  # share of the area that may have leaked
_LEAK_EDGES = 0.001
"""Weight of overlap with a mask that may leak, and the gain in score that leaving one of its sides out must bring."""
_SIDE, _BAND = 0.8, 8.0
"""Half the angle, in radians, and half the width, in pixels of the crop, of a side of a mask that may leak."""
EDGE_SHARE = 0.25
"""Weight of edges in a score, against overlap and correlation."""


@dataclass(frozen=True)
class Hypothesis:
    """One candidate pose and how well it explains the picture.

    Attributes:
        camera_from_object: (4, 4).
        score: higher is better; outline overlap, colour correlation, share of the outline on edges of the picture.
        iou: outline overlap with the mask.
        ncc: correlation of the coloured mesh with the picture, 0 where it has no colour.
        refined: the refinement it came out of.
    """

    camera_from_object: Array
    score: float
    iou: float
    ncc: float
    refined: Refined


@dataclass(frozen=True)
class Look:
    """One object in one picture.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 label image.
        label: the object's value in it.
        camera: intrinsics.
        depth: (H, W) metres, 0 where not measured, or None.
        box: (4,) x0, y0, x1, y1 of the object's pixels.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    label: int
    camera: Camera
    depth: NDArray[np.float32] | None
    box: Array

    def evidence(self, margin: float, side: int = MAX_SIDE) -> Evidence:
        """The evidence in a crop around the object, widened by ``margin``, at most ``side`` pixels long."""
        return gather(
            self.labels,
            self.label,
            self.camera,
            crop_box([self.box], margin),
            depth=self.depth,
            max_side=side,
        )

    def texture(self, refiner: PoseRefiner, refined: Refined) -> TextureEvidence:
        """What the mesh's colours say at a pose."""
        return texture_evidence(
            refiner.rasterizer,
            refined.camera_from_object,
            self.image,
            self.camera,
            self.labels,
            self.label,
            max_side=_TEXTURE_SIDE,
        )


def polish(
    refiner: PoseRefiner,
    refined: Refined,
    evidence: Evidence,
    look: Look,
    colored: bool,
    picture: PictureEdges | None,
    rounds: int = 2,
) -> Hypothesis:
    """Alternate matches of texture and edges with refinement on one hypothesis, then score it."""
    fixed = bool((refined.stretch == 1.0).all())
    if colored:
        refined, ncc, matched = _onto_texture(refiner, refined, evidence, look, rounds)
    else:
        ncc, matched = 0.0, False
    if not matched and fixed and picture is not None:
        refined = onto_edges(refiner, [refined], evidence, picture, rounds)[0]
    score = agreement(refiner, refined, evidence) + ncc
    if picture is not None and fixed:
        score += EDGE_SHARE * float(edge_scores(refiner, [refined], evidence, picture)[0])
    return Hypothesis(refined.camera_from_object, score, refined.iou, ncc, refined)


def _onto_texture(
    refiner: PoseRefiner, refined: Refined, evidence: Evidence, look: Look, rounds: int
) -> tuple[Refined, float, bool]:
    """The best of a pose and what texture makes of it, the correlation there, and whether there was any texture.

    Small or blurred texture is matched wrongly now and then: a pose that got worse is not taken.
    """
    best, matched = (refined, 0.0), False
    best_score = -np.inf
    for turn in range(rounds + 1):
        found = look.texture(refiner, refined)
        score = agreement(refiner, refined, evidence) + found.ncc
        if score > best_score:
            best, best_score = (refined, found.ncc), score
        if turn == rounds or found.matches is None or len(found.matches) < 6:
            break
        matched = True
        options = trusting_points(found.matches, RefineOptions(iterations=8))
        refined = refiner.refine(
            refined.camera_from_object, evidence, options, matches=found.matches, edges=found.edges
        )
    return *best, matched


def agreement(refiner: PoseRefiner, refined: Refined, evidence: Evidence) -> float:
    """Overlap of the outline, plus the share of depth that agrees where there is any."""
    if evidence.depth is None:
        return refined.iou
    return refined.iou + depth_agreement(refiner, refined, evidence)


def settle(refiner: PoseRefiner, found: Hypothesis, evidence: Evidence, picture: PictureEdges) -> Hypothesis:
    """The best of small turns about a pose, each pulled onto the picture's edges.

    A mask that leaks holds its pose off the edges it belongs on, farther than they reach.
    """
    starts = [replace(found.refined, camera_from_object=p) for p in kicked(found, refiner.center)]
    # Depth holds the distance, which edges alone leave loose: the mask, which may leak, can step back.
    options = _SETTLED if evidence.depth is None else _SETTLED_IN_DEPTH
    tried = onto_edges(refiner, [found.refined, *starts], evidence, picture, rounds=4, options=options)
    count = len(tried)
    tried += _without_sides(refiner, found.refined, evidence, picture, options)
    overlap = np.array([r.iou for r in tried])
    edges = edge_scores(refiner, tried, evidence, picture)
    if evidence.depth is None:
        best = int((edges + overlap)[:count].argmax())
        best = _leaked(refiner, tried, best, count, edges, overlap)
    else:
        best = _leaked_in_depth(refiner, tried, count, edges, overlap, evidence)
    best_pose = tried[best]
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
    fits &= (leaked > _LEAK_AREA[0]) & (leaked < _LEAK_AREA[1]) & (edges > edges[best] + _LEAK_EDGES)
    return int(np.where(fits, edges, -1.0).argmax()) if fits.any() else best


def _leaked_in_depth(
    refiner: PoseRefiner, tried: list[Refined], count: int, edges: Array, overlap: Array, evidence: Evidence
) -> int:
    """The best of all poses; those from ``count`` on leave out a side of the mask, as edges and depth must justify."""
    scores = edges + np.array([depth_agreement(refiner, r, evidence) for r in tried])
    best = int((scores + overlap)[:count].argmax())
    # A mask that leaks is overlapped best by a wrong pose: edges and depth must say so clearly.
    scores += _LEAKING_OVERLAP * overlap
    scores[:count] += _LEAK_GAIN
    other = count + int(scores[count:].argmax()) if len(tried) > count else best
    return other if scores[other] > scores[best] else best


def _without_sides(
    refiner: PoseRefiner, start: Refined, evidence: Evidence, picture: PictureEdges, options: RefineOptions
) -> list[Refined]:
    """The pose that each three sides of the mask and the edges make, the fourth left out, which may leak."""
    out = []
    for side in range(4):
        view = _without_side(evidence, side)
        if view is None:
            continue
        begun = refiner.refine(start.camera_from_object, view, RefineOptions(iterations=15))
        pulled = onto_edges(refiner, [begun], view, picture, rounds=4, options=options)[0]
        rendered = refiner.rasterizer.render(pulled.camera_from_object[None], view.camera.K, *view.size[::-1])
        out.append(replace(pulled, iou=visible_iou(rendered.mask[0], evidence)))
    return out


def _without_side(evidence: Evidence, side: int) -> Evidence | None:
    """The evidence with a band along one side of the mask not trusted; None without a mask."""
    box = mask_box(evidence.mask)
    if box is None:
        return None
    h, w = evidence.size
    # In units of the mask's box, so that its four sides get equal shares.
    middle, extent = 0.5 * (box[:2] + box[2:]), np.maximum(box[2:] - box[:2], 1.0)
    x, y = (np.arange(w) - middle[0]) / extent[0], ((np.arange(h) - middle[1]) / extent[1])[:, None]
    away = (np.arctan2(y, x) - 0.5 * np.pi * side + np.pi) % (2 * np.pi) - np.pi
    near = evidence.near_unknown | ((np.abs(away) < _SIDE) & (np.abs(evidence.sdf) < _BAND))
    ex, ey = evidence.edge.astype(int).T
    kept = ~near[ey, ex]
    return replace(
        evidence, near_unknown=near, edge=evidence.edge[kept], edge_normal=evidence.edge_normal[kept]
    )


def onto_edges(
    refiner: PoseRefiner,
    refined: list[Refined],
    evidence: Evidence,
    picture: PictureEdges,
    rounds: int = 2,
    weight: float = 0.6,
    options: RefineOptions | None = None,
) -> list[Refined]:
    """Pull outline and creases of poses onto edges of the picture; the mask keeps its say."""
    options = options or replace(_SETTLED, edge_weight=weight)
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


def depth_agreement(refiner: PoseRefiner, refined: Refined, view: Evidence) -> float:
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
    tolerance = 0.05 * refiner.rasterizer.mesh.radius * float(refined.stretch.mean())
    off = (drawn[0][measured] - view.depth[measured]) / tolerance
    return float(np.mean(np.where(drawn[0][measured] > 0, 1.0 / (1.0 + off * off), 0.0)))


def edge_scores(refiner: PoseRefiner, refined: list[Refined], view: Evidence, picture: PictureEdges) -> Array:
    """(B,) how much of the edges of each pose the picture shows."""
    if any((r.stretch != 1.0).any() for r in refined):
        return np.zeros(len(refined))
    mesh = refiner.rasterizer
    return np.array(
        [edge_score(model_edges(mesh, r.camera_from_object, view.camera, view), picture) for r in refined]
    )


def kicked(best: Hypothesis, center: Array) -> list[Array]:
    """Small turns of the best pose: one face seen nearly front on looks the same from either side of the truth."""
    pose = best.camera_from_object
    middle = pose[:3, :3] @ center + pose[:3, 3]
    turns = np.concatenate([np.zeros((6, 3)), KICK * np.concatenate([np.eye(3), -np.eye(3)])], 1)
    return [apply_increment(turn, pose, middle) for turn in turns]
