"""Symmetries that are detected once."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.data import Mesh
from dexman_pose.symmetry import cache, detect
from dexman_pose.symmetry.cache import shape_symmetry_of, symmetry_of
from tests.symmetry.test_detect import SHAPES, mesh_of


def test_the_shape_of_a_mesh_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, looks = mesh_of(SHAPES["box"][0]), []
    asked = detect._shape_group
    monkeypatch.setattr(detect, "_shape_group", lambda test: looks.append(1) or asked(test))
    both = symmetry_of(mesh), shape_symmetry_of(mesh), symmetry_of(mesh)
    assert len(looks) == 1
    assert both[0] is both[2]
    assert both[1].name == "D2"


def test_colors_leave_the_symmetry_of_the_shape() -> None:
    mesh = mesh_of(SHAPES["box"][0])
    fine = mesh_of(SHAPES["box"][0].subdivide().subdivide().subdivide())
    red = np.where(fine.vertices[:, :1] > 0.3 * np.ptp(mesh.vertices[:, 0]), 255, 40)
    colors = np.concatenate([red, np.full((len(red), 2), 40)], 1).astype(np.uint8)
    painted = Mesh(fine.vertices, fine.faces, vertex_colors=colors)
    assert detect.detect_symmetry(painted).name != "D2"
    assert symmetry_of(painted).name == detect.detect_symmetry(painted).name
    assert shape_symmetry_of(painted).name == "D2"


def test_what_is_kept_goes_with_its_mesh() -> None:
    before = len(cache._known)
    mesh = mesh_of(SHAPES["box"][0])
    symmetry_of(mesh)
    assert len(cache._known) > before
    del mesh
    assert len(cache._known) == before
