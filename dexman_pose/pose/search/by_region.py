"""Hypotheses of a mesh without colours, judged and moved by what the picture shows along their outlines.

A mask that leaks is overlapped well by wrong poses. The colours of the picture on both sides of a pose's outline, and
the picture's edges along it, do not depend on where the mask ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import BACKGROUND
from dexman_pose.geometry import so3_log
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner, apply_increment
from dexman_pose.pose.region.refiner import RegionPose, RegionRefiner
from dexman_pose.pose.search.asked_box import pose_off_box
from dexman_pose.pose.search.hypotheses import Hypothesis
from dexman_pose.pose.search.options import BY_REGION, RegionJudgeOptions
from dexman_pose.pose.search.viewpoints import extreme_points
from dexman_pose.pose.solver.options import RefineOptions

_log = logging.getLogger(__name__)


class RegionJudge:
    """Looks at poses of one mesh in one picture by region. Not to be shared between threads.

    Args:
        refiner: of the mesh, as large as the object is.
        look: the picture.
        options: settings.
    """

    def __init__(
        self, refiner: PoseRefiner, look: ObjectView, options: RegionJudgeOptions = BY_REGION
    ) -> None:
        mesh = refiner.rasterizer.mesh
        self.options = options
        self._refiner, self._look = refiner, look
        self._region = RegionRefiner(refiner, look.camera, extreme_points(mesh.vertices))
        hidden = (look.labels != look.label) & (look.labels != BACKGROUND)
        self._hidden = hidden if hidden.any() else None

    def seen(self, pose: Array) -> RegionPose:
        """A pose (4, 4) refined by region, its colours learnt at it, and again where it led."""
        image, region = self._look.image, self._region
        found = RegionPose(pose, np.zeros((6, 6)))
        for _ in range(1 + self.options.again):
            region.learn_at(found.camera_from_object, image, self._hidden)
            found = region.refine(found.camera_from_object, image, self._hidden)
        return found

    def is_convincing(self, found: RegionPose) -> bool:
        """Whether the picture shows the outline of a pose."""
        return found.agree >= self.options.agree

    def off(self, pose: Array) -> float:
        """Share of a side of the box that somebody drew by which a pose (4, 4) misses it; 0 without a box."""
        return pose_off_box(self._refiner.rasterizer, pose, self._look, ranked=True) or 0.0

    def shown(self, pose: Array) -> float:
        """What the picture says for a pose (4, 4): shares of its outline, less what it misses of the box."""
        found = self.seen(pose)
        return found.agree + found.odds + found.edge - self.options.boxed * self.off(pose)

    def is_doubtful(self, found: list[Hypothesis]) -> bool:
        """Whether poses that did worse on the mask are to be looked at: outline, mask or box speak against the best."""
        best, o = max(found, key=lambda h: h.score), self.options
        if max(h.seen or 0.0 for h in found) < o.sure or best.iou < o.explained:
            return True
        return self.off(best.camera_from_object) > o.missed

    def judged(self, hypothesis: Hypothesis, view: CropObservation) -> Hypothesis:
        """A hypothesis on its way to where its outline is seen, its score with what speaks for it there.

        Args:
            hypothesis: that outline and mask made.
            view: in which the overlap is measured.
        """
        found = self.seen(hypothesis.camera_from_object)
        pose, o = hypothesis.camera_from_object, self.options
        said, missed = found.agree + found.odds + found.edge, o.boxed * self.off(pose)
        if self.is_convincing(found):
            pose = self._between(pose, found.camera_from_object)
        seen = self._refiner.refine(pose, view, RefineOptions(iterations=0))
        refined = replace(hypothesis.refined, camera_from_object=pose, iou=seen.iou)
        return replace(
            hypothesis,
            camera_from_object=pose,
            score=hypothesis.score + o.weight * said - missed,
            iou=refined.iou,
            refined=refined,
            seen=found.agree,
            shown=said - missed,
        )

    def _between(self, first: Array, second: Array) -> Array:
        """The pose (4, 4) a share of the way from that by mask to that by region, or the latter where they differ."""
        center = self._refiner.camera_center(first)
        moved = self._refiner.camera_center(second) - center
        turned = so3_log(second[:3, :3] @ first[:3, :3].T)
        if np.linalg.norm(turned) > self.options.differs:
            return second
        return apply_increment(self.options.share * np.concatenate([moved, turned]), first, center)


def judge_by_region(
    refiner: PoseRefiner,
    found: list[Hypothesis],
    others: Callable[[int], Array],
    look: ObjectView,
    view: CropObservation,
    finish: Callable[[Array], Hypothesis],
    options: RegionJudgeOptions = BY_REGION,
    *,
    filling: Callable[[], Array] | None = None,
) -> list[Hypothesis]:
    """Hypotheses judged by region, best first; where none convinces, poses that did worse on the mask, too.

    Args:
        refiner: of the mesh.
        found: hypotheses that went through all stages.
        others: gives up to so many poses (B, 4, 4) of the first stage, best first.
        look: the picture.
        view: in which the overlap is measured.
        finish: brings a pose (4, 4) through all stages.
        options: settings.
        filling: gives poses (B, 4, 4) that fill the object's box, or None for none.
    """
    judge = RegionJudge(refiner, look, options)
    out = [judge.judged(h, view) for h in found]
    if options.looked_at and judge.is_doubtful(out):
        pools = [others(options.looked_at), *([] if filling is None else [filling()])]
        # Each has chances of its own: what fills the box of a half mask looks good before what is right does.
        poses = [pose for pool in pools for pose in _second_chances(judge, pool, options)]
        out += [judge.judged(finish(pose), view) for pose in poses]
        _log.debug("search: no outline was convincing; others were looked at by region")
    out.sort(key=lambda h: -h.score)
    return out


def _second_chances(judge: RegionJudge, poses: Array, options: RegionJudgeOptions) -> list[Array]:
    """The poses (4, 4) that region speaks for most, of many (B, 4, 4): the better of them are looked at longer."""
    seen = [judge.seen(pose) for pose in poses]
    for count in options.looked_longer:
        seen.sort(key=lambda r: -r.agree - r.odds - r.edge)
        seen = [judge.seen(r.camera_from_object) for r in seen[:count]]
    seen.sort(key=lambda r: -r.agree - r.odds - r.edge)
    return [r.camera_from_object for r in seen[: options.second_chances]]
