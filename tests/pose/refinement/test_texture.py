"""A coloured mesh brought onto a picture by its colours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.pose.matching.photometric import sampled_correlation, shade
from dexman_pose.pose.matching.texture import TextureEvidence
from dexman_pose.pose.observation.crop import crop_like, gather
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement import texture as texture_guided
from dexman_pose.pose.refinement.refiner import PoseRefiner, apply_increment
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.render import Rasterizer

OPTIONS = RefineOptions(iterations=15, use_silhouette=False)


@pytest.fixture(scope="module")
def setting(scene: Any) -> Any:
    true = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.3))
    image, labels, _ = scene.picture(scene.mesh, true)
    box = mask_box(labels == 1)
    view = gather(labels, 1, scene.camera, crop_box([box], 0.1))
    refiner = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)
    start = apply_increment(np.array([0.001, -0.0015, 0.002, 0.02, -0.02, 0.015]), true, true[:3, 3])
    return true, start, refiner, view, ObjectView(image, labels, 1, scene.camera)


def test_corners_lead_where_there_are_any(scene: Any, setting: Any) -> None:
    true, start, refiner, view, look = setting
    found = texture_guided.align_to_texture(refiner, start, view, look, OPTIONS, None)
    assert found is not None and found.matches is not None and found.ncc > 0.9
    millimetres, degrees = scene.error(found.refined.camera_from_object, true)
    assert millimetres < 1.0 and degrees < 0.7


def test_grey_values_lead_where_there_are_no_corners(scene: Any, setting: Any, monkeypatch: Any) -> None:
    true, start, refiner, view, look = setting
    monkeypatch.setattr(
        texture_guided, "texture_evidence", lambda *a, **k: TextureEvidence(None, None, 0.0, 1.0)
    )
    found = texture_guided.align_to_texture(refiner, start, view, look, OPTIONS, None)
    assert found is not None and found.matches is None
    before, after = (scene.error(p, true) for p in (start, found.refined.camera_from_object))
    assert after[0] < 0.5 * before[0] and after[1] < 0.5 * before[1]


def test_correlation_of_points_is_highest_at_the_truth(setting: Any) -> None:
    true, start, refiner, view, look = setting
    gray = np.asarray(crop_like(look.image, view) @ [0.299, 0.587, 0.114] * 255.0, np.float32)
    shading = shade(refiner.rasterizer, true, view, gray)
    assert shading is not None
    assert sampled_correlation(shading, true) > max(0.95, sampled_correlation(shading, start) + 0.01)


def test_what_may_be_hidden_is_not_compared(setting: Any) -> None:
    true, _, refiner, view, look = setting
    gray = np.asarray(crop_like(look.image, view) @ [0.299, 0.587, 0.114] * 255.0, np.float32)
    covered = replace(view, unknown=np.ones_like(view.unknown))
    assert shade(refiner.rasterizer, true, covered, gray) is None
