"""An object that leans is set upright, and what the table tells of it is its height and tilt alone."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import se3, so3_exp, transform_points
from dexman_pose.interaction.steady.resting import known_standing, standing

UP = np.array([0.0, -1.0, 0.0])


def _box() -> Mesh:
    box = trimesh.creation.box((0.06, 0.08, 0.1))
    return Mesh(np.asarray(box.vertices), np.asarray(box.faces))


def test_an_object_that_seems_to_lean_stands_on_the_table() -> None:
    table = TablePlane(UP, 0.3, np.zeros((4, 4)))
    upright = so3_exp([np.pi / 2, 0.0, 0.0])  # the long side of the box is vertical
    leaning = se3(so3_exp([0.1, 0.3, -0.05]) @ upright, [0.0, 0.27, 0.7])
    stood = standing(leaning, _box(), table, 0.3)
    assert abs(float(stood[:3, 2] @ UP)) == pytest.approx(1.0, abs=1e-9)
    assert table.heights(transform_points(stood, _box().vertices)).min() == pytest.approx(0.0, abs=1e-9)
    # It turns about no other axis than it must, and moves up and down alone.
    np.testing.assert_allclose((stood[:3, 3] - leaning[:3, 3])[[0, 2]], 0.0, atol=1e-9)
    np.testing.assert_array_equal(standing(leaning, _box(), table, 0.05), leaning)
    np.testing.assert_array_equal(standing(leaning, _box(), None, 0.3), leaning)


def test_a_table_tells_height_and_tilt_as_well_as_it_is_known_itself() -> None:
    covariance = np.zeros((4, 4))
    covariance[0, 0] = 0.02**2  # of the normal, towards x
    covariance[3, 3] = 0.004**2
    known = known_standing(TablePlane(UP, 0.3, covariance), np.array([0.0, 0.3, 0.7]), 0.003, 0.015)
    along, turned = np.array([0.1, 0.0, 0.3, 0.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.0, 0.0, 0.4, 0.0])
    np.testing.assert_allclose(known @ along, 0.0, atol=1e-12)
    np.testing.assert_allclose(known @ turned, 0.0, atol=1e-12)
    up = np.array([0.0, 0.005, 0.0, 0.0, 0.0, 0.0])
    assert np.linalg.norm(known @ up) == pytest.approx(1.0)
    assert np.linalg.norm(known @ [0, 0, 0, 0.025, 0, 0]) == pytest.approx(1.0)
