"""Stories: what is put back stands again, two hands are two sides, a thing beside is out of the way."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.geometry.se3 import transform_points
from dexman_pose.synthetic.grasps.placed import PlacedGrasp, place_grasp
from dexman_pose.synthetic.grasps.recorded import RecordedGrasp
from dexman_pose.synthetic.grasps.stories import StoryOptions, lift, put_back, two_hands, with_bystander


def test_lift_is_the_measured_motion(placed: PlacedGrasp) -> None:
    scene = lift(placed, np.random.default_rng(0))
    np.testing.assert_array_equal(scene.objects[0].world_from_object, placed.world_from_object)
    np.testing.assert_array_equal(scene.held[0, 0], placed.held)
    assert scene.hands[0].side == "right" and scene.num_frames == placed.num_frames


def test_what_is_put_back_stands_elsewhere_and_nothing_jumps(placed: PlacedGrasp) -> None:
    scene = put_back(placed, np.random.default_rng(1))
    poses = scene.objects[0].world_from_object
    assert scene.num_frames == 2 * placed.num_frames - 1
    low = transform_points(poses, placed.mesh.vertices)[..., 2].min(1)
    assert abs(low[0]) < 1e-3 and abs(low[-1]) < 1e-3 and low.max() > 0.03
    np.testing.assert_allclose(poses[-1, 2, :3], poses[0, 2, :3], atol=1e-9)  # upright as before
    assert 0.02 < np.linalg.norm(poses[-1, :2, 3] - poses[0, :2, 3]) < 0.3
    assert np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).max() < 0.05
    hand = scene.hands[0].world_from_hand
    inside = np.linalg.inv(poses) @ hand
    both = np.arange(placed.num_frames)
    np.testing.assert_allclose(
        inside[both], inside[::-1][both], atol=1e-9
    )  # the way back is the way in reversed
    assert not scene.held[0, 0, 0] and not scene.held[0, 0, -1]


def test_two_hands_are_of_two_sides_and_apart(placed: PlacedGrasp, recorded: RecordedGrasp) -> None:
    other = place_grasp(recorded.mirrored())
    scene = two_hands(placed, other, np.random.default_rng(2))
    assert [h.side for h in scene.hands] == ["right", "left"] and len(scene.objects) == 2
    assert scene.held.shape == (2, 2, scene.num_frames)
    assert scene.held[0, 0].any() and not scene.held[0, 1].any() and not scene.held[1, 0].any()
    x = [o.world_from_object[0, 0, 3] for o in scene.objects]
    assert x[0] > 0 > x[1] and 0.3 < x[0] - x[1] < 0.5
    with pytest.raises(ValueError, match="mirror one"):
        two_hands(placed, placed, np.random.default_rng(2))


def test_a_thing_beside_stands_clear_of_all_that_moves(placed: PlacedGrasp) -> None:
    scene = lift(placed, np.random.default_rng(3))
    more = with_bystander(scene, "other", placed.mesh, np.random.default_rng(4))
    assert [o.name for o in more.objects] == ["tin", "other"] and not more.held[:, 1].any()
    still = transform_points(more.objects[1].world_from_object[0], placed.mesh.vertices)
    assert abs(still[:, 2].min()) < 1e-9
    moving = transform_points(scene.objects[0].world_from_object, placed.mesh.vertices).reshape(-1, 3)
    apart = np.linalg.norm(still[:, None, :2] - moving[None, ::40, :2], axis=-1)
    assert apart.min() > 0.005
    nowhere = StoryOptions(free=5.0)
    alone = with_bystander(scene, "other", placed.mesh, np.random.default_rng(5), nowhere)
    assert [o.name for o in alone.objects] == ["tin"]
