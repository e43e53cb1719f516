"""Finding a lost object again: around its last pose every frame, everywhere now and then."""

from __future__ import annotations

from dataclasses import dataclass

from dexman_pose.arrays import Array
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.search.hypotheses import Hypothesis, refine_and_score
from dexman_pose.pose.search.search import search_pose
from dexman_pose.pose.search.viewpoints import poses_on_box, rotations_near
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.tracking.options import RelocalisationOptions


@dataclass(frozen=True)
class Recovery:
    """How a lost object is looked for.

    Attributes:
        refiner: of its mesh.
        around: (3, 3) the only rotation worth looking around, for a mesh made from one view; None for all.
        colored: whether the mesh's colours count.
        options: how often and how far.
    """

    refiner: PoseRefiner
    around: Array | None
    colored: bool
    options: RelocalisationOptions

    def look(
        self, look: ObjectView, evidence: CropObservation, extremes: Array, last: Array, lost_for: int
    ) -> Hypothesis:
        """The best pose found in one picture.

        Args:
            look: the picture.
            evidence: its crop around the mask.
            extremes: (N, 3) outermost points of the mesh.
            last: (4, 4) last pose that was right.
            lost_for: frames since then, from 1.
        """
        if self._time_to_search(lost_for):
            return self._everywhere(look)
        o = self.options
        near = rotations_near(last[:3, :3], o.near, o.near_turn, seed=lost_for)
        candidates = []
        for pose in poses_on_box(near, extremes, look.box, look.camera):
            refined = self.refiner.refine(pose, evidence, RefineOptions(iterations=o.iterations))
            candidates.append(
                refine_and_score(self.refiner, refined, evidence, look, self.colored, None, rounds=1)
            )
        return max(candidates, key=lambda h: h.score)

    def _everywhere(self, look: ObjectView) -> Hypothesis:
        # A mesh made from one view has no other sides worth trying: look around the pose it was made in.
        o = self.options
        around = None if self.around is None else rotations_near(self.around, o.around, o.around_turn)
        return search_pose(
            self.refiner,
            look,
            rotations=around,
            keep=o.keep if around is None else o.around_keep,
            count=1,
        )[0]

    def _time_to_search(self, lost_for: int) -> bool:
        """At once, then after 1, 2, 4, 8 ... times ``every`` frames."""
        waited, every = lost_for - 1, self.options.every
        return waited == 0 or (waited % every == 0 and (waited // every).bit_count() == 1)
