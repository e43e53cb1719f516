"""Rows put together term by term give the least squares that dense matrices give."""

from __future__ import annotations

import numpy as np

from dexman_pose.interaction.steady.rows import Rows


def test_the_solution_is_that_of_dense_least_squares() -> None:
    rng = np.random.default_rng(0)
    rows = Rows(7)
    dense, right = [], []
    for count, size, width in ((5, 2, 3), (4, 3, 2)):
        columns = np.stack([rng.choice(7, width + 1, replace=False) for _ in range(count)])
        slopes, residuals = rng.normal(size=(count, size, width + 1)), rng.normal(size=(count, size))
        rows.add(
            residuals, (columns[:, :width], slopes[..., :width]), (columns[:, width:], slopes[..., width:])
        )
        for k in range(count):
            part = np.zeros((size, 7))
            part[:, columns[k]] = slopes[k]
            dense.append(part)
            right.append(residuals[k])
    expected = -np.linalg.lstsq(np.concatenate(dense), np.concatenate(right), rcond=None)[0]
    np.testing.assert_allclose(rows.solve(), expected, rtol=1e-5, atol=1e-7)


def test_one_slope_serves_all_rows() -> None:
    rows = Rows(3)
    rows.add(np.array([[-1.0], [-2.0], [-3.0]]), (np.arange(3)[:, None], np.full((1, 1, 1), 2.0)))
    np.testing.assert_allclose(rows.solve(), [0.5, 1.0, 1.5], rtol=1e-6)


def test_unknowns_of_which_nothing_is_known_stay_at_nothing() -> None:
    rows = Rows(2)
    rows.add(np.array([[-1.0]]), (np.zeros((1, 1), int), np.ones((1, 1, 1))))
    np.testing.assert_allclose(rows.solve(), [1.0, 0.0], atol=1e-6)
