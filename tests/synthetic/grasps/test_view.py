"""Cameras that show everything."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.errors import EstimationError
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.synthetic.grasps.placed import PlacedGrasp
from dexman_pose.synthetic.grasps.stories import lift
from dexman_pose.synthetic.grasps.view import ViewOptions, choose_view, joints_in_world


@pytest.mark.parametrize("seed", range(4))
def test_objects_are_in_the_picture_all_the_time(placed: PlacedGrasp, seed: int) -> None:
    scene = lift(placed, np.random.default_rng(seed))
    camera, pose = choose_view(scene, (160, 120), np.random.default_rng(seed))
    points = transform_points(pose @ scene.objects[0].world_from_object, placed.mesh.vertices)
    pixels = camera.project(points)
    assert (pixels > -0.5).all() and (pixels < [159.5, 119.5]).all()
    eye = inverse(pose)[:3, 3]
    middle = placed.world_from_object[0, :3, 3]
    away = eye - middle
    assert 0.4 < np.linalg.norm(away) < 1.8
    assert 15 < np.degrees(np.arcsin(away[2] / np.linalg.norm(away))) < 70


def test_joints_in_world_are_those_of_the_fit(placed: PlacedGrasp) -> None:
    scene = lift(placed, np.random.default_rng(0))
    seen = np.arange(placed.num_frames) >= 2
    np.testing.assert_allclose(joints_in_world(scene, 0)[seen], placed.hand.joints[seen], atol=1e-9)


def test_a_scene_too_large_for_every_camera_is_said(placed: PlacedGrasp) -> None:
    scene = lift(placed, np.random.default_rng(0))
    with pytest.raises(EstimationError, match="no camera within"):
        choose_view(scene, (160, 120), np.random.default_rng(0), ViewOptions(focal=(9.0, 9.5)))
