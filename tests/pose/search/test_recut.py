"""A mask is cut again about the outline of a pose, and a pose found in what was cut where both agree better."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.search.finding import search_and_recut, with_rivals
from dexman_pose.pose.search.hypotheses import Hypothesis
from dexman_pose.pose.search.options import BY_REGION
from dexman_pose.pose.search.recut import recut
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.render import Rasterizer


@dataclass(frozen=True)
class Leaking:
    """A plain mesh before a noisy ground, its true pose and mask, and a view whose mask leaks to one side."""

    mesh: Mesh
    true: Array
    exact: np.ndarray
    look: ObjectView

    def overlap(self, mask: np.ndarray) -> float:
        return float((mask & self.exact).sum() / (mask | self.exact).sum())


@pytest.fixture(scope="module")
def leaking(scene: Any) -> Leaking:
    true = scene.pose_at((0.4, 0.5, 0.2), (0.03, -0.02, 0.32))
    _, labels, _ = scene.picture(scene.mesh, true)
    rng = np.random.default_rng(2)
    image = 90.0 + 12.0 * rng.standard_normal((*labels.shape, 3))
    image[labels == 1] = [190.0, 120.0, 60.0] + 6.0 * rng.standard_normal((int(labels.sum()), 3))
    leaky = labels.copy()
    y, x = np.nonzero(labels)
    leaky[y.min() : y.max(), x.max() - 4 : x.max() + 12] = 1
    look = ObjectView(image.clip(0, 255).astype(np.uint8), leaky, 1, scene.camera)
    return Leaking(Mesh(scene.mesh.vertices, scene.mesh.faces), true, labels == 1, look)


def test_the_picture_decides_near_the_outline(leaking: Leaking) -> None:
    beside = se3(np.eye(3), [0.003, 0.0, 0.0]) @ leaking.true
    found = recut(Rasterizer(leaking.mesh), beside, leaking.look)
    assert found is not None
    assert leaking.overlap(found.own) > 0.96 and leaking.overlap(leaking.look.own) < 0.9


def test_other_labels_stay_and_an_outline_out_of_the_picture_is_not_cut(leaking: Leaking) -> None:
    labels = leaking.look.labels.copy()
    v, u = np.nonzero(leaking.exact)
    hand = (slice(int(v.mean()), int(v.max())), slice(int(u.min()), int(u.mean())))
    labels[hand] = OCCLUDER
    found = recut(Rasterizer(leaking.mesh), leaking.true, replace(leaking.look, labels=labels))
    assert found is not None and (found.labels[hand] == OCCLUDER).all()
    assert (found.own & leaking.exact).any()
    away = se3(np.eye(3), [3.0, 0.0, 0.0]) @ leaking.true
    assert recut(Rasterizer(leaking.mesh), away, leaking.look) is None


def test_a_pose_in_a_leaking_mask_is_found_in_the_mask_cut_again(leaking: Leaking) -> None:
    refiner = refiner_for(leaking.mesh, leaking.look.own)
    found, seen = search_and_recut(refiner, leaking.look, symmetry=SymmetryGroup.trivial())
    assert seen is not leaking.look and leaking.overlap(seen.own) > 0.95 and found[0].iou > 0.93
    off = (found[0].camera_from_object - leaking.true) @ np.append(leaking.mesh.center, 1.0)
    assert np.linalg.norm(off) < 0.004


def test_a_mask_that_the_pose_explains_is_left_alone(leaking: Leaking) -> None:
    clean = replace(leaking.look, labels=leaking.exact.astype(np.uint8))
    refiner = refiner_for(leaking.mesh, clean.own)
    assert search_and_recut(refiner, clean, symmetry=SymmetryGroup.trivial())[1] is clean


def test_a_pose_of_before_that_the_picture_shows_as_well_stays_the_rival(leaking: Leaking) -> None:
    refiner = refiner_for(leaking.mesh, leaking.look.own)
    refined = refiner.refine(leaking.true, leaking.look.evidence(), RefineOptions(iterations=0))

    def hypothesis(degrees: float, score: float, shown: float) -> Hypothesis:
        pose = leaking.true @ se3(so3_exp([0.0, 0.0, np.radians(degrees)]), np.zeros(3))
        return Hypothesis(pose, score, 0.9, 0.0, refined, 0.9, shown)

    again = [hypothesis(0.0, 2.5, 2.4), hypothesis(90.0, 1.5, 1.2)]
    before = [hypothesis(1.0, 2.2, 2.4), hypothesis(40.0, 1.9, 2.35), hypothesis(120.0, 1.8, 1.0)]
    found = with_rivals(again, before, None)
    assert len(found) == 2 and found[0] is again[0]
    assert found[1].camera_from_object is before[1].camera_from_object
    assert found[0].score - found[1].score == pytest.approx(BY_REGION.weight * 0.05)
    assert with_rivals(again, before[:1], None) is again  # the same pose is no rival
