"""Pose from one picture with no prior: render many viewpoints small, score them all, refine the best."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import EstimationError
from dexman_pose.geometry import rotation_angle
from dexman_pose.pose.appearance import fit_texture, texture_evidence
from dexman_pose.pose.evidence import Evidence, crop_box, gather, mask_box
from dexman_pose.pose.refine import PoseRefiner, Refined, apply_increment
from dexman_pose.pose.residuals import EdgeMatches, RefineOptions, trusting_points
from dexman_pose.pose.viewpoints import extreme_points, poses_on_box, ray_rotation, rotation_grid
from dexman_pose.render import Rasterizer

Array = NDArray[np.float64]

_KICK = np.deg2rad(5.0)


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


def _score_batch(
    refiner: PoseRefiner, poses: Array, evidence: Evidence, colors: NDArray[np.float32] | None, colored: bool
) -> Array:
    """(B,) overlap with the mask plus colour correlation, for poses rendered into the small crop."""
    h, w = evidence.size
    scores = np.empty(len(poses))
    wanted = ("depth", "color") if colored else ("depth",)
    known = ~evidence.unknown
    mask = evidence.mask
    for start in range(0, len(poses), 256):
        part = poses[start : start + 256]
        picture = refiner.rasterizer.render(part, evidence.camera.K, w, h, attributes=wanted)
        drawn = picture.mask
        hit = (drawn & mask).sum((1, 2))
        union = ((drawn | mask) & known).sum((1, 2))
        score = hit / np.maximum(union, 1)
        if colored and colors is not None:
            both = (drawn & mask)[..., None]
            count = np.maximum(both.sum((1, 2)), 1)
            a = np.asarray(picture.color, np.float32)
            a = (a - (a * both).sum((1, 2))[:, None, None] / count[:, None, None]) * both
            b = colors[None] * both
            b = (b - b.sum((1, 2))[:, None, None] / count[:, None, None]) * both
            scale = np.sqrt((a * a).sum((1, 2, 3)) * (b * b).sum((1, 2, 3)))
            score = score + (a * b).sum((1, 2, 3)) / np.maximum(scale, 1e-6)
        scores[start : start + len(part)] = score
    return scores


def _distinct(poses: Array, scores: Array, count: int, angle: float) -> list[int]:
    """Indices of the best poses that differ from each other by at least ``angle`` radians."""
    kept: list[int] = []
    for i in np.argsort(-scores):
        if len(kept) == count:
            break
        others = poses[kept][:, :3, :3]
        if not kept or rotation_angle(np.swapaxes(others, -1, -2) @ poses[i, :3, :3]).min() > angle:
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
    keep: int = 24,
    count: int = 5,
) -> list[Hypothesis]:
    """Ranked pose hypotheses of one object in one picture, best first.

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

    Raises:
        EstimationError: the mask is empty.
    """
    box = mask_box(labels == label)
    if box is None:
        raise EstimationError(
            "pose search needs a mask with at least one pixel, but the object's mask is empty"
        )
    colored = has_color(refiner)
    if rotations is None:
        ray = camera.unproject(0.5 * (box[:2] + box[2:]), np.array(1.0))
        rotations = ray_rotation(ray) @ rotation_grid(140 if colored else 100, 16 if colored else 12)
    vertices = refiner.rasterizer.mesh.vertices
    poses = poses_on_box(rotations, extreme_points(vertices), box, camera)
    evidence = gather(labels, label, camera, crop_box([box], 0.1), depth=depth, max_side=56)
    small = crop_like(image, evidence)
    scores = _score_batch(refiner, poses, evidence, small, colored)
    fine = gather(labels, label, camera, crop_box([box], 0.25), depth=depth)
    options = RefineOptions(iterations=15, silhouette_sigma=2.0)
    hypotheses = []
    for i in _distinct(poses, scores, keep, np.deg2rad(12)):
        refined = refiner.refine(poses[i], fine, options)
        hypotheses.append(polish(refiner, refined, fine, image, labels, label, camera, colored))
    hypotheses.sort(key=lambda h: -h.score)
    if colored:
        for pose in _kicked(hypotheses[0], refiner.center):
            refined = refiner.refine(pose, fine, RefineOptions(iterations=4, silhouette_weight=0.05))
            hypotheses.append(polish(refiner, refined, fine, image, labels, label, camera, colored))
        hypotheses.sort(key=lambda h: -h.score)
    order = _distinct(
        np.stack([h.camera_from_object for h in hypotheses]),
        np.array([h.score for h in hypotheses]),
        count,
        np.deg2rad(8),
    )
    return [hypotheses[i] for i in order]


def polish(
    refiner: PoseRefiner,
    refined: Refined,
    evidence: Evidence,
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    label: int,
    camera: Camera,
    colored: bool,
    rounds: int = 2,
) -> Hypothesis:
    """Alternate texture matches and refinement on one hypothesis, then score it."""
    ncc = 0.0
    for _ in range(rounds if colored else 0):
        found = texture_evidence(refiner.rasterizer, refined.camera_from_object, image, camera, labels, label)
        matches, ncc = found.matches, found.ncc
        if matches is None or len(matches) < 6:
            break
        options = trusting_points(matches, RefineOptions(iterations=8))
        refined = refiner.refine(
            refined.camera_from_object, evidence, options, matches=matches, edges=found.edges
        )
    score = refined.iou
    if colored:
        found = texture_evidence(refiner.rasterizer, refined.camera_from_object, image, camera, labels, label)
        ncc = found.ncc
        score += ncc + 0.5 * _edge_support(found.edges, refined.camera_from_object, camera)
    return Hypothesis(refined.camera_from_object, score, refined.iou, ncc, refined)


def _edge_support(edges: EdgeMatches | None, pose: Array, camera: Camera) -> float:
    """Share of outline points that lie on an edge of the picture, within 1.5 pixels."""
    if edges is None:
        return 0.0
    pixels = camera.project(edges.points @ pose[:3, :3].T + pose[:3, 3])
    return float(np.mean(np.abs(np.einsum("ni,ni->n", edges.normal, pixels - edges.pixels)) < 1.5))


def _kicked(best: Hypothesis, center: Array) -> list[Array]:
    """Small turns of the best pose: one face seen nearly front on looks the same from either side of the truth."""
    pose = best.camera_from_object
    middle = pose[:3, :3] @ center + pose[:3, 3]
    turns = np.concatenate([np.zeros((6, 3)), _KICK * np.concatenate([np.eye(3), -np.eye(3)])], 1)
    return [apply_increment(turn, pose, middle) for turn in turns]


def refiner_for(mesh: Mesh, mask: NDArray[np.bool_] | None = None) -> PoseRefiner:
    """A refiner of a mesh, its texture reduced to the size at which a mask (H, W) shows the object."""
    box = None if mask is None else mask_box(mask)
    if box is not None:
        mesh = fit_texture(mesh, float((box[2:] - box[:2]).max()) + 1.0)
    return PoseRefiner(Rasterizer(mesh), mesh.center)


def has_color(refiner: PoseRefiner) -> bool:
    """Whether the mesh has a texture or vertex colours that vary."""
    mesh = refiner.rasterizer.mesh
    if mesh.texture is not None:
        return bool(mesh.texture[::8, ::8].reshape(-1, 3).std(0).max() > 4.0)
    return mesh.vertex_colors is not None and bool(mesh.vertex_colors.std(0).max() > 4.0)


def crop_like(image: NDArray[np.uint8], evidence: Evidence) -> NDArray[np.float32]:
    """The picture in the crop of ``evidence``, (h, w, 3) float32 in 0..1."""
    h, w = evidence.size
    (x0, y0), (sx, sy) = evidence.origin, evidence.factors
    matrix = np.array([[sx, 0, (0.5 - x0) * sx - 0.5], [0, sy, (0.5 - y0) * sy - 0.5]])
    blurred = cv2.GaussianBlur(image, (0, 0), 0.35 / sx) if sx < 0.7 else image
    out = cv2.warpAffine(blurred, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out.astype(np.float32) / 255.0
