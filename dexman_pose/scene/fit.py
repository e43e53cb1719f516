"""The plane that agrees best with all evidence at once, and its covariance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.scene.candidates import Candidate
from dexman_pose.scene.evidence import Evidence, PlaneVote, Rest
from dexman_pose.scene.options import FitOptions


@dataclass(frozen=True)
class PlaneFit:
    """A plane ``normal @ x + offset = 0``.

    Attributes:
        normal: (3,) unit, upwards.
        offset: metres.
        covariance: (4, 4) of both.
        rests: objects at rest on it.
        votes: planes that were seen and agree with it.
    """

    normal: Array
    offset: float
    covariance: Array
    rests: tuple[Rest, ...]
    votes: tuple[PlaneVote, ...]


def fit_plane(start: Candidate, evidence: Evidence, options: FitOptions | None = None) -> PlaneFit | None:
    """Fit a plane to everything that agrees with a candidate.

    Reweighted least squares (Cauchy's weights) over tilt and height: an object at rest gives the normal of the face it
    stands on and the height of its lowest point, a plane that was seen gives both. Rests of one object err alike: each
    counts less the more there are. The covariance is that of the weighted residuals, not smaller than their scatter
    says.

    Args:
        start: the plane to begin with.
        evidence: what is fitted to; what disagrees by more than ``outlier`` standard deviations is left out.
        options: of the fit.

    Returns:
        The plane; None where nothing agrees with it.
    """
    o = options or FitOptions()
    normal, offset = start.normal, start.offset
    rests = [r for r in evidence.rests if _agrees(r, normal, offset, o)]
    votes = [v for v in evidence.votes if _vote_agrees(v, normal, offset, o)]
    if not rests and not votes:
        return None
    alike = _alike(rests, o.alike)
    # Heights are those at the middle of the evidence: there they depend little on the tilt.
    middle = np.mean([*(r.lowest(normal) for r in rests), *(v.point for v in votes)], axis=0)
    height = float(normal @ middle + offset)
    for _ in range(o.rounds):
        axes = _across(normal)
        residuals, rows = _linearised(normal, height, axes, middle, rests, votes, alike)
        weight = 1 / (1 + (residuals / o.knee) ** 2)
        information = (rows * weight[:, None]).T @ rows
        step = -np.linalg.solve(information, (rows * weight[:, None]).T @ residuals)
        normal = normal + step[:2] @ axes
        normal /= np.linalg.norm(normal)
        height += float(step[2])
    scatter = float((weight * residuals**2).sum()) / max(len(residuals) - 3, 1)
    inner = np.linalg.inv(information) * max(scatter, 1.0)
    # normal = normal + axes^T tilt; offset = height - normal @ middle
    spread = np.zeros((4, 3))
    spread[:3, :2] = axes.T
    spread[3] = [-float(axes[0] @ middle), -float(axes[1] @ middle), 1.0]
    return PlaneFit(
        normal, height - float(normal @ middle), spread @ inner @ spread.T, tuple(rests), tuple(votes)
    )


def _linearised(
    normal: Array,
    height: float,
    axes: Array,
    middle: Array,
    rests: list[Rest],
    votes: list[PlaneVote],
    alike: list[float],
) -> tuple[Array, Array]:
    """Residuals (M,) in standard deviations, and their derivatives (M, 3) by two tilts and the height.

    ``alike`` are factors on the standard deviations of the rests.
    """
    residuals: list[float] = []
    rows: list[list[float]] = []
    for toward, sigma, point, place in [
        *(
            (_face(r, normal), f * _face_sigma(r, normal), r.lowest(normal), f * r.place_sigma(normal))
            for r, f in zip(rests, alike)
        ),
        *((v.normal, v.sigma, v.point, v.place) for v in votes),
    ]:
        arm = axes @ (point - middle)
        residuals += [*(-(axes @ toward) / sigma), float(normal @ (point - middle) + height) / place]
        rows += [[1 / sigma, 0.0, 0.0], [0.0, 1 / sigma, 0.0], [arm[0] / place, arm[1] / place, 1 / place]]
    return np.array(residuals), np.array(rows)


def _alike(rests: list[Rest], share: float) -> list[float]:
    """Factor on the standard deviations of each rest, by how many of the same object there are."""
    counts = Counter(rest.name for rest in rests)
    return [float(np.sqrt(1 + share * (counts[rest.name] - 1))) for rest in rests]


def _face_index(rest: Rest, normal: Array) -> int:
    return int(np.argmin(np.arccos(np.clip(rest.up @ normal, -1, 1)) / rest.up_sigma))


def _face(rest: Rest, normal: Array) -> Array:
    out: Array = rest.up[_face_index(rest, normal)]
    return out


def _face_sigma(rest: Rest, normal: Array) -> float:
    return float(rest.up_sigma[_face_index(rest, normal)])


def _agrees(rest: Rest, normal: Array, offset: float, o: FitOptions) -> bool:
    angle = float(np.arccos(np.clip(_face(rest, normal) @ normal, -1, 1)))
    off = abs(float(rest.lowest(normal) @ normal + offset))
    return angle < o.outlier * _face_sigma(rest, normal) and off < o.outlier * rest.place_sigma(normal)


def _vote_agrees(vote: PlaneVote, normal: Array, offset: float, o: FitOptions) -> bool:
    angle = float(np.arccos(np.clip(vote.normal @ normal, -1, 1)))
    most = o.outlier if vote.strong else o.knee
    return angle < most * vote.sigma and abs(float(vote.point @ normal + offset)) < most * vote.place


def _across(normal: Array) -> Array:
    """(2, 3) unit vectors across a normal and each other."""
    x = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(normal, x)])
