"""Small turns about a pose."""

from __future__ import annotations

from typing import Any

import numpy as np

from dexman_pose.geometry import rotation_angle
from dexman_pose.pose.refinement.options import AROUND_HYPOTHESIS, PerturbationOptions
from dexman_pose.pose.refinement.perturb import best_of_perturbed, perturbed_poses
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.problem import Problem
from dexman_pose.render import Rasterizer


def test_six_turns_of_the_angle_asked_for_leave_the_centre_where_it_is(scene: Any) -> None:
    pose, center = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.4)), np.array([0.01, -0.02, 0.005])
    for angle in (np.deg2rad(3.0), AROUND_HYPOTHESIS.angle):
        turned = np.stack(perturbed_poses(pose, center, angle))
        assert turned.shape == (6, 4, 4)
        np.testing.assert_allclose(rotation_angle(turned[:, :3, :3] @ pose[:3, :3].T), angle, atol=1e-9)
        np.testing.assert_allclose(
            turned[:, :3, :3] @ center + turned[:, :3, 3],
            np.tile(pose[:3, :3] @ center + pose[:3, 3], (6, 1)),
        )
        assert len({tuple(np.round(t[:3, :3].ravel(), 6)) for t in turned}) == 6


def test_the_cheapest_of_all_starts_is_taken(scene: Any, monkeypatch: Any) -> None:
    from dexman_pose.pose.observation.view import ObjectView

    true = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.4))
    image, labels, _ = scene.picture(scene.mesh, true)
    view = ObjectView(image, labels, 1, scene.camera)
    refiner = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)
    asked: list[tuple[list[Problem], RefineOptions]] = []
    honest = refiner.refine_all

    def watched(problems: list[Problem], views: Any, options: RefineOptions, **more: Any) -> Any:
        found = honest(problems, views, options, **more)
        asked.append((problems, options))
        return found

    monkeypatch.setattr(refiner, "refine_all", watched)
    options = PerturbationOptions(angle=0.1, iterations=3, prior_translation=0.2)
    best = best_of_perturbed(refiner, true, view.evidence(), options=options)
    (problems, used), radius = asked[0], scene.mesh.radius
    assert len(problems) == 7 and used.iterations == 3
    assert used.prior_translation == 0.2 * radius
    assert best.cost == min(r.cost for r in honest(problems, [view.evidence()], used))
