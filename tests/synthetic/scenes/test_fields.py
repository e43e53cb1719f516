"""Solids as functions: distances that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.synthetic.scenes.fields import bar, bevelled, block, disc, half_space, melted, union, without


def test_distances_to_simple_solids() -> None:
    p = np.array([[3.0, 0.0, 0.0], [0.0, 0.0, 0.0], [2.0, 2.0, 0.0]])
    assert block([-1, -1, -1], [1, 1, 1], 0.2)(p) == pytest.approx([2.0, -1.0, 2**0.5 * 1.2 - 0.2])
    assert bar([0, -1, 0], [0, 1, 0], 0.5)(p) == pytest.approx([2.5, -0.5, 5**0.5 - 0.5])
    assert disc([0, 0, 0], 2, 1.0, 0.5)(p) == pytest.approx([2.0, -0.5, 8**0.5 - 1])
    assert half_space([1, 0, 0], [2, 0, 0])(p) == pytest.approx([2.0, -1.0, 1.0])


def test_unions_and_cuts() -> None:
    left, right = block([-2, -1, -1], [0.5, 1, 1], 0.0), block([-0.5, -1, -1], [2, 1, 1], 0.0)
    p = np.array([[-1.5, 0, 0], [0.0, 0, 0], [1.5, 0, 0]])
    assert (union(left, right)(p) < 0).tolist() == [True, True, True]
    assert (without(left, right)(p) < 0).tolist() == [True, False, False]


def test_melting_fills_the_corner_and_bevelling_takes_the_edge_off() -> None:
    floor, wall = half_space([0, 0, 0], [0, 0, 1]), half_space([0, 0, 0], [1, 0, 0])
    corner, far = np.array([[0.1, 0.0, 0.1]]), np.array([[2.0, 0.0, 0.1]])
    assert union(floor, wall)(corner)[0] > 0 > melted(floor, wall, 1.0)(corner)[0]
    assert melted(floor, wall, 1.0)(far) == pytest.approx(union(floor, wall)(far))
    edge = np.array([[-0.1, 0.0, -0.1]])
    assert bevelled(floor, wall, 1.0)(edge)[0] > 0
