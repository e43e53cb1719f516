"""Planes that may be the table, and how well each explains a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.scene.evidence import Above, Evidence, PlaneVote, Rest
from dexman_pose.scene.options import FitOptions, PriorOptions, SceneOptions

_HALF_SPHERE = 2 * np.pi
_ROOM = 1.0
"""Metres over which the place of what does not stand on the table is spread."""


@dataclass(frozen=True)
class Candidate:
    """A plane ``normal @ x + offset = 0``, normal upwards, and the logarithm of its probability, up to a constant."""

    normal: Array
    offset: float
    score: float


def ranked_candidates(evidence: Evidence, options: SceneOptions | None = None) -> list[Candidate]:
    """Score the plane under every face of every object at rest, and every plane that was seen; the best first.

    A clip is explained by a plane on which things at rest stand with one of their faces, that agrees with planes that
    were seen, under which nothing ever lies, over which what is moved is lifted, and which a camera that is not
    rolled looks down on.
    """
    o = options or SceneOptions()
    planes = [
        (up, -float(up @ rest.lowest(up)), rest.share[k])
        for rest in evidence.rests
        for k, up in enumerate(rest.up)
    ]
    planes += [(vote.normal, -float(vote.normal @ vote.point), 1.0) for vote in evidence.votes]
    out = [
        Candidate(normal, offset, score_plane(normal, offset, evidence, o))
        for normal, offset, _ in planes
        if offset > o.priors.nearest and normal[1] < o.priors.upright
    ]
    return sorted(out, key=lambda c: -c.score)


def distinct(candidates: list[Candidate], options: FitOptions | None = None) -> list[tuple[Candidate, float]]:
    """Candidates that differ, the best first, each with its probability among them."""
    o = options or FitOptions()
    kept: list[Candidate] = []
    for candidate in candidates:
        if all(float(candidate.normal @ other.normal) < np.cos(o.same) for other in kept):
            kept.append(candidate)
    if not kept:
        return []
    weights = np.exp([c.score - kept[0].score for c in kept])
    return [(c, float(w / weights.sum())) for c, w in zip(kept, weights)]


def score_plane(
    normal: Array, offset: float, evidence: Evidence, options: SceneOptions | None = None
) -> float:
    """Logarithm of a plane's probability, up to a constant."""
    o = options or SceneOptions()
    score = _camera(normal, o.priors)
    score += sum(_rest(normal, offset, rest) for rest in evidence.rests)
    score += sum(_vote(normal, offset, vote) for vote in evidence.votes)
    return score + sum(_above(normal, offset, thing, o.priors) for thing in evidence.above)


def _camera(normal: Array, o: PriorOptions) -> float:
    elevation = float(np.arcsin(np.clip(-normal[2], -1, 1)))
    off = (elevation - o.elevation) / o.elevation_sigma
    return -0.5 * float((normal[0] / o.roll) ** 2 + off**2)


def _rest(normal: Array, offset: float, rest: Rest) -> float:
    angle = np.arccos(np.clip(rest.up @ normal, -1, 1))
    turn = float(
        (rest.share * np.exp(-0.5 * (angle / rest.up_sigma) ** 2) / (2 * np.pi * rest.up_sigma**2)).sum()
    )
    sigma = rest.place_sigma(normal)
    off = float(rest.lowest(normal) @ normal + offset) / sigma
    place = float(np.exp(-0.5 * off**2) / (np.sqrt(2 * np.pi) * sigma))
    return float(np.log((1 - rest.wrong) * turn * place + rest.wrong / (_HALF_SPHERE * _ROOM)))


def _vote(normal: Array, offset: float, vote: PlaneVote) -> float:
    angle = float(np.arccos(np.clip(vote.normal @ normal, -1, 1)))
    turn = float(np.exp(-0.5 * (angle / vote.sigma) ** 2) / (2 * np.pi * vote.sigma**2))
    off = float(vote.point @ normal + offset) / vote.place
    place = float(np.exp(-0.5 * off**2) / (np.sqrt(2 * np.pi) * vote.place))
    return float(np.log((1 - vote.wrong) * turn * place + vote.wrong / (_HALF_SPHERE * _ROOM)))


def _above(normal: Array, offset: float, thing: Above, o: PriorOptions) -> float:
    heights = thing.points @ normal + offset
    low = heights.min(1)
    points = np.take_along_axis(thing.points, heights.argmin(1)[:, None, None], 1)[:, 0]
    distance = np.linalg.norm(points, axis=1)
    sigma = np.hypot(points @ normal / distance * thing.along * distance, thing.lateral)
    skin = 0.0 if thing.handled else o.skin
    deep = float(np.quantile(np.maximum(skin - low, 0) / sigma, o.quantile))
    score = -0.5 * min(deep, thing.deepest) ** 2
    if thing.handled:
        middles = thing.points.mean(1)
        if float(np.linalg.norm(middles - middles[0], axis=1).max()) > o.moved:
            gain = float(np.quantile(low, o.quantile) - np.quantile(low, 1 - o.quantile))
            score -= o.not_lifted * float(np.clip(1 - gain / o.lifted, 0, 1))
    return score
