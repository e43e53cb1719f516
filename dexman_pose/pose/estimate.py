"""The estimate of a pose: score, scale, uncertainty, observable directions, alternatives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined


@dataclass(frozen=True)
class UncertaintyOptions:
    """Which directions a picture fixed. Chosen on rendered scenes.

    Attributes:
        vague: share of the radius; a direction counts as observed when its standard deviation is below it ...
        vague_turn: ... or below this in radians: the rough edges of pixels alone seem to fix a ball's rotation to 0.07.
        prior: information of a prior, hundred radii and hundred turns wide, that keeps what nothing fixed finite.
    """

    vague: float = 0.15
    vague_turn: float = 0.03
    prior: float = 1e-4


_UNCERTAINTY = UncertaintyOptions()


@dataclass(frozen=True)
class PoseEstimate:
    """A pose and how far it can be trusted.

    Attributes:
        camera_from_object: (4, 4), metres; of the mesh multiplied by ``scale`` (``mesh.scaled(estimate.scale)``), or by
            ``axis_scales`` along its axes.
        score: higher is better; outline overlap plus, where there is any, depth agreement and colour correlation; of a
            mesh without colours, without depth, also how well the picture shows its outline. Comparable between poses
            of one picture, not between meshes.
        mask_iou: overlap of the rendered outline with the mask, in [0, 1].
        converged: whether the refinement came to rest.
        covariance: (6, 6) of the twist (v, w) about the object's centre, camera axes, metres and radians, from what was
            seen alone. Along a direction that nothing fixed it is huge, not infinite.
        observable: (6,) bool, whether the picture fixed each of ``directions``.
        directions: (6, 6), column i is a twist (v in object radii, w in fifths of a radian) of unit length; best fixed
            first.
        scale: factor on the mesh; geometric mean of ``axis_scales``.
        axis_scales: (3,) factors along the mesh's own axes.
        scale_source: ``given`` when the mesh's size was taken as it is, ``guessed`` when it rests on a unit that nobody
            stated, ``depth`` when depth fixed it, ``unknown`` when nothing did: then distance and size are right up to
            one common factor.
        margin: score minus that of the best alternative; 0 without one.
        alternatives: other poses that explain the picture, best first; none is a symmetric equivalent of another.
        valid: the pose is to be used; always False for alternatives.
        doubts: what speaks against it, in the terms of :mod:`~dexman_pose.pose.search.verdict`; a valid pose may have
            the one that doubts the mask.
    """

    camera_from_object: Array
    score: float
    mask_iou: float
    converged: bool
    covariance: Array
    observable: NDArray[np.bool_] = field(default_factory=lambda: np.ones(POSE_SIZE, bool))
    directions: Array = field(default_factory=lambda: np.eye(POSE_SIZE))
    scale: float = 1.0
    axis_scales: Array = field(default_factory=lambda: np.ones(3))
    scale_source: ScaleSource = "given"
    margin: float = 0.0
    alternatives: list[PoseEstimate] = field(default_factory=list)
    valid: bool = False
    doubts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        x, y, z = self.camera_from_object[:3, 3]
        may = "valid" if self.valid else "not valid"
        why = f" ({', '.join(self.doubts)})" if self.doubts else ""
        size = f", scale {self.scale:.4g} ({self.scale_source})"
        at = f"at ({x:.4g}, {y:.4g}, {z:.4g}) m, score {self.score:.3g}, mask_iou {self.mask_iou:.3g}"
        return f"PoseEstimate({may}{why}, {at}{size}, {len(self.alternatives)} alternatives)"

    def with_mesh_scaled(self, factor: float) -> PoseEstimate:
        """The same estimate, told of the mesh before it was multiplied by ``factor``."""
        return replace(self, scale=factor * self.scale, axis_scales=factor * self.axis_scales)


def estimate_of(refiner: PoseRefiner, refined: Refined, score: float, source: ScaleSource) -> PoseEstimate:
    """The public estimate of a refinement."""
    covariance, observable, directions = uncertainty(refined, refiner.rasterizer.mesh.radius)
    pose = refined.camera_from_object.copy()
    # The solver stretches about the mesh's centre, a user scales about its origin.
    pose[:3, 3] += pose[:3, :3] @ (refiner.center - refined.stretch * refiner.center)
    return PoseEstimate(
        camera_from_object=pose,
        score=score,
        mask_iou=refined.iou,
        converged=refined.converged,
        covariance=covariance,
        observable=observable,
        directions=directions,
        scale=float(np.exp(np.log(refined.stretch).mean())),
        axis_scales=refined.stretch,
        scale_source=source,
    )


def ranked(estimates: list[PoseEstimate]) -> PoseEstimate:
    """The first estimate with the others as its alternatives."""
    best, others = estimates[0], estimates[1:]
    margin = best.score - others[0].score if others else 0.0
    return replace(best, alternatives=others, margin=margin)


def uncertainty(
    refined: Refined, radius: float, options: UncertaintyOptions = _UNCERTAINTY
) -> tuple[Array, NDArray[np.bool_], Array]:
    """Covariance (6, 6) of the twist, which directions were observed (6,), and the directions (6, 6) in columns."""
    n = len(refined.evidence)
    units = np.concatenate(
        [np.full(3, radius), np.full(3, options.vague_turn / options.vague), np.ones(n - POSE_SIZE)]
    )
    information = refined.evidence * np.outer(units, units) + options.prior * np.eye(n)
    marginal = np.linalg.inv(information)[:POSE_SIZE, :POSE_SIZE]
    values, vectors = np.linalg.eigh(marginal)
    covariance = marginal * np.outer(units[:POSE_SIZE], units[:POSE_SIZE])
    observed = np.sqrt(np.maximum(values, 0.0)) < options.vague
    return np.asarray(covariance), np.asarray(observed), np.asarray(vectors)
