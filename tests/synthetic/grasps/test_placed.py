"""A grasp on its table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dexman_pose.geometry.se3 import transform_points
from dexman_pose.hands.model.kinematics import hand_joints
from dexman_pose.synthetic.grasps.placed import PlacedGrasp, place_grasp
from dexman_pose.synthetic.grasps.recorded import RecordedGrasp
from dexman_pose.synthetic.grasps.standing import resting_frames, world_from_camera


def test_the_object_stands_still_and_never_goes_below_the_table(
    placed: PlacedGrasp, recorded: RecordedGrasp
) -> None:
    rest = resting_frames(recorded)
    still = placed.world_from_object[: rest - 5]
    np.testing.assert_allclose(still, np.tile(still[:1], (len(still), 1, 1)), atol=1e-9)
    low = transform_points(placed.world_from_object, placed.mesh.vertices)[..., 2].min(1)
    assert low.min() > -1e-3 and low[-1] > 0.03 and low[0] < 1e-3


def test_the_person_sits_at_minus_y(placed: PlacedGrasp) -> None:
    forearm = -placed.hand.frame_from_hand[placed.held][:, :2, 0].mean(0)
    assert forearm[1] < 0 and abs(forearm[0]) < 1e-6


def test_hand_and_object_keep_their_places_to_each_other(
    placed: PlacedGrasp, recorded: RecordedGrasp
) -> None:
    t = placed.num_frames - 1
    own = transform_points(np.linalg.inv(placed.world_from_object[t]), placed.hand.joints[t])
    real = transform_points(np.linalg.inv(recorded.camera_from_object[t]), recorded.joints[t])
    assert np.linalg.norm(own - real, axis=-1).mean() < 5e-3
    assert placed.measured_error < 4e-3


def test_a_hand_that_was_not_seen_at_first_comes_in_steadily(placed: PlacedGrasp) -> None:
    steps = np.linalg.norm(np.diff(placed.hand.frame_from_hand[:4, :3, 3], axis=0), axis=1)
    assert 0.15 / 30 - 1e-9 <= steps[0] <= 0.35 / 30 + 1e-9
    np.testing.assert_allclose(steps[0], steps[1], atol=1e-9)


def test_a_hand_that_rises_when_it_is_first_seen_does_not_come_through_the_table(
    recorded: RecordedGrasp,
) -> None:
    """As a recording in reverse: the hand lies low where it is first seen, and goes up from there."""
    first = 12
    world = world_from_camera(recorded)
    joints = transform_points(world, recorded.joints)
    low = joints[first, :, 2].min()
    height = 0.03 - low + 0.03 * np.maximum(np.arange(len(joints)) - first, 0)
    risen = transform_points(np.linalg.inv(world), joints + height[:, None, None] * [0.0, 0.0, 1.0])
    late = replace(recorded, joints=risen, valid=np.arange(len(joints)) >= first)
    hand = place_grasp(late).hand
    up = np.diff(hand.frame_from_hand[:, 2, 3])
    assert (up[first : first + 3] > 0).all(), "the hand does not rise: nothing is tested"
    still = np.tile(np.eye(4), (len(joints), 1, 1))
    posed = transform_points(hand.frame_from_hand, hand_joints(hand.shape, hand.angles, still))
    assert posed[:first, :, 2].min() > 0.01
    assert (up[: first - 1] < 0).all()
    np.testing.assert_allclose(up[: first - 1], up[0], atol=1e-9)
