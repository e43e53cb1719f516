"""Evidence from many frames about joints at rest: its sum, and its derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.hands.model.evidence import BoneDirections, Reprojection, Together
from dexman_pose.interaction.seen_from import SeenFrom, carried

FRAMES = 4


@pytest.fixture
def seen() -> tuple[SeenFrom, np.ndarray]:
    """Noisy landmarks and bones of a hand in four frames, and the hand at rest."""
    rng = np.random.default_rng(3)
    joints = 0.05 * rng.standard_normal((1, 21, 3))
    places = se3(so3_exp(rng.standard_normal((FRAMES, 3))), [0.0, 0.05, 0.7])
    there = carried(joints, places)
    rays = there[..., :2] / there[..., 2:] + 0.003 * rng.standard_normal((FRAMES, 21, 2))
    bones = there[:, 1:] - there[:, np.array(JOINT_PARENTS[1:])] + 0.004 * rng.standard_normal((20, 3))
    terms = (
        Reprojection(rays, np.full((FRAMES, 21), 0.005)),
        BoneDirections(bones, np.full((FRAMES, 20), 0.01)),
    )
    return SeenFrom(places, Together(terms), 0.5), joints


def test_carried_joints_are_where_the_frames_see_them() -> None:
    place = se3(so3_exp(np.array([0.0, 0.0, np.pi / 2])), [0.0, 0.0, 1.0])[None]
    point = np.zeros((1, 21, 3))
    point[0, 3] = [0.1, 0.0, 0.0]
    np.testing.assert_allclose(carried(point, place)[0, 3], [0.0, 0.1, 1.0], atol=1e-12)


def test_the_cost_is_half_the_sum_of_squares(seen: tuple[SeenFrom, np.ndarray]) -> None:
    evidence, joints = seen
    assert evidence(joints).cost == pytest.approx(0.5 * float((evidence.residuals(joints) ** 2).sum()))


def test_the_gradient_is_that_of_the_cost(seen: tuple[SeenFrom, np.ndarray]) -> None:
    evidence, joints = seen
    gradient, step = evidence(joints).gradient, 1e-6
    for joint, axis in ((0, 0), (5, 1), (8, 2), (20, 0)):
        moved = np.zeros_like(joints)
        moved[0, joint, axis] = step
        slope = (evidence(joints + moved).cost - evidence(joints - moved).cost) / (2 * step)
        assert gradient[0, joint, axis] == pytest.approx(slope, rel=1e-4, abs=1e-3)


def test_the_curvature_is_that_of_the_squares(seen: tuple[SeenFrom, np.ndarray]) -> None:
    evidence, joints = seen
    found, step = evidence(joints), 1e-6

    def slope(joint: int, axis: int) -> np.ndarray:
        moved = np.zeros_like(joints)
        moved[0, joint, axis] = step
        both = evidence.residuals(joints + moved) - evidence.residuals(joints - moved)
        out: np.ndarray = both[0] / (2 * step)
        return out

    assert found.own[0, 8, 1, 1] == pytest.approx(slope(8, 1) @ slope(8, 1), rel=1e-3)
    assert found.bones[0, 7, 2, 0] == pytest.approx(slope(8, 2) @ slope(7, 0), rel=1e-3)
