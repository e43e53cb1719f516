"""Pose from one picture with no prior: render many viewpoints small, score them all, refine the best."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import EstimationError
from dexman_pose.geometry import rotation_angle
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.appearance import TextureEvidence, fit_texture, texture_evidence
from dexman_pose.pose.creases import PictureEdges, edge_score, match_edges, model_edges, picture_edges
from dexman_pose.pose.evidence import MAX_SIDE, Evidence, crop_box, gather, mask_box
from dexman_pose.pose.occlusion import is_cut
from dexman_pose.pose.refine import PoseRefiner, Refined, apply_increment
from dexman_pose.pose.residuals import RefineOptions, trusting_points
from dexman_pose.pose.solver import Problem
from dexman_pose.pose.viewpoints import (
    extreme_points,
    poses_on_box,
    poses_on_part,
    ray_rotation,
    rotation_grid,
)
from dexman_pose.render import Rasterizer

Array = NDArray[np.float64]

_KICK = np.deg2rad(5.0)
_COARSE_SIDE, _ROUGH_SIDE = 48, 96
"""Longest sides in pixels of the crops of the first and second stage."""
_FINE = 8
"""Hypotheses refined in full size."""
_PLAIN = 16.0
"""Grey levels of spread up to which colours are one colour with its shading baked in."""
_EDGE_SHARE = 0.25
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
            refiner.rasterizer, refined.camera_from_object, self.image, self.camera, self.labels, self.label
        )


def _distinct(
    poses: Array, scores: Array, count: int, angle: float, symmetry: SymmetryGroup | None = None
) -> list[int]:
    """Indices of the best poses that differ from each other by at least ``angle`` radians, twins left out."""
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if len(kept) == count:
            break
        if not kept:
            kept.append(int(i))
            continue
        others = poses[kept]
        if symmetry is None or symmetry.is_trivial:
            apart = rotation_angle(np.swapaxes(others[:, :3, :3], -1, -2) @ poses[i, :3, :3])
        else:
            apart = symmetry.rotation_error(np.broadcast_to(poses[i], others.shape), others)
        if apart.min() > angle:
            kept.append(int(i))
    return kept


def search_pose(
    refiner: PoseRefiner,
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    label: int,
    camera: Camera,
    *,
    depth: NDArray[np.float32] | None = None,
    rotations: Array | None = None,
    keep: int = 40,
    count: int = 5,
    scales: int = 0,
    symmetry: SymmetryGroup | None = None,
) -> list[Hypothesis]:
    """Ranked pose hypotheses of one object in one picture, best first.

    Thousands of poses that cover the mask are rendered small and scored; the best that differ are refined together,
    the best of these once more in full size, with texture where the mesh has any.

    Args:
        refiner: holds the mesh.
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 label image.
        label: the object's value in it.
        camera: intrinsics.
        depth: (H, W) metres, 0 where not measured.
        rotations: (B, 3, 3) camera from object; the default covers all rotations.
        keep: hypotheses refined after the coarse scoring.
        count: hypotheses returned.
        scales: unknown factors of the mesh: 0, 1, or 3 along its axes; found from depth.
        symmetry: of the mesh; no two hypotheses returned are twins.

    Raises:
        EstimationError: the mask is empty.
    """
    box = mask_box(labels == label)
    if box is None:
        raise EstimationError(
            "pose search needs a mask with at least one pixel, but the object's mask is empty"
        )
    look = Look(image, labels, label, camera, depth, box)
    colored = has_color(refiner)
    problems = _coarse(refiner, look, rotations, keep, colored, scales, symmetry)
    rough = look.evidence(0.25, _ROUGH_SIDE)
    first = refiner.refine_all(
        problems, [rough], RefineOptions(iterations=10, silhouette_sigma=2.0), scales=scales
    )
    scores = _scores(refiner, first, rough, look, colored and scales == 0)
    chosen = _distinct(_poses(first), scores, max(count, _FINE), np.deg2rad(8), symmetry)
    fine = look.evidence(0.25)
    again = [Problem(first[i].camera_from_object, stretch=first[i].stretch) for i in chosen]
    refined = refiner.refine_all(again, [fine], RefineOptions(iterations=15), scales=scales)
    edges = picture_edges(crop_like(look.image, fine))
    hypotheses = [polish(refiner, r, fine, look, colored and scales == 0, edges) for r in refined]
    hypotheses.sort(key=lambda h: -h.score)
    if colored and scales == 0:
        kicked = [Problem(p) for p in _kicked(hypotheses[0], refiner.center)]
        options = RefineOptions(iterations=4, silhouette_weight=0.05)
        more = refiner.refine_all(kicked, [fine], options)
        hypotheses += [polish(refiner, r, fine, look, colored, edges) for r in more]
        hypotheses.sort(key=lambda h: -h.score)
    if not colored and scales == 0:
        hypotheses[0] = settle(refiner, hypotheses[0], fine, edges)
    poses = np.stack([h.camera_from_object for h in hypotheses])
    ranks = np.array([h.score for h in hypotheses])
    return [hypotheses[i] for i in _distinct(poses, ranks, count, np.deg2rad(8), symmetry)]


def _coarse(
    refiner: PoseRefiner,
    look: Look,
    rotations: Array | None,
    keep: int,
    colored: bool,
    scales: int,
    symmetry: SymmetryGroup | None,
) -> list[Problem]:
    """The most promising of thousands of poses that cover the mask."""
    if rotations is None:
        ray = look.camera.unproject(0.5 * (look.box[:2] + look.box[2:]), np.array(1.0))
        rotations = ray_rotation(ray) @ rotation_grid(*((140, 16) if colored else (130, 16)))
    mesh = refiner.rasterizer.mesh
    extremes = extreme_points(mesh.vertices)
    poses = poses_on_box(rotations, extremes, look.box, look.camera)
    if is_cut(look.labels, look.label):
        poses = np.concatenate([poses, poses_on_part(rotations, extremes, look.box, look.camera)])
    small = look.evidence(0.6 if len(poses) > len(rotations) else 0.1, _COARSE_SIDE)
    picture = crop_like(look.image, small) if colored else None
    found = refiner.coarse(colored).score(poses, small, picture=picture, tolerance=0.05 * mesh.radius)
    chosen = _distinct(poses, found.total, keep, np.deg2rad(12), symmetry)
    out = []
    for i in chosen:
        pose, ratio = poses[i].copy(), float(np.clip(found.depth_ratio[i], 0.05, 20.0))
        center = refiner.camera_center(pose)
        pose[:3, 3] += (ratio - 1.0) * center
        out.append(Problem(pose, stretch=np.full(3, ratio if scales else 1.0)))
    return out


def _scores(refiner: PoseRefiner, refined: list[Refined], view: Evidence, look: Look, colored: bool) -> Array:
    """(B,) how well refined poses explain outline, depth and colours."""
    scores = np.array([r.iou for r in refined])
    if view.depth is not None:
        scores = scores + np.array([depth_agreement(refiner, r, view) for r in refined])
    picture = crop_like(look.image, view)
    scores = scores + _EDGE_SHARE * _edge_scores(refiner, refined, view, picture_edges(picture))
    if colored:
        scores = scores + refiner.coarse(True).score(_poses(refined), view, picture=picture).correlation
    return scores


def _edge_scores(
    refiner: PoseRefiner, refined: list[Refined], view: Evidence, picture: PictureEdges
) -> Array:
    """(B,) how much of the edges of each pose the picture shows."""
    if any((r.stretch != 1.0).any() for r in refined):
        return np.zeros(len(refined))
    mesh = refiner.rasterizer
    return np.array(
        [edge_score(model_edges(mesh, r.camera_from_object, view.camera, view), picture) for r in refined]
    )


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


def _poses(refined: list[Refined]) -> Array:
    return np.stack([r.camera_from_object for r in refined])


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
    ncc, matched = 0.0, False
    for _ in range(rounds if colored else 0):
        found = look.texture(refiner, refined)
        matches, ncc = found.matches, found.ncc
        if matches is None or len(matches) < 6:
            break
        matched = True
        options = trusting_points(matches, RefineOptions(iterations=8))
        refined = refiner.refine(
            refined.camera_from_object, evidence, options, matches=matches, edges=found.edges
        )
    if not matched and fixed and picture is not None:
        refined = onto_edges(refiner, [refined], evidence, picture, rounds)[0]
    score = refined.iou
    if evidence.depth is not None:
        score += depth_agreement(refiner, refined, evidence)
    if picture is not None and fixed:
        score += _EDGE_SHARE * float(_edge_scores(refiner, [refined], evidence, picture)[0])
    if colored:
        ncc = look.texture(refiner, refined).ncc
        score += ncc
    return Hypothesis(refined.camera_from_object, score, refined.iou, ncc, refined)


def settle(refiner: PoseRefiner, found: Hypothesis, evidence: Evidence, picture: PictureEdges) -> Hypothesis:
    """The best of small turns about a pose, each pulled onto the picture's edges.

    A mask that leaks holds its pose off the edges it belongs on, farther than they reach.
    """
    starts = [replace(found.refined, camera_from_object=p) for p in _kicked(found, refiner.center)]
    tried = onto_edges(refiner, [found.refined, *starts], evidence, picture, rounds=4)
    scores = np.array([r.iou for r in tried]) + _edge_scores(refiner, tried, evidence, picture)
    if evidence.depth is not None:
        scores = scores + np.array([depth_agreement(refiner, r, evidence) for r in tried])
    best = tried[int(scores.argmax())]
    return replace(found, camera_from_object=best.camera_from_object, refined=best)


def onto_edges(
    refiner: PoseRefiner,
    refined: list[Refined],
    evidence: Evidence,
    picture: PictureEdges,
    rounds: int = 2,
    weight: float = 0.6,
) -> list[Refined]:
    """Pull outline and creases of poses onto edges of the picture; the mask keeps its say."""
    options = RefineOptions(iterations=8, silhouette_reach=3.0, edge_weight=weight)
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


def _kicked(best: Hypothesis, center: Array) -> list[Array]:
    """Small turns of the best pose: one face seen nearly front on looks the same from either side of the truth."""
    pose = best.camera_from_object
    middle = pose[:3, :3] @ center + pose[:3, 3]
    turns = np.concatenate([np.zeros((6, 3)), _KICK * np.concatenate([np.eye(3), -np.eye(3)])], 1)
    return [apply_increment(turn, pose, middle) for turn in turns]


def refiner_for(mesh: Mesh, mask: NDArray[np.bool_] | None = None, device: str = "cpu") -> PoseRefiner:
    """A refiner of a mesh, its texture reduced to the size at which a mask (H, W) shows the object."""
    box = None if mask is None else mask_box(mask)
    if box is not None:
        mesh = fit_texture(mesh, float((box[2:] - box[:2]).max()) + 1.0)
    return PoseRefiner(Rasterizer(mesh, device), mesh.center)


def has_color(refiner: PoseRefiner) -> bool:
    """Whether the mesh's colours say more than its shading does."""
    mesh = refiner.rasterizer.mesh
    if mesh.texture is not None:
        return bool(mesh.texture[::8, ::8].reshape(-1, 3).std(0).max() > _PLAIN)
    return mesh.vertex_colors is not None and bool(mesh.vertex_colors.std(0).max() > _PLAIN)


def crop_like(image: NDArray[np.uint8], evidence: Evidence) -> NDArray[np.float32]:
    """The picture in the crop of ``evidence``, (h, w, 3) float32 in 0..1."""
    h, w = evidence.size
    (x0, y0), (sx, sy) = evidence.origin, evidence.factors
    matrix = np.array([[sx, 0, (0.5 - x0) * sx - 0.5], [0, sy, (0.5 - y0) * sy - 0.5]])
    blurred = cv2.GaussianBlur(image, (0, 0), 0.35 / sx) if sx < 0.7 else image
    out = cv2.warpAffine(blurred, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out.astype(np.float32) / 255.0
