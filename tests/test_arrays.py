from __future__ import annotations

import numpy as np

from dexman_pose.arrays import bounds, runs


def test_bounds_are_the_least_and_greatest_of_each_column() -> None:
    points = np.random.default_rng(0).normal(size=(57, 3))
    low, high = bounds(points)
    np.testing.assert_array_equal(low, points.min(0))
    np.testing.assert_array_equal(high, points.max(0))
    for corner in bounds(points[:1]):
        np.testing.assert_array_equal(corner, points[0])


def test_runs_are_spans_of_true_values() -> None:
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.zeros(3, np.bool_)) == []
