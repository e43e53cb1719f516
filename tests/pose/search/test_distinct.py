"""Poses that differ: the best of each neighbourhood is kept, symmetric equivalents count as one."""

from __future__ import annotations

import numpy as np

from dexman_pose.geometry import generate_symmetry, se3, so3_exp
from dexman_pose.pose.search.distinct import distinct_poses


def turned(*degrees: float) -> np.ndarray:
    return np.stack([se3(so3_exp([0.0, 0.0, np.deg2rad(d)]), [0.0, 0.0, 0.5]) for d in degrees])


def test_the_best_of_each_neighbourhood_is_kept_in_order_of_score() -> None:
    kept = distinct_poses(turned(0, 3, 40, 43, 90), np.array([1.0, 2.0, 5.0, 4.0, 3.0]), 5, np.deg2rad(10))
    assert kept == [2, 4, 1]
    assert distinct_poses(turned(0, 40, 90), np.array([1.0, 2.0, 3.0]), 2, np.deg2rad(10)) == [2, 1]


def test_symmetric_equivalents_count_as_one() -> None:
    quarter = generate_symmetry([se3(so3_exp([0.0, 0.0, np.pi / 2]), np.zeros(3))])
    poses, scores = turned(0, 90, 180, 45), np.array([4.0, 3.0, 2.0, 1.0])
    assert distinct_poses(poses, scores, 4, np.deg2rad(10)) == [0, 1, 2, 3]
    assert distinct_poses(poses, scores, 4, np.deg2rad(10), quarter) == [0, 3]
