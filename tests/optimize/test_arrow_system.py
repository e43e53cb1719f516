"""The banded, bordered solver against dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.optimize.arrow_system import ArrowSystem

Array = NDArray[np.float64]


def random_system(frames: int, shared: int, seed: int = 0) -> ArrowSystem:
    """Sum of random squares that touch three neighbouring frames and the shared unknowns: positive definite."""
    rng = np.random.default_rng(seed)
    system = ArrowSystem.zeros(frames, shared)
    for i in range(frames):
        near = range(max(i - 2, 0), i + 1)
        jacobian = rng.standard_normal((9, 6 * len(near) + shared))
        square = jacobian.T @ jacobian
        square[range(len(square)), range(len(square))] += 0.1
        blocks = (system.diagonal, system.below1, system.below2)
        for a, row in enumerate(near):
            for b, column in enumerate(near):
                if row >= column:
                    part = square[6 * a : 6 * a + 6, 6 * b : 6 * b + 6]
                    blocks[row - column][column] += part
            system.border[row] += square[6 * a : 6 * a + 6, 6 * len(near) :]
        system.corner += square[6 * len(near) :, 6 * len(near) :]
    system.gradient += rng.standard_normal((frames, 6))
    system.shared_gradient += rng.standard_normal(shared)
    return system


def split(x: Array, frames: int) -> tuple[Array, Array]:
    return x[: 6 * frames].reshape(frames, 6), x[6 * frames :]


@pytest.mark.parametrize("shared", [0, 1, 4])
@pytest.mark.parametrize("frames", [1, 2, 3, 9])
def test_step_is_that_of_the_dense_system(frames: int, shared: int) -> None:
    system = random_system(frames, shared)
    gradient = np.concatenate([system.gradient.ravel(), system.shared_gradient])
    expected = split(np.linalg.solve(system.dense(), -gradient), frames)
    step, shared_step = system.solve()
    np.testing.assert_allclose(step, expected[0], atol=1e-6)
    np.testing.assert_allclose(shared_step, expected[1], atol=1e-6)


def test_damping_scales_each_frames_diagonal() -> None:
    system = random_system(5, 2)
    damping = np.array([0.1, 3.0, 0.0, 1.0, 10.0])
    dense = system.dense()
    extra = np.concatenate([np.repeat(damping, 6), [0.5, 0.5]]) * np.diag(dense)
    gradient = np.concatenate([system.gradient.ravel(), system.shared_gradient])
    expected = split(np.linalg.solve(dense + np.diag(extra), -gradient), 5)
    step, shared_step = system.solve(damping, 0.5)
    np.testing.assert_allclose(step, expected[0], atol=1e-6)
    np.testing.assert_allclose(shared_step, expected[1], atol=1e-6)


@pytest.mark.parametrize("shared", [0, 1, 4])
@pytest.mark.parametrize("frames", [1, 2, 3, 9])
def test_covariances_are_blocks_of_the_dense_inverse(frames: int, shared: int) -> None:
    system = random_system(frames, shared, seed=3)
    inverse = np.linalg.inv(system.dense() + 0.01 * np.eye(6 * frames + shared))
    poses, corner = system.covariance(vague=0.01)
    for i in range(frames):
        np.testing.assert_allclose(
            poses[i], inverse[6 * i : 6 * i + 6, 6 * i : 6 * i + 6], rtol=1e-5, atol=1e-7
        )
    np.testing.assert_allclose(corner, inverse[6 * frames :, 6 * frames :], rtol=1e-5, atol=1e-7)


def test_quadratic_form_is_that_of_the_dense_matrix() -> None:
    system, rng = random_system(6, 3), np.random.default_rng(1)
    step, change = rng.standard_normal((6, 6)), rng.standard_normal(3)
    x = np.concatenate([step.ravel(), change])
    assert system.quadratic(step, change) == pytest.approx(x @ system.dense() @ x)


def test_indefinite_matrix_is_an_error() -> None:
    system = random_system(4, 1)
    system.diagonal[2] -= 1e3 * np.eye(6)
    with pytest.raises(np.linalg.LinAlgError):
        system.solve()
    system = random_system(4, 1)
    system.corner[0, 0] -= 1e3
    with pytest.raises(np.linalg.LinAlgError):
        system.solve()


def test_frame_that_nothing_holds_stays() -> None:
    system = random_system(3, 0)
    alone = ArrowSystem.zeros(4, 0)
    alone.diagonal[:3], alone.below1[:2], alone.below2[:1] = system.diagonal, system.below1, system.below2
    alone.gradient[:3] = system.gradient
    step, _ = alone.solve()
    np.testing.assert_allclose(step[:3], system.solve()[0], atol=1e-9)
    np.testing.assert_array_equal(step[3], 0.0)
