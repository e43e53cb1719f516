"""Which side of a surface a point is on: thin, hollow, overlapping and open shapes against an exact winding number."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dexman_pose.contact import detect_contacts, signed_distance
from dexman_pose.data import HandTrack, Mesh, PoseTrack, RigidObject
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.geometry import so3_exp
from dexman_pose.metrics._signed import Surface

Array = NDArray[np.float64]
CLEAR = 1e-6  # metres: nearer to the surface single precision decides


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))


def channel() -> Mesh:
    """A U of 4 mm walls, 80 mm wide and high, 200 mm long, open upwards (+y) and at both ends."""
    outline = [[-40, 0], [40, 0], [40, 80], [36, 80], [36, 4], [-36, 4], [-36, 80], [-40, 80]]
    flat = np.array(outline) / 1000
    vertices = np.concatenate([np.c_[flat, np.full(8, -0.1)], np.c_[flat, np.full(8, 0.1)]])
    faces: list[tuple[int, int, int]] = []
    for a, b, c, d in ((0, 1, 4, 5), (1, 2, 3, 4), (0, 5, 6, 7)):
        faces += [(a + 8, b + 8, c + 8), (a + 8, c + 8, d + 8), (a, c, b), (a, d, c)]
    for i, j in zip(range(8), [*range(1, 8), 0]):
        faces += [(i, j, j + 8), (i, j + 8, i + 8)]
    return Mesh(vertices, np.array(faces))


def cup() -> Mesh:
    """A turned cup of 5 mm walls, 70 mm wide inside, 80 mm deep, open upwards (+z)."""
    profile = np.array([[0, -5], [40, -5], [40, 80], [35, 80], [35, 0], [0, 0]]) / 1000
    return as_mesh(trimesh.creation.revolve(profile, sections=32))


def overlapping() -> Mesh:
    """A ball half sunk into a block, as two closed pieces: a handle stuck into a body."""
    ball = trimesh.creation.icosphere(2, 0.05).apply_translation((0.05, 0, 0))
    return as_mesh(trimesh.util.concatenate([trimesh.creation.box((0.1, 0.1, 0.1)), ball]))


def bowl() -> Mesh:
    """Half a sphere of 50 mm without thickness, open upwards (+z)."""
    ball = trimesh.creation.icosphere(3, 0.05)
    return Mesh(np.asarray(ball.vertices), np.asarray(ball.faces)[ball.triangles_center[:, 2] < 0])


def leaf() -> Mesh:
    """One single sheet."""
    corners = np.array([[-0.1, -0.1, 0], [0.1, -0.1, 0], [0.1, 0.1, 0], [-0.1, 0.1, 0]])
    return Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]))


SHEET = as_mesh(trimesh.creation.box((0.2, 0.15, 0.0001)))
CLOSED = {
    "sheet": SHEET,
    "channel": channel(),
    "cup": cup(),
    "ring": as_mesh(trimesh.creation.torus(0.05, 0.01, major_sections=16, minor_sections=8)),
    "overlapping": overlapping(),
}
OPEN = {"bowl": bowl(), "leaf": leaf()}


def winding(mesh: Mesh, points: Array) -> Array:
    """How often the surface goes round each point, by solid angles (Van Oosterom and Strackee 1983)."""
    corners = mesh.vertices[mesh.faces]
    out = np.zeros(len(points))
    for i, p in enumerate(points):
        a, b, c = np.moveaxis(corners - p, 1, 0)
        la, lb, lc = (np.linalg.norm(x, axis=1) for x in (a, b, c))
        top = np.einsum("ij,ij->i", a, np.cross(b, c))
        bottom = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
        out[i] = np.arctan2(top, bottom).sum() / (2 * np.pi)
    return out


def _points(mesh: Mesh, seed: int) -> Array:
    """Around the mesh, on its axes, on a grid of whole centimetres, and close to its faces."""
    rng = np.random.default_rng(seed)
    low, high = mesh.vertices.min(0) - 0.03, mesh.vertices.max(0) + 0.03
    free = rng.uniform(low, high, (60, 3))
    axes = np.eye(3)[rng.integers(0, 3, 30)] * rng.uniform(-0.12, 0.12, (30, 1))
    weights = rng.dirichlet(np.ones(3), 40)
    corners = mesh.vertices[mesh.faces[rng.integers(0, len(mesh.faces), 40)]]
    close = np.einsum("ij,ijk->ik", weights, corners) + rng.normal(0, 5e-5, (40, 3))
    return np.concatenate([free, axes, np.round(free, 2), close])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), turned=st.booleans())
@pytest.mark.parametrize("name", CLOSED)
def test_the_side_is_that_of_the_exact_winding_number(name: str, seed: int, turned: bool) -> None:
    mesh = CLOSED[name]
    turn = so3_exp(np.random.default_rng(seed).normal(size=3)) if turned else np.eye(3)
    moved = Mesh(mesh.vertices @ turn.T, mesh.faces)
    points = _points(mesh, seed) @ turn.T
    inside = winding(moved, points) > 0.5
    measured = Surface(moved.vertices, moved.faces).distance(points)
    # The engine's own nearest points are tens of micrometres off on slivers: how near a point is must be exact here.
    exact = trimesh.proximity.closest_point_naive(trimesh.Trimesh(moved.vertices, moved.faces), points)[1]
    # The fast winding number of the metrics is an approximation in a sheet of 0.1 mm.
    for distance, clear in ((signed_distance(moved, points).distance, CLEAR), (measured, 1e-4)):
        sure = (exact > clear) & (np.abs(distance) > clear)
        assert sure.mean() > 0.5
        np.testing.assert_array_equal((distance < 0)[sure], inside[sure])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
@pytest.mark.parametrize("name", OPEN)
def test_open_meshes_hold_what_they_surround_for_more_than_half(name: str, seed: int) -> None:
    mesh = OPEN[name]
    points = _points(mesh, seed)
    share = winding(mesh, points)
    # The fast winding number is an approximation, and beside a face it jumps.
    clear = (np.abs(share - 0.5) > 0.05) & (np.abs(signed_distance(mesh, points).distance) > 1e-4)
    np.testing.assert_array_equal((signed_distance(mesh, points).distance < 0)[clear], (share > 0.5)[clear])


def test_above_a_thin_sheet_everything_is_outside() -> None:
    above = np.c_[np.random.default_rng(0).uniform(-0.1, 0.1, (500, 2)) * [1, 0.7], np.full(500, 0.1)]
    np.testing.assert_allclose(signed_distance(SHEET, above).distance, 0.1 - 0.00005, atol=1e-6)
    np.testing.assert_allclose(signed_distance(SHEET, [[0.01, 0.02, 0.0]]).distance, -0.00005, atol=1e-6)


def test_the_open_middle_of_a_channel_is_outside() -> None:
    found = signed_distance(channel(), [[0.0, 0.04, 0.0], [0.0, 0.06, 0.05], [0.038, 0.04, 0.0]])
    np.testing.assert_allclose(found.distance, [0.036, 0.036, -0.002], atol=1e-6)


def test_the_axis_of_a_cup_is_outside_but_for_its_bottom() -> None:
    heights = np.array([-0.0025, 0.01, 0.02, 0.034, 0.04, 0.06, 0.08])
    found = signed_distance(cup(), np.c_[np.zeros((7, 2)), heights])
    apothem = 0.035 * np.cos(np.pi / 32)  # of the polygon that the turned wall is
    np.testing.assert_allclose(found.distance, [-0.0025, 0.01, 0.02, 0.034, *3 * [apothem]], atol=1e-5)


def test_the_inside_of_one_piece_within_another_stays_inside() -> None:
    np.testing.assert_array_less(
        signed_distance(overlapping(), [[0.02, 0, 0], [0.049, 0, 0], [0.08, 0, 0]]).distance, 0
    )


def test_beside_a_single_sheet_everything_is_outside() -> None:
    found = signed_distance(leaf(), [[0.0, 0.0, 0.02], [0.0, 0.0, -0.02]])
    np.testing.assert_allclose(found.distance, [0.02, 0.02], atol=1e-7)


def test_a_hand_above_a_sheet_touches_nothing() -> None:
    rng = np.random.default_rng(1)
    joints = np.tile(
        np.c_[rng.uniform(-0.08, 0.08, (21, 2)), rng.uniform(-0.12, -0.1, 21)] + [0, 0, 0.5], (5, 1, 1)
    )
    yes = np.ones(5, np.bool_)
    bones = np.linalg.norm(joints[0] - joints[0][np.maximum(JOINT_PARENTS, 0)], axis=-1)
    hand = HandTrack("right", joints, np.zeros((5, 21, 2)), yes, ~yes, yes.astype(float), bones, "given")
    pose = np.tile(np.eye(4), (5, 1, 1))
    pose[:, 2, 3] = 0.5
    contacts = detect_contacts(
        {"card": RigidObject("card", SHEET, PoseTrack(pose, yes, yes.astype(float)))}, {"right": hand}
    )
    assert not contacts.touching.any() and contacts.distance.min() > 0.09
