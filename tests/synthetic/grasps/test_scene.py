"""Scenes between frames."""

from __future__ import annotations

import numpy as np

from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.synthetic.grasps.placed import PlacedGrasp
from dexman_pose.synthetic.grasps.scene import between
from dexman_pose.synthetic.grasps.stories import lift


def test_poses_between_frames_lie_halfway_and_hold_at_the_ends() -> None:
    poses = se3(so3_exp([[0.0, 0.0, 0.0], [0.0, 0.0, 0.4]]), [[0.0, 0.0, 0.0], [0.2, 0.0, 0.0]])
    out = between(poses, np.array([-1.0, 0.5, 9.0]))
    np.testing.assert_allclose(out[0], poses[0], atol=1e-12)
    np.testing.assert_allclose(out[1], se3(so3_exp([0.0, 0.0, 0.2]), [0.1, 0.0, 0.0]), atol=1e-12)
    np.testing.assert_allclose(out[2], poses[1], atol=1e-12)
    np.testing.assert_allclose(between(poses[:1], np.array([0.3]))[0], poses[0], atol=1e-12)


def test_a_scene_at_its_own_frames_is_itself(placed: PlacedGrasp) -> None:
    scene = lift(placed, np.random.default_rng(0))
    again = scene.at_frames(np.arange(float(scene.num_frames)))
    np.testing.assert_allclose(
        again.objects[0].world_from_object, scene.objects[0].world_from_object, atol=1e-9
    )
    np.testing.assert_allclose(again.hands[0].angles, scene.hands[0].angles)
    np.testing.assert_array_equal(again.held, scene.held)
    half = scene.at_frames(np.array([3.5]))
    expected = 0.5 * (scene.hands[0].angles[3] + scene.hands[0].angles[4])
    np.testing.assert_allclose(half.hands[0].angles[0], expected)
