"""Nearest points by numpy alone, beside scipy's tree."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.spatial import cKDTree

from dexman_pose.metrics.mesh_points.hull import hull_of
from dexman_pose.metrics.mesh_points.kd_tree import PlainTree, kd_tree, leaves_of


@pytest.mark.parametrize("count", [1, 2, 48, 49, 1000])
@pytest.mark.parametrize("spread", [0.0, 0.02, 5.0])
def test_the_plain_tree_finds_what_scipys_finds(count: int, spread: float) -> None:
    rng = np.random.default_rng(count)
    points = rng.normal(0, 0.05, (count, 3))
    asked = rng.normal(0, 0.05, (300, 3)) + spread
    distances, indices = PlainTree(points).query(asked)
    expected = cKDTree(points).query(asked)[0]
    np.testing.assert_allclose(distances, expected, rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(asked - points[indices], axis=1), expected, rtol=1e-12)


def test_doubles_flat_sets_and_nothing_asked() -> None:
    points = np.zeros((200, 3))
    points[100:, 0] = 1.0
    distances, indices = PlainTree(points).query(np.array([[0.9, 0.0, 0.0], [0.2, 0.0, 0.0]]))
    np.testing.assert_allclose(distances, [0.1, 0.2])
    assert indices[0] >= 100 > indices[1]
    none, _ = PlainTree(points).query(np.zeros((0, 3)))
    assert none.shape == (0,)


def test_groups_hold_every_point_once() -> None:
    points = np.random.default_rng(0).normal(size=(1234, 3))
    groups = leaves_of(points)
    assert sorted(np.concatenate(groups).tolist()) == list(range(1234))
    assert max(map(len, groups)) <= 48


def test_without_scipy_the_plain_tree_answers_and_the_hull_is_all(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(size=(100, 3))
    assert isinstance(kd_tree(points), cKDTree) and len(hull_of(points)) < 100
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    assert isinstance(kd_tree(points), PlainTree)
    np.testing.assert_array_equal(hull_of(points), points)
