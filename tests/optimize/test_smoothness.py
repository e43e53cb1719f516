"""Accelerations of a track and their derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.geometry import so3_exp, so3_log
from dexman_pose.optimize.arrow_system import ArrowSystem
from dexman_pose.optimize.smoothness import (
    Kernel,
    Smoothness,
    Triples,
    accelerations,
    left_jacobian_inverse,
    robust,
)

Array = NDArray[np.float64]

TIMES = np.array([0.0, 0.03, 0.07, 0.1, 0.2, 0.21])


def one_stretch(times: Array) -> Triples:
    return Triples.of(times, np.zeros(len(times), np.intp))


def test_constant_acceleration_is_measured_exactly_at_uneven_times() -> None:
    truth = np.array([1.0, -2.0, 9.81])
    centers = 0.5 * truth * TIMES[:, None] ** 2 + np.array([0.3, 0.1, 0.0]) * TIMES[:, None] + 0.5
    linear, angular = accelerations(np.tile(np.eye(3), (6, 1, 1)), centers, one_stretch(TIMES))
    np.testing.assert_allclose(linear, np.tile(truth, (4, 1)), atol=1e-9)
    np.testing.assert_array_equal(angular, 0.0)


def test_rotation_about_a_fixed_axis_is_measured_exactly() -> None:
    axis, rate, rise = np.array([0.6, 0.0, 0.8]), 3.0, 40.0
    angle = rate * TIMES + 0.5 * rise * TIMES**2
    rotations = so3_exp(angle[:, None] * axis) @ so3_exp([0.3, -0.4, 0.2])
    _, angular = accelerations(rotations, np.zeros((6, 3)), one_stretch(TIMES))
    np.testing.assert_allclose(angular, np.tile(rise * axis, (4, 1)), atol=1e-9)


def test_triples_keep_to_their_stretch() -> None:
    triples = Triples.of(np.arange(9.0), np.array([0, 0, 0, 0, 1, 1, 2, 2, 2], np.intp))
    assert triples.middle.tolist() == [1, 2, 7]


@pytest.mark.parametrize("size", [0.0, 1e-5, 9e-3, 1.1e-2, 1.0, 3.1])
def test_jacobian_of_the_logarithm(size: float) -> None:
    turn = size * np.array([0.36, -0.48, 0.8])
    forward, backward = np.zeros((3, 3)), np.zeros((3, 3))
    for i, unit in enumerate(1e-6 * np.eye(3)):
        plus, minus = (so3_log(so3_exp(s * unit) @ so3_exp(turn)) for s in (1, -1))
        forward[:, i] = (plus - minus) / 2e-6
        plus, minus = (so3_log(so3_exp(turn) @ so3_exp(-s * unit)) for s in (1, -1))
        backward[:, i] = (plus - minus) / 2e-6
    jacobian = left_jacobian_inverse(turn)
    np.testing.assert_allclose(jacobian, forward, atol=1e-7)
    np.testing.assert_allclose(-jacobian.T, backward, atol=1e-7)


@pytest.mark.parametrize("kernel", ["huber", "geman-mcclure", "quadratic"])
def test_weight_is_the_derivative_of_the_robust_cost(kernel: Kernel) -> None:
    square = np.array([0.01, 1.0, 3.9, 4.1, 30.0, 1e4])
    cost, weight = robust(square, kernel, 2.0)
    step = 1e-5 * square
    slope = (robust(square + step, kernel, 2.0)[0] - robust(square - step, kernel, 2.0)[0]) / (2 * step)
    np.testing.assert_allclose(weight, slope, rtol=1e-5)
    assert cost[0] == pytest.approx(0.01, rel=1e-2)
    if kernel == "geman-mcclure":
        assert cost[-1] < 4.0


def random_track(seed: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.02, 0.05, 7))
    return so3_exp(rng.uniform(-1.5, 1.5, (7, 3))), rng.uniform(-0.2, 0.2, (7, 3)), times


@pytest.mark.parametrize("kernel", ["huber", "geman-mcclure", "quadratic"])
def test_gradient_against_finite_differences(kernel: Kernel) -> None:
    """Half the cost's gradient, by twists on the left of every pose and by shared unknowns."""
    rotations, centers, times = random_track(4)
    growth = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    term = Smoothness(one_stretch(times), 90.0, 900.0, kernel, 2.0, growth, np.array([0.1, 0.0]))
    shared = np.array([0.2, -0.1])
    system = ArrowSystem.zeros(7, 2)
    term.add(system, rotations, centers, shared)
    found, found_shared = np.zeros((7, 6)), np.zeros(2)
    h = 1e-6
    for i in range(7):
        for k in range(3):
            values = []
            for sign in (h, -h):
                moved = centers.copy()
                moved[i, k] += sign
                values.append(term.cost(rotations, moved, shared).sum())
            found[i, k] = (values[0] - values[1]) / (4 * h)
            values = []
            for sign in (h, -h):
                turned = rotations.copy()
                turned[i] = so3_exp(sign * np.eye(3)[k]) @ turned[i]
                values.append(term.cost(turned, centers, shared).sum())
            found[i, 3 + k] = (values[0] - values[1]) / (4 * h)
    for s in range(2):
        unit = h * np.eye(2)[s]
        up, down = (term.cost(rotations, centers, shared + sign * unit).sum() for sign in (1, -1))
        found_shared[s] = (up - down) / (4 * h)
    scale = np.abs(found).max()
    np.testing.assert_allclose(system.gradient, found, atol=1e-6 * scale)
    np.testing.assert_allclose(system.shared_gradient, found_shared, atol=1e-6 * np.abs(found_shared).max())


def test_matrix_is_the_square_of_the_jacobian() -> None:
    """With a quadratic kernel: the dense matrix equals J'J of numerically differentiated residuals."""
    rotations, centers, times = random_track(5)
    growth, reference = np.array([[1.0, 1.0, 1.0]]), np.array([0.0])
    term = Smoothness(one_stretch(times), 50.0, 500.0, "quadratic", 2.0, growth, reference)
    system = ArrowSystem.zeros(7, 1)
    term.add(system, rotations, centers, np.array([0.3]))

    def residuals(x: Array) -> Array:
        twists = x[:-1].reshape(7, 6)
        linear, angular = accelerations(
            so3_exp(twists[:, 3:]) @ rotations, centers + twists[:, :3], term.triples
        )
        return np.concatenate([(linear * np.exp(-0.3 - x[-1]) / 50.0).ravel(), (angular / 500.0).ravel()])

    h, jacobian = 1e-6, []
    for unit in h * np.eye(43):
        jacobian.append((residuals(unit) - residuals(-unit)) / (2 * h))
    expected = np.array(jacobian) @ np.array(jacobian).T
    np.testing.assert_allclose(system.dense(), expected, atol=1e-6 * np.abs(expected).max())


def test_growing_the_whole_scene_with_its_scale_costs_nothing() -> None:
    rotations, centers, times = random_track(6)
    term = Smoothness(one_stretch(times), 5.0, 50.0, "huber", 2.0, np.ones((1, 3)), np.zeros(1))
    small = term.cost(rotations, centers, np.zeros(1))
    large = term.cost(rotations, 1.7 * centers, np.log([1.7]))
    np.testing.assert_allclose(large, small, rtol=1e-10)
