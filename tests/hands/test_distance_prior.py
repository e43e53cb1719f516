from __future__ import annotations

import numpy as np

from dexman_pose.hands.distance_prior import SIGMA, distance_prior, farthest_depth, prior_weight


def test_jumps_of_single_frames_do_not_move_the_hand() -> None:
    log_depth = np.full(60, np.log(0.8))
    log_depth[20:23] = np.log(0.2)
    prior = distance_prior({0: log_depth}, {0: np.full(60, 0.3)})[0]
    np.testing.assert_allclose(np.exp(prior), 0.8, rtol=1e-6)


def test_a_slow_change_is_followed_half_way() -> None:
    log_depth = np.log(np.linspace(0.6, 1.0, 90))
    prior = distance_prior({1: log_depth}, {1: np.full(90, 0.3)})[1]
    spread = np.ptp(prior) / np.ptp(log_depth)
    assert 0.4 < spread < 0.55


def test_the_better_guessed_hand_speaks_for_both() -> None:
    depths = {0: np.full(30, np.log(0.2)), 1: np.full(30, np.log(0.7))}
    prior = distance_prior(depths, {0: np.full(30, 2.0), 1: np.full(30, 0.2)})
    assert np.exp(prior[0]).min() > 0.65
    assert np.exp(prior[1]).min() > 0.65


def test_a_guess_that_explains_the_image_needs_no_prior() -> None:
    assert prior_weight(np.full(10, 0.05)) < 1e-3 / SIGMA**2
    assert prior_weight(np.full(10, 3.0)) == 1.0 / SIGMA**2


def test_bones_across_the_line_of_sight_bound_the_distance() -> None:
    from dexman_pose.data import JOINT_PARENTS

    lengths = np.array([0.0] + [0.03] * 20)
    joints = np.zeros((1, 21, 3))
    for joint in range(1, 21):  # three fingers lie across, two point at the camera
        step = [0.03, 0.0, 0.0] if joint < 13 else [0.0, 0.0, -0.03]
        joints[0, joint] = joints[0, JOINT_PARENTS[joint]] + step
    joints[..., 2] += 0.6
    rays = joints[..., :2] / joints[..., 2:]
    np.testing.assert_allclose(farthest_depth(rays, lengths), 0.6, rtol=0.02)
