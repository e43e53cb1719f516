"""A shape that differs in pose and size alone is right; a board that is too thick is told."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from dexman_pose.benchmarks.scene.scores.shape import score_shape, widths
from dexman_pose.data import Mesh
from dexman_pose.geometry.se3 import se3, so3_exp


def _box(*sides: float) -> Mesh:
    solid = trimesh.creation.box(sides)
    return Mesh(np.asarray(solid.vertices), np.asarray(solid.faces))


def test_widths_of_a_box() -> None:
    turned = _box(0.2, 0.1, 0.02).moved(se3(so3_exp(np.array([0.3, -0.5, 0.2])), np.array([0.1, 0.0, 0.5])))
    across, thick = widths(turned)
    assert across == pytest.approx(np.sqrt(0.2**2 + 0.1**2 + 0.02**2))
    assert thick == pytest.approx(0.02)


def test_pose_and_size_do_not_count() -> None:
    true = _box(0.2, 0.1, 0.02)
    found = true.scaled(1.3).moved(se3(so3_exp(np.array([0.0, 0.4, 0.3])), np.array([0.0, 0.2, 0.0])))
    scores = score_shape(found, true)
    assert scores["surface_percent"] == pytest.approx(0.0, abs=0.3)
    assert scores["thickness_ratio"] == pytest.approx(1.0, rel=0.03)


def test_a_board_that_is_too_thick() -> None:
    scores = score_shape(_box(0.2, 0.1, 0.06), _box(0.2, 0.1, 0.02))
    assert scores["surface_percent"] is not None
    assert scores["surface_percent"] > 3
    assert scores["thickness_ratio"] is not None
    assert scores["thickness_ratio"] > 2


def test_what_is_not_flat_has_no_ratio() -> None:
    assert score_shape(_box(0.1, 0.1, 0.1), _box(0.1, 0.1, 0.1))["thickness_ratio"] is None
