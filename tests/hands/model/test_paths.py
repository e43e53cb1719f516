"""Differences over time: their values, their derivatives, and the banded system."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.hands.model.paths import JointPath, path_equations, solve_banded_blocks

RNG = np.random.default_rng(3)


def _path(frames: int, stencil: tuple[float, ...]) -> JointPath:
    first = np.arange(frames - len(stencil) + 1)
    places = se3(so3_exp(RNG.normal(size=(frames, 3))), RNG.normal(size=(frames, 3)))
    return JointPath(places, first, stencil, RNG.uniform(1.0, 5.0, (len(first), 21)))


def test_points_that_ride_along_do_not_differ() -> None:
    path = _path(6, (-1.0, 1.0))
    fixed = RNG.normal(size=(21, 3))
    turn, shift = path.frame_from_joints[:, :3, :3], path.frame_from_joints[:, :3, 3]
    joints = (fixed[None] - shift[:, None]) @ turn
    np.testing.assert_allclose(path.residual(joints), 0.0, atol=1e-12)


@pytest.mark.parametrize("stencil", [(-1.0, 1.0), (1.0, -2.0, 1.0)])
def test_gradient_and_curvature_are_those_of_the_cost(stencil: tuple[float, ...]) -> None:
    frames, own, shared = 5, 4, 3
    path = _path(frames, stencil)
    joints = RNG.normal(size=(frames, 21, 3))
    by_own, by_shared = (
        RNG.normal(size=(frames, 21, 3, own)),
        RNG.normal(size=(frames, 21, 3, shared)),
    )
    found = path_equations((path,), joints, by_own, by_shared)

    def cost(x: np.ndarray, s: np.ndarray) -> float:
        moved = joints + np.einsum("tjcp,tp->tjc", by_own, x) + by_shared @ s
        return 0.5 * float((path.residual(moved) ** 2).sum())

    zero, none, step = np.zeros((frames, own)), np.zeros(shared), 1e-4
    assert found.cost == pytest.approx(cost(zero, none))
    for t in range(frames):
        for p in range(own):
            ahead = zero.copy()
            ahead[t, p] = step
            slope = (cost(ahead, none) - cost(-ahead, none)) / (2 * step)
            assert found.gradient[t, p] == pytest.approx(slope, rel=1e-6, abs=1e-6)
    full = np.zeros((frames * own, frames * own))
    for k, blocks in enumerate(found.blocks):
        for t in range(frames - k):
            full[t * own : (t + 1) * own, (t + k) * own : (t + k + 1) * own] = blocks[t]
    full = np.triu(full) + np.triu(full, 1).T
    x = RNG.normal(size=(frames, own))
    quadratic = cost(x, none) - found.cost - float((found.gradient * x).sum())
    assert 0.5 * x.ravel() @ full @ x.ravel() == pytest.approx(quadratic, rel=1e-9)
    s = RNG.normal(size=shared)
    both = cost(x, s) - cost(x, none) - cost(zero, s) + found.cost
    assert float(np.einsum("tp,tps,s", x, found.mixed, s)) == pytest.approx(both, rel=1e-9)
    assert 0.5 * s @ found.shared_curvature @ s + found.shared_gradient @ s == pytest.approx(
        cost(zero, s) - found.cost, rel=1e-9
    )


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 7])
def test_the_banded_system_is_solved(frames: int) -> None:
    size, width = 3, frames * 3
    root = RNG.normal(size=(width, width))
    full = np.zeros((width, width))
    blocks = np.zeros((3, frames, size, size))
    for k in range(3):
        for t in range(frames - k):
            part = root[t * size : (t + 1) * size, (t + k) * size : (t + k + 1) * size]
            part = part @ part.T + 20 * np.eye(size) if k == 0 else 0.5 * part
            blocks[k, t] = part
            full[t * size : (t + 1) * size, (t + k) * size : (t + k + 1) * size] = part
            full[(t + k) * size : (t + k + 1) * size, t * size : (t + 1) * size] = part.T
    right = RNG.normal(size=(frames, size, 2))
    solved = solve_banded_blocks(blocks, right)
    np.testing.assert_allclose(full @ solved.reshape(width, 2), right.reshape(width, 2), atol=1e-9)


def test_a_system_that_is_not_positive_is_refused() -> None:
    blocks = np.zeros((3, 4, 2, 2))
    blocks[0] = -np.eye(2)
    with pytest.raises(np.linalg.LinAlgError):
        solve_banded_blocks(blocks, np.ones((4, 2, 1)))
