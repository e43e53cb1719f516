"""Differences over time: their values, and what they say to second order."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.hands.model.paths import JointPath
from dexman_pose.hands.model.quadratic import JointQuadratic
from tests.hands.model.second_order import full_curvature

RNG = np.random.default_rng(3)


def _path(frames: int, stencil: tuple[float, ...], *, still: bool) -> JointPath:
    first = np.arange(frames - len(stencil) + 1)
    turns = so3_exp(RNG.normal(size=(frames, 3)))
    places = se3(turns[:1].repeat(frames, 0) if still else turns, RNG.normal(size=(frames, 3)))
    return JointPath(places, first, stencil, RNG.uniform(1.0, 5.0, (len(first), 21)))


def test_points_that_ride_along_do_not_differ() -> None:
    path = _path(6, (-1.0, 1.0), still=False)
    fixed = RNG.normal(size=(21, 3))
    turn, shift = path.frame_from_joints[:, :3, :3], path.frame_from_joints[:, :3, 3]
    joints = (fixed[None] - shift[:, None]) @ turn
    np.testing.assert_allclose(path.residual(joints), 0.0, atol=1e-12)


def _curvature(path: JointPath, found: JointQuadratic) -> Array:
    """(T * 63, T * 63) of a path, with what it says between frames."""
    frames = len(found.gradient)
    full = np.zeros((frames, 63, frames, 63))
    alone = full_curvature(found)
    for t in range(frames):
        full[t, :, t] = alone[t]
    # Joints as unknowns: finger by finger, the wrist with the first.
    unknowns = np.zeros((frames, 5, 5, 3, 63))
    for finger in range(5):
        for k, joint in enumerate([0, *range(1 + 4 * finger, 5 + 4 * finger)]):
            unknowns[:, finger, k, :, 3 * joint : 3 * joint + 3] = np.eye(3)
    for apart in (1, 2):
        joined = path.between(unknowns, apart)
        if joined is not None:
            for t, block in enumerate(joined.sum(1)):
                full[t, :, t + apart], full[t + apart, :, t] = block, block.T
    return full.reshape(frames * 63, -1)


@pytest.mark.parametrize("still", [False, True])
@pytest.mark.parametrize("stencil", [(-1.0, 1.0), (1.0, -2.0, 1.0)])
def test_differences_are_their_residuals_to_second_order(stencil: tuple[float, ...], still: bool) -> None:
    path, joints = _path(5, stencil, still=still), RNG.normal(size=(5, 21, 3))
    found = JointQuadratic.none(5)
    path.add_to(found, joints)

    def cost(moved: Array) -> float:
        return 0.5 * float((path.residual(moved) ** 2).sum())

    assert found.cost == pytest.approx(cost(joints))
    full = _curvature(path, found)
    for _ in range(5):
        step = RNG.normal(size=joints.shape)
        slope = (cost(joints + step) - cost(joints - step)) / 2  # the cost is quadratic
        assert (found.gradient * step).sum() == pytest.approx(slope, rel=1e-9)
        bent = cost(joints + step) + cost(joints - step) - 2 * cost(joints)
        assert step.ravel() @ full @ step.ravel() == pytest.approx(bent, rel=1e-9)


def test_frames_too_far_apart_are_not_joined() -> None:
    by = np.zeros((2, 5, 5, 3, 4))
    assert _path(4, (-1.0, 1.0), still=True).between(np.zeros((4, 5, 5, 3, 4)), 2) is None
    assert _path(2, (1.0, -2.0, 1.0), still=True).between(by, 2) is None
