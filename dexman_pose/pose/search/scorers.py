"""What ranks candidate poses: a list of scorers with one protocol, each of which sees all candidates at once.

Another kind of evidence joins the search by a function of this protocol in :data:`RANKING`, which decides who goes on,
or in :data:`JUDGING`, which decides who wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.pose.matching.edges import PictureEdges
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined
from dexman_pose.pose.refinement.scores import EDGE_SHARE, depth_agreement, edge_scores
from dexman_pose.pose.search.coarse import coarse_scorer


@dataclass(frozen=True, eq=False)
class Contest:
    """Candidates and what they are held against.

    Attributes:
        refiner: of the mesh; its rasteriser may be used.
        candidates: refined poses; never empty.
        view: the crop they are compared in.
        look: the whole picture.
        edges: of the picture in the crop, or None where they are not asked.
        colored: whether the mesh's colours are asked.
    """

    refiner: PoseRefiner
    candidates: Sequence[Refined]
    view: CropObservation
    look: ObjectView
    edges: PictureEdges | None
    colored: bool

    @property
    def poses(self) -> Array:
        """(B, 4, 4) of the candidates."""
        return np.stack([r.camera_from_object for r in self.candidates])


class Scorer(Protocol):
    """One kind of evidence."""

    def __call__(self, contest: Contest) -> Array:
        """(B,) what speaks for each candidate, higher is better, about 1 for all there can be; 0 where not asked."""
        ...


def by_outline(contest: Contest) -> Array:
    """Overlap of outline and mask, as the refinement left it."""
    return np.array([r.iou for r in contest.candidates])


def by_depth(contest: Contest) -> Array:
    """Share of measured depth that agrees."""
    if contest.view.depth is None:
        return np.zeros(len(contest.candidates))
    return np.array([depth_agreement(contest.refiner, r, contest.view) for r in contest.candidates])


def by_edges(contest: Contest) -> Array:
    """Share of outline, creases and inner occlusions that the picture shows; stretched meshes are not asked."""
    if contest.edges is None:
        return np.zeros(len(contest.candidates))
    return EDGE_SHARE * edge_scores(contest.refiner, list(contest.candidates), contest.view, contest.edges)


def by_color(contest: Contest) -> Array:
    """Correlation of colours on the mask."""
    if not contest.colored:
        return np.zeros(len(contest.candidates))
    picture = contest.look.picture(contest.view)
    return (
        coarse_scorer(contest.refiner, True).score(contest.poses, contest.view, picture=picture).correlation
    )


RANKING: Final[tuple[Scorer, ...]] = (by_outline, by_depth, by_edges, by_color)
"""Of many hypotheses in a small picture: the best go on."""

JUDGING: Final[tuple[Scorer, ...]] = (by_outline, by_depth, by_edges)
"""Of the few that were brought onto the picture, in full size, beside the correlation that texture came to there."""


def total(scorers: Sequence[Scorer], contest: Contest) -> Array:
    """(B,) the sum of what all scorers say."""
    return np.sum([score(contest) for score in scorers], axis=0)
