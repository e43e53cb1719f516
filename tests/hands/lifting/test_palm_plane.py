from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from dexman_pose.hands.lifting.bones import AVERAGE_LENGTHS
from dexman_pose.hands.lifting.palm_plane import MARKED, PALM, palm_depth, palm_plan


def rays_of(rotation: Rotation, at: np.ndarray, size: float = 1.0) -> np.ndarray:
    flat = np.concatenate([size * MARKED * palm_plan(AVERAGE_LENGTHS), np.zeros((5, 1))], 1)
    points = rotation.apply(flat) + at
    rays = np.zeros((21, 2))
    rays[list(PALM)] = points[:, :2] / points[:, 2:]
    return rays


def test_a_plan_has_the_lengths_of_the_palm() -> None:
    plan = palm_plan(AVERAGE_LENGTHS)
    reach = np.linalg.norm(plan[1:] - plan[0], axis=1)
    np.testing.assert_allclose(reach, AVERAGE_LENGTHS[[5, 9, 13, 17]])
    np.testing.assert_allclose(plan.mean(0), 0.0, atol=1e-12)
    assert 0.015 < np.linalg.norm(plan[2] - plan[1]) < 0.03


@pytest.mark.parametrize("tilt", [0.0, 0.5, 1.0, 1.4])
def test_depth_does_not_depend_on_how_the_palm_is_turned(tilt: float) -> None:
    rng = np.random.default_rng(0)
    axes = rng.normal(size=(30, 2))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    rays = np.stack(
        [rays_of(Rotation.from_rotvec([*(tilt * axis), 0.0]), np.array([0.2, -0.1, 0.9])) for axis in axes]
    )
    depth, openly = palm_depth(rays, AVERAGE_LENGTHS)
    # What is left is perspective within the palm, and that it is not seen along the axis.
    np.testing.assert_allclose(depth, 0.9, rtol=0.035)
    assert openly.mean() == pytest.approx(np.cos(tilt), abs=0.15)


def test_a_palm_of_twice_the_size_is_twice_as_far() -> None:
    turn, at = Rotation.from_rotvec([0.4, 0.8, -0.3]), np.array([0.0, 0.1, 1.2])
    once, _ = palm_depth(rays_of(turn, at)[None], AVERAGE_LENGTHS)
    np.testing.assert_allclose(palm_depth(rays_of(turn, at)[None], 2.0 * AVERAGE_LENGTHS)[0], 2.0 * once)


def test_a_palm_without_extent_is_far_away_and_not_an_error() -> None:
    assert palm_depth(np.zeros((1, 21, 2)), AVERAGE_LENGTHS)[0] >= 1e5
