"""Poses of a plain mesh are told apart by what the picture shows along their outlines, whatever the mask says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Mesh
from dexman_pose.geometry import rotation_angle, so3_exp
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner, refiner_for
from dexman_pose.pose.search.by_region import RegionJudge, judge_by_region
from dexman_pose.pose.search.finding import find_pose
from dexman_pose.pose.search.hypotheses import Hypothesis
from dexman_pose.pose.search.options import RegionJudgeOptions
from dexman_pose.pose.search.verdict import (
    AMBIGUOUS,
    MASK_DISAGREES,
    OUTLINE_DISAGREES,
    OUTLINE_UNSEEN,
    PoseSignals,
    judge,
)
from dexman_pose.pose.solver.options import RefineOptions

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plain:
    """A mesh without colours before a noisy ground, and the mask that a segmentation made of it."""

    mesh: Mesh
    true: Floats
    look: ObjectView

    def hypothesis(self, refiner: PoseRefiner, pose: Floats, score: float) -> Hypothesis:
        refined = refiner.refine(pose, self.look.evidence(), RefineOptions(iterations=0))
        return Hypothesis(pose, score, refined.iou, 0.0, refined)

    def error(self, pose: Floats) -> tuple[float, float]:
        """Millimetres and degrees."""
        c = self.mesh.center
        off = (pose - self.true) @ np.append(c, 1.0)
        turned = rotation_angle(pose[:3, :3] @ self.true[:3, :3].T)
        return 1e3 * float(np.linalg.norm(off)), float(np.degrees(turned))


@pytest.fixture(scope="module")
def plain(scene: Any) -> Plain:
    true = scene.pose_at((0.4, 0.5, 0.2), (0.03, -0.02, 0.32))
    mesh = Mesh(scene.mesh.vertices, scene.mesh.faces)
    _, labels, _ = scene.picture(scene.mesh, true)
    rng = np.random.default_rng(2)
    image = 90.0 + 12.0 * rng.standard_normal((*labels.shape, 3))
    image[labels == 1] = [190.0, 120.0, 60.0] + 6.0 * rng.standard_normal((int(labels.sum()), 3))
    return Plain(mesh, true, ObjectView(image.clip(0, 255).astype(np.uint8), labels, 1, scene.camera))


def moved(pose: Floats, degrees: float, millimetres: float, center: Floats) -> Floats:
    out = pose.copy()
    out[:3, :3] = so3_exp(np.radians(degrees) * np.array([0.6, 0.0, 0.8])) @ pose[:3, :3]
    out[:3, 3] += (pose[:3, :3] - out[:3, :3]) @ center + [1e-3 * millimetres, 0.0, 0.0]
    return out


def test_only_the_right_pose_is_convincing(plain: Plain) -> None:
    judge_ = RegionJudge(refiner_for(plain.mesh), plain.look)
    right = judge_.seen(moved(plain.true, 3.0, 2.0, plain.mesh.center))
    assert judge_.is_convincing(right) and plain.error(right.camera_from_object)[0] < 1.0
    wrong = judge_.seen(moved(plain.true, 90.0, 0.0, plain.mesh.center))
    assert not judge_.is_convincing(wrong)


def test_a_pose_goes_half_the_way_to_where_its_outline_is_seen(plain: Plain) -> None:
    refiner = refiner_for(plain.mesh)
    start = moved(plain.true, 2.0, 4.0, plain.mesh.center)
    judge_ = RegionJudge(refiner, plain.look)
    found = judge_.judged(plain.hypothesis(refiner, start, 1.0), plain.look.evidence())
    first, then = plain.error(start), plain.error(found.camera_from_object)
    assert 0.3 * first[0] < then[0] < 0.7 * first[0]
    assert found.iou > 0.9 and found.seen is not None and found.seen > 0.75 and found.score > 1.5


def test_it_goes_all_the_way_where_the_mask_misled(plain: Plain) -> None:
    refiner = refiner_for(plain.mesh)
    start = moved(plain.true, 9.0, 3.0, plain.mesh.center)
    found = RegionJudge(refiner, plain.look).judged(
        plain.hypothesis(refiner, start, 1.0), plain.look.evidence()
    )
    assert plain.error(found.camera_from_object)[1] < 2.0


def test_the_outline_outvotes_a_mask_that_leads_by_little(plain: Plain) -> None:
    refiner, view = refiner_for(plain.mesh), plain.look.evidence()
    wrong = plain.hypothesis(refiner, moved(plain.true, 90.0, 0.0, plain.mesh.center), 1.05)
    right = plain.hypothesis(refiner, plain.true, 1.0)

    def none(count: int) -> Floats:
        raise AssertionError("one outline is convincing: no other pose is to be looked at")

    found = judge_by_region(refiner, [wrong, right], none, plain.look, view, lambda pose: right)
    assert plain.error(found[0].camera_from_object)[1] < 3.0 < plain.error(found[1].camera_from_object)[1]


def test_poses_the_mask_left_behind_get_a_second_chance(plain: Plain) -> None:
    refiner, view = refiner_for(plain.mesh), plain.look.evidence()
    wrong = plain.hypothesis(refiner, moved(plain.true, 90.0, 0.0, plain.mesh.center), 1.0)
    behind = np.stack([moved(plain.true, a, 0.0, plain.mesh.center) for a in (120.0, 10.0, 60.0)])
    asked: list[int] = []

    def others(count: int) -> Floats:
        asked.append(count)
        return behind[:count]

    def finish(pose: Floats) -> Hypothesis:
        return plain.hypothesis(refiner, pose, 0.9)

    found = judge_by_region(refiner, [wrong], others, plain.look, view, finish)
    assert asked == [RegionJudgeOptions().looked_at]
    assert plain.error(found[0].camera_from_object)[1] < 3.0
    few = replace(RegionJudgeOptions(), looked_at=1, second_chances=1)
    found = judge_by_region(refiner, [wrong], others, plain.look, view, finish, few)
    assert plain.error(found[0].camera_from_object)[1] > 20.0


def test_a_mask_that_leaks_moves_the_pose_less_than_the_outline_holds_it(plain: Plain) -> None:
    labels = plain.look.labels.copy()
    y, x = np.nonzero(labels)
    labels[y.min() : y.max(), x.max() - 4 : x.max() + 12] = 1
    leaking = replace(plain.look, labels=labels)
    found = find_pose(plain.mesh, leaking, symmetry=SymmetryGroup.trivial())[0]
    assert plain.error(found.camera_from_object)[0] < 6.0 and plain.error(found.camera_from_object)[1] < 4.0


def test_an_outline_that_is_not_seen_is_doubted() -> None:
    good = PoseSignals(0.97, 0.2, None, 0.8, None, 1.0, 1.0, region=0.9)
    assert judge(good).valid
    assert judge(replace(good, region=0.6)).doubts == (OUTLINE_UNSEEN,)
    assert judge(replace(good, region=None)).valid


def test_an_outline_that_is_seen_needs_no_mask_but_a_lead() -> None:
    half = PoseSignals(0.5, 0.2, None, 0.6, None, 1.0, 1.0, region=0.98)
    assert judge(half).valid and judge(half).doubts == (MASK_DISAGREES,)
    assert judge(replace(half, region=0.9)).doubts == (OUTLINE_DISAGREES,)
    assert judge(replace(half, edges=0.4)).doubts == (OUTLINE_DISAGREES,)
    close = replace(half, margin=0.06)
    assert judge(close).doubts == (AMBIGUOUS, OUTLINE_DISAGREES)
    assert AMBIGUOUS not in judge(replace(close, region=None)).doubts
