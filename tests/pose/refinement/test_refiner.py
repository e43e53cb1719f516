from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data import OCCLUDER
from dexman_pose.geometry import se3_exp
from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.pose.observation.crop import gather, visible_iou
from dexman_pose.pose.refinement.refiner import PoseRefiner, apply_increment
from dexman_pose.pose.solver.options import RefineOptions, trusting_points
from dexman_pose.pose.solver.residuals import PointMatches, join_matches
from dexman_pose.render import Rasterizer


@pytest.fixture(scope="module")
def refiner(scene: Any) -> PoseRefiner:
    return PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)


def evidence_of(scene: Any, labels: Any, depth: Any = None) -> Any:
    return gather(labels, 1, scene.camera, crop_box([mask_box(labels == 1)], 0.25), depth=depth)


def test_increment_turns_about_the_given_centre() -> None:
    pose = se3_exp([0.1, 0.2, 0.5, 0.3, 0.1, -0.2])
    center = np.array([0.05, 0.1, 0.6])
    local = pose[:3, :3].T @ (center - pose[:3, 3])
    moved = apply_increment(np.array([0.0, 0, 0, 0.4, -0.3, 0.2]), pose, center)
    np.testing.assert_allclose(moved[:3, :3] @ local + moved[:3, 3], center, atol=1e-12)


def test_silhouette_alone_brings_the_outline_home(scene: Any, refiner: PoseRefiner) -> None:
    true = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.4))
    _, labels, _ = scene.picture(scene.mesh, true)
    start = apply_increment(np.array([0.006, -0.005, 0.02, 0.06, -0.05, 0.08]), true, true[:3, 3])
    result = refiner.refine(start, evidence_of(scene, labels), RefineOptions(iterations=40))
    assert result.iou > 0.98
    millimetres, degrees = scene.error(result.camera_from_object, true)
    assert millimetres < 4.0
    assert degrees < 3.0


def test_the_overlap_of_the_pose_it_began_at_is_told(scene: Any, refiner: PoseRefiner) -> None:
    true = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.4))
    _, labels, _ = scene.picture(scene.mesh, true)
    labels[200:230] = OCCLUDER
    evidence = evidence_of(scene, labels)
    start = apply_increment(np.array([0.006, -0.005, 0.02, 0.06, -0.05, 0.08]), true, true[:3, 3])
    result = refiner.refine(start, evidence, RefineOptions(iterations=20))
    drawn = refiner.rasterizer.render(start[None], evidence.camera.K, *evidence.size[::-1]).mask[0]
    assert result.first_iou == pytest.approx(visible_iou(drawn, evidence), abs=1e-3)
    assert result.iou > result.first_iou + 0.05


def test_point_matches_fix_the_pose_exactly(scene: Any, refiner: PoseRefiner) -> None:
    true = scene.pose_at((0.4, -0.3, 1.0), (0.02, 0.01, 0.35))
    _, labels, _ = scene.picture(scene.mesh, true)
    points = scene.mesh.vertices[::41]
    pixels = scene.camera.project(points @ true[:3, :3].T + true[:3, 3])
    wrong = pixels.copy()
    wrong[::6] += 25.0  # one in six is nonsense
    start = apply_increment(np.array([0.01, -0.01, 0.03, 0.2, -0.1, 0.15]), true, true[:3, 3])
    matches = PointMatches(points, wrong, np.ones(len(points)))
    options = RefineOptions(iterations=60, use_silhouette=False)
    result = refiner.refine(start, evidence_of(scene, labels), options, matches=matches)
    millimetres, degrees = scene.error(result.camera_from_object, true)
    assert millimetres < 0.5
    assert degrees < 0.3


def test_depth_fixes_the_distance(scene: Any, refiner: PoseRefiner) -> None:
    true = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.4))
    _, labels, depth = scene.picture(scene.mesh, true)
    start = apply_increment(np.array([0.0, 0.0, 0.012, 0.0, 0.03, 0.0]), true, true[:3, 3])
    result = refiner.refine(start, evidence_of(scene, labels, depth), RefineOptions(iterations=40))
    assert abs(result.camera_from_object[2, 3] - true[2, 3]) < 0.0008


def test_an_occluded_half_does_not_pull_the_pose(scene: Any, refiner: PoseRefiner) -> None:
    true = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.4))
    _, labels, _ = scene.picture(scene.mesh, true)
    x0, _, x1, _ = mask_box(labels == 1)
    labels[:, int(0.55 * x0 + 0.45 * x1) : int(x1) + 10] = OCCLUDER
    result = refiner.refine(true, evidence_of(scene, labels), RefineOptions(iterations=20))
    millimetres, degrees = scene.error(result.camera_from_object, true)
    assert millimetres < 3.0
    assert degrees < 3.0


def test_motion_prior_holds_what_nothing_else_sees(scene: Any, refiner: PoseRefiner) -> None:
    pose = scene.pose_at((0.0, 0.0, 0.0), (0.0, 0.0, 0.4))
    empty = np.zeros((scene.camera.height, scene.camera.width), np.uint8)
    evidence = gather(empty, 1, scene.camera, (0, 0, 64, 64))
    options = RefineOptions(iterations=10, prior_translation=0.01, prior_rotation=0.1)
    start = apply_increment(np.array([0.01, 0, 0.02, 0.1, 0, 0]), pose, pose[:3, 3])
    result = refiner.refine(start, evidence, options, predicted=pose)
    np.testing.assert_allclose(result.camera_from_object, pose, atol=1e-4)


def test_many_matches_take_the_say_from_the_outline() -> None:
    base = RefineOptions()
    few = PointMatches(np.zeros((5, 3)), np.zeros((5, 2)), np.ones(5))
    many = PointMatches(np.zeros((90, 3)), np.zeros((90, 2)), np.ones(90))
    assert trusting_points(None, base) == base
    assert trusting_points(few, base) == base
    assert trusting_points(many, base).silhouette_weight < 0.5 * base.silhouette_weight


def test_joining_nothing_gives_nothing() -> None:
    empty = PointMatches(np.zeros((0, 3)), np.zeros((0, 2)), np.zeros(0))
    assert join_matches([]) is None
    assert join_matches([empty]) is None
