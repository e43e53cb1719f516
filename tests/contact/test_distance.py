"""Signed distances against closed forms and against a brute-force twin in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose.contact import signed_distance
from dexman_pose.contact.distance import is_closed
from dexman_pose.data import Mesh
from dexman_pose.errors import InputError, MeshError

Array = NDArray[np.float64]


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))


def box_distance(points: Array, half: Array) -> Array:
    """Exact signed distance of an axis-aligned box."""
    q = np.abs(points) - half
    return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(1), 0)


def brute_force(mesh: Mesh, points: Array) -> tuple[Array, Array]:
    """Distance to every triangle, and the winding number by solid angles (Van Oosterom and Strackee 1983)."""
    corners = mesh.vertices[mesh.faces]
    distance, winding = np.zeros(len(points)), np.zeros(len(points))
    for i, p in enumerate(points):
        near = trimesh.triangles.closest_point(corners, np.broadcast_to(p, (len(corners), 3)))
        distance[i] = np.linalg.norm(near - p, axis=1).min()
        a, b, c = np.moveaxis(corners - p, 1, 0)
        la, lb, lc = (np.linalg.norm(x, axis=1) for x in (a, b, c))
        top = np.einsum("ij,ij->i", a, np.cross(b, c))
        bottom = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
        winding[i] = np.arctan2(top, bottom).sum() / (2 * np.pi)
    return distance, winding


def test_box_matches_the_closed_form() -> None:
    half = np.array([0.03, 0.05, 0.02])
    points = np.random.default_rng(0).uniform(-0.12, 0.12, (2000, 3))
    found = signed_distance(as_mesh(trimesh.creation.box(2 * half)), points)
    np.testing.assert_allclose(found.distance, box_distance(points, half), atol=2e-7)
    np.testing.assert_allclose(
        np.linalg.norm(found.nearest - points, axis=1), np.abs(found.distance), atol=2e-7
    )
    assert (found.distance < 0).any() and (found.distance > 0).any()


def test_sphere_matches_the_closed_form() -> None:
    points = np.random.default_rng(1).normal(size=(500, 3)) * 0.05
    found = signed_distance(as_mesh(trimesh.creation.icosphere(5, 0.05)), points)
    # The polyhedron lies inside its sphere by at most its sagitta.
    np.testing.assert_allclose(found.distance, np.linalg.norm(points, axis=1) - 0.05, atol=4e-5)
    outward = points / np.linalg.norm(points, axis=1, keepdims=True)
    far = np.linalg.norm(points, axis=1) > 0.02
    assert ((found.nearest[far] / 0.05 * outward[far]).sum(1) > 0.999).all()


def test_face_index_names_the_face_of_the_mesh_as_given() -> None:
    box = as_mesh(trimesh.creation.box((0.1, 0.1, 0.1)))
    with_degenerate = Mesh(box.vertices, np.concatenate([[[0, 0, 1]], box.faces]).astype(np.int32))
    found = signed_distance(with_degenerate, [[0.2, 0.01, 0.02], [0.01, -0.3, 0.02]])
    corners = with_degenerate.vertices[with_degenerate.faces[found.face]]
    np.testing.assert_allclose(corners[0, :, 0], 0.05)
    np.testing.assert_allclose(corners[1, :, 1], -0.05)


def test_closed_non_convex_mesh_matches_brute_force() -> None:
    mesh = as_mesh(trimesh.creation.torus(0.04, 0.015, major_sections=24, minor_sections=12))
    points = np.random.default_rng(2).uniform(-0.06, 0.06, (200, 3))
    distance, winding = brute_force(mesh, points)
    found = signed_distance(mesh, points)
    np.testing.assert_allclose(found.distance, np.where(winding > 0.5, -distance, distance), atol=1e-6)
    assert (winding > 0.5).sum() > 10


def test_open_mesh_matches_brute_force() -> None:
    sphere = trimesh.creation.icosphere(3, 0.05)
    mesh = Mesh(np.asarray(sphere.vertices), np.asarray(sphere.faces)[sphere.triangles_center[:, 2] < 0.03])
    assert not is_closed(mesh.faces.astype(np.int64))
    points = np.random.default_rng(3).uniform(-0.07, 0.07, (300, 3))
    distance, winding = brute_force(mesh, points)
    clear = np.abs(winding - 0.5) > 0.05  # the fast winding number is an approximation
    found = signed_distance(mesh, points)
    truth = np.where(winding > 0.5, -distance, distance)
    np.testing.assert_allclose(found.distance[clear], truth[clear], atol=1e-6)
    assert (winding[clear] > 0.5).sum() > 20 and clear.mean() > 0.9


@pytest.mark.parametrize("opened", [False, True])
def test_mesh_with_faces_turned_inwards(opened: bool) -> None:
    box = as_mesh(trimesh.creation.box((0.1, 0.1, 0.1)))
    faces = box.faces[2:] if opened else box.faces
    found = signed_distance(Mesh(box.vertices, faces[:, ::-1].copy()), [[0.0, 0.0, 0.0], [0.2, 0.0, 0.0]])
    np.testing.assert_allclose(found.distance, [-0.05, 0.15], atol=1e-6)


def test_seams_with_doubled_vertices_stay_closed() -> None:
    box = as_mesh(trimesh.creation.box((0.1, 0.1, 0.1)))
    soup = Mesh(box.vertices[box.faces].reshape(-1, 3), np.arange(36).reshape(12, 3))
    found = signed_distance(soup, [[0.0, 0.0, 0.04], [0.06, 0.06, 0.0]])
    np.testing.assert_allclose(found.distance, [-0.01, np.hypot(0.01, 0.01)], atol=1e-7)


def test_precision_far_from_the_origin() -> None:
    box = as_mesh(trimesh.creation.box((0.1, 0.1, 0.1)))
    away = np.array([80.0, -60.0, 40.0])
    moved = Mesh(box.vertices + away, box.faces)
    assert signed_distance(moved, [away + [0.0, 0.0, 0.051]]).distance[0] == pytest.approx(0.001, abs=1e-7)


def test_no_points_and_bad_points() -> None:
    box = as_mesh(trimesh.creation.box((0.1, 0.1, 0.1)))
    assert signed_distance(box, np.zeros((0, 3))).nearest.shape == (0, 3)
    with pytest.raises(InputError, match="shape"):
        signed_distance(box, np.zeros((4, 2)))
    with pytest.raises(InputError, match="finite"):
        signed_distance(box, [[np.nan, 0.0, 0.0]])


def test_mesh_without_any_area() -> None:
    with pytest.raises(MeshError, match="area"):
        signed_distance(Mesh(np.eye(3), np.array([[0, 1, 1]])), [[0.0, 0.0, 0.0]])
