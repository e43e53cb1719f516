"""Convex pieces, mass, and poses that stand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.errors import MeshError, MissingExtraError
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.robot.objects.mass import mass_properties
from dexman_pose.robot.objects.model import simulated_object
from dexman_pose.robot.objects.pieces import PieceOptions, convex_pieces
from dexman_pose.robot.objects.placement import standing


def as_mesh(shape: Any) -> Mesh:
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))


def box(*sides: float) -> Mesh:
    return as_mesh(trimesh.creation.box(sides))


def test_a_convex_mesh_is_one_piece_of_few_corners() -> None:
    (piece,) = convex_pieces(box(0.1, 0.06, 0.04))
    assert len(piece) == 8
    (ball,) = convex_pieces(as_mesh(trimesh.creation.icosphere(3, 0.05)))
    assert len(ball) == PieceOptions().corners
    assert np.linalg.norm(ball, axis=1).min() > 0.049


def test_a_ring_keeps_its_hole(tmp_path: Path) -> None:
    pytest.importorskip("coacd", reason="needs: pip install 'dexman-pose[robot]'")
    ring = as_mesh(trimesh.creation.torus(0.04, 0.01, 16, 8))
    options = PieceOptions(rounds=20, most=8)
    pieces = convex_pieces(ring, options, tmp_path)
    assert 3 <= len(pieces) <= 8
    from scipy.spatial import Delaunay

    through = np.stack([np.zeros(9), np.zeros(9), np.linspace(-0.01, 0.01, 9)], 1)
    assert not any((Delaunay(p).find_simplex(through) >= 0).any() for p in pieces)
    (kept,) = tmp_path.glob("*.npz")
    again = convex_pieces(ring, options, tmp_path)
    assert all(np.array_equal(a, b) for a, b in zip(pieces, again))
    kept.write_bytes(b"no archive")
    assert len(convex_pieces(ring, options, tmp_path)) == len(pieces), "a damaged file is made anew"


def test_without_coacd_the_command_is_named_and_a_hull_can_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "coacd", None)
    ring = as_mesh(trimesh.creation.torus(0.04, 0.01, 16, 8))
    with pytest.raises(MissingExtraError, match=r"pip install 'dexman-pose\[robot\]'.*hull"):
        convex_pieces(ring, cache=tmp_path)
    (hull,) = convex_pieces(ring, PieceOptions(hull_only=True), tmp_path)
    assert len(hull) > 8


def test_a_flat_mesh_is_refused() -> None:
    flat = Mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], [[0, 1, 2], [1, 3, 2]])
    with pytest.raises(MeshError, match="no volume"):
        convex_pieces(flat)


def test_mass_and_inertia_of_a_box_are_those_of_the_formula() -> None:
    mesh = box(0.1, 0.06, 0.04)
    moved = Mesh(mesh.vertices + [1.0, -2.0, 0.5], mesh.faces)
    found = mass_properties(moved, (), density=500.0)
    assert found.mass == pytest.approx(500 * 0.1 * 0.06 * 0.04)
    assert np.allclose(found.center, [1.0, -2.0, 0.5])
    a, b, c = 0.1**2, 0.06**2, 0.04**2
    assert np.allclose(found.inertia, found.mass / 12 * np.diag([b + c, a + c, a + b]), rtol=1e-6, atol=1e-12)
    heavy = mass_properties(moved, (), mass=2.0)
    assert np.allclose(heavy.inertia, found.inertia * 2.0 / found.mass)
    assert "given" in heavy.source


def test_a_hollow_thing_weighs_what_its_walls_weigh() -> None:
    outer, inner = trimesh.creation.box((0.1, 0.1, 0.1)), trimesh.creation.box((0.08, 0.08, 0.08))
    inner.invert()
    found = mass_properties(as_mesh(trimesh.util.concatenate([outer, inner])), ())
    assert found.mass == pytest.approx(500 * (0.001 - 0.000512))


def test_an_open_mesh_weighs_what_its_pieces_weigh() -> None:
    mesh = box(0.1, 0.06, 0.04)
    opened = Mesh(mesh.vertices, mesh.faces[2:])
    found = mass_properties(opened, (mesh.vertices,))
    assert found.mass == pytest.approx(500 * 0.1 * 0.06 * 0.04)
    assert "open" in found.source


def test_principal_axes_are_right_handed() -> None:
    mesh = box(0.1, 0.06, 0.04)
    turned = Mesh(mesh.vertices @ so3_exp([0.3, -0.5, 0.8]).T, mesh.faces)
    found = mass_properties(turned, ())
    moments, axes = found.principal()
    assert np.linalg.det(axes) == pytest.approx(1.0)
    assert np.allclose(axes @ np.diag(moments) @ axes.T, found.inertia)


def test_a_tilted_box_is_put_on_its_nearest_face(mujoco: Any) -> None:
    thing = simulated_object("box", box(0.1, 0.06, 0.04))
    pose = se3(so3_exp([0.12, -0.1, 0.4]), [0.3, -0.1, 0.5])
    found = standing(thing, pose)
    assert found.stands
    assert found.world_from_object[2, 3] == pytest.approx(0.02, abs=1e-3)
    assert abs(found.world_from_object[2, 2]) > 0.999
    assert found.turned == pytest.approx(np.hypot(0.12, 0.1), abs=0.05)
    assert found.moved < 0.01


def test_a_box_that_cannot_balance_on_its_edge_is_far_from_where_it_stands(mujoco: Any) -> None:
    thing = simulated_object("box", box(0.1, 0.06, 0.04))
    found = standing(thing, se3(so3_exp([0.75, 0.0, 0.0]), [0, 0, 0.1]))
    assert found.stands
    assert found.turned > 0.6
