"""One hypothesis brought onto texture, edges and depth of a picture, and scored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dexman_pose.arrays import Array
from dexman_pose.pose.matching.edges import PictureEdges
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.edges import align_to_edges
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined
from dexman_pose.pose.refinement.texture import HYPOTHESIS, refine_with_texture
from dexman_pose.pose.search.scorers import JUDGING, Contest, total


@dataclass(frozen=True)
class Hypothesis:
    """One candidate pose and how well it explains the picture.

    Attributes:
        camera_from_object: (4, 4).
        score: higher is better; outline overlap, colour correlation, share of the outline on edges of the picture, and
            what speaks for it by region where that was asked.
        iou: outline overlap with the mask.
        ncc: correlation of the coloured mesh with the picture, 0 where it has no colour.
        refined: the refinement it came out of.
        seen: share of its outline that the picture shows by region, or None where that was not asked.
        shown: what speaks for it by region, and by the box that somebody drew, whatever the mask; or None.
    """

    camera_from_object: Array
    score: float
    iou: float
    ncc: float
    refined: Refined
    seen: float | None = None
    shown: float | None = None


def refine_and_score(
    refiner: PoseRefiner,
    refined: Refined,
    evidence: CropObservation,
    look: ObjectView,
    colored: bool,
    picture: PictureEdges | None,
    rounds: int = HYPOTHESIS.rounds,
) -> Hypothesis:
    """Alternate matches of texture and edges with refinement on one hypothesis, then score it."""
    fixed = bool((refined.stretch == 1.0).all())
    if colored:
        found = refine_with_texture(refiner, refined, evidence, look, replace(HYPOTHESIS, rounds=rounds))
        refined, ncc, matched = found.refined, found.ncc, found.rounds > 0
    else:
        ncc, matched = 0.0, False
    if not matched and fixed and picture is not None:
        refined = align_to_edges(refiner, [refined], evidence, picture, rounds)[0]
    contest = Contest(refiner, [refined], evidence, look, picture, colored)
    score = float(total(JUDGING, contest)[0]) + ncc
    return Hypothesis(refined.camera_from_object, score, refined.iou, ncc, refined)
