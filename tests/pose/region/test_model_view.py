"""A drawing of the mesh's texture finds itself in pictures of poses near its own, and says where it would not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.geometry import so3_exp
from dexman_pose.pose.region.model_view import ModelView, view_of_model
from dexman_pose.pose.region.options import ModelViewOptions, PointOptions, WindowOptions
from dexman_pose.pose.region.points import projected
from dexman_pose.pose.region.window import GrayPart, window_around
from dexman_pose.render import Rasterizer

POSE = ((0.4, 0.5, 0.1), (0.0, 0.0, 0.3))
OPTIONS = PointOptions()


def view_at(scene: Any, pose: Any, side: int = 120) -> tuple[ModelView, Any]:
    window = window_around(scene.mesh.vertices, pose, scene.camera, WindowOptions(side=side))
    view = view_of_model(
        Rasterizer(scene.mesh), pose, window, scene.mesh.vertices, scene.mesh.center, OPTIONS
    )
    assert view is not None
    return view, window


def test_corners_of_a_view_are_points_of_the_mesh(scene: Any) -> None:
    pose = scene.pose_at(*POSE)
    view, _ = view_at(scene, pose)
    assert len(view.corners) > 15
    a = view.image_from_view
    there = view.corners.pixels @ a[:, :2].T + a[:, 2]
    np.testing.assert_allclose(there, projected(view.corners.points, pose, scene.camera.K), atol=1e-6)
    again = view.seen_at(pose, scene.camera.K, scene.mesh.center, ModelViewOptions())
    assert again is not None
    np.testing.assert_allclose(again, a, atol=1e-6)


@pytest.mark.parametrize(
    ("turn", "shift"), [((0, 0, 0.3), (0.02, 0.01, 0)), ((0.03, 0, 0), (0, 0, 0)), ((0, 0, 0), (0, 0, 0.03))]
)
def test_a_view_is_found_in_the_picture_of_another_pose(
    scene: Any, turn: tuple[float, ...], shift: tuple[float, ...]
) -> None:
    pose = scene.pose_at(*POSE)
    view, _ = view_at(scene, pose)
    true = pose.copy()
    true[:3, :3] = so3_exp(np.array(turn, float)) @ true[:3, :3]
    true[:3, 3] += shift
    guess = true.copy()
    guess[0, 3] += 0.001  # a pixel and a half
    window = window_around(scene.mesh.vertices, guess, scene.camera, WindowOptions())
    part = GrayPart.around(window, scene.picture(scene.mesh, true)[0])
    k, loose = scene.camera.K, ModelViewOptions(bent=1.5)
    there = view.seen_at(guess, k, scene.mesh.center, loose)
    assert there is not None
    found, alike = view.find(part, there, guess, k, OPTIONS, OPTIONS.model_flow)
    assert found is not None and len(found) > 12 and alike > 0.5
    off = np.linalg.norm(found.pixels - projected(found.points, true, k), axis=1)
    assert np.median(off) < 0.5


@pytest.mark.parametrize(
    ("turn", "shift"), [((0.3, 0, 0), (0, 0, 0)), ((0, -0.2, 0), (0, 0, 0)), ((0, 0, 0), (0, 0, 0.12))]
)
def test_a_view_is_not_used_from_where_the_object_looks_different(
    scene: Any, turn: tuple[float, ...], shift: tuple[float, ...]
) -> None:
    pose = scene.pose_at(*POSE)
    view, _ = view_at(scene, pose)
    pose[:3, :3] = so3_exp(np.array(turn, float)) @ pose[:3, :3]
    pose[:3, 3] += shift
    assert view.seen_at(pose, scene.camera.K, scene.mesh.center, ModelViewOptions()) is None


def test_an_object_of_few_pixels_has_no_view(scene: Any) -> None:
    pose = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 9.0))
    window = window_around(scene.mesh.vertices, pose, scene.camera, WindowOptions())
    arguments = (pose, window, scene.mesh.vertices, scene.mesh.center, OPTIONS)
    assert view_of_model(Rasterizer(scene.mesh), *arguments) is None
