"""Edges of a mesh: each once, with the corners on its two sides; whether a mesh is closed."""

from __future__ import annotations

import numpy as np
import trimesh

from dexman_pose.benchmarks.speed.rasterise import icosphere
from dexman_pose.render._topology import edges_of, looks_outwards


def test_two_triangles_by_hand() -> None:
    found = edges_of(np.array([[0, 1, 2], [2, 1, 3]], np.int32))
    rows = {(int(a), int(b)): {int(c), int(d)} for a, b, c, d in found}
    assert rows == {(0, 1): {-1}, (0, 2): {-1}, (1, 2): {0, 3}, (1, 3): {-1}, (2, 3): {-1}}


def test_a_closed_mesh_has_two_faces_at_every_edge() -> None:
    mesh = icosphere(2, 1.0)
    found = edges_of(mesh.faces)
    assert len(found) == 3 * len(mesh.faces) // 2 and (found >= 0).all()
    corners = {frozenset(map(int, f)) for f in mesh.faces}
    assert all(frozenset((int(a), int(b), int(c))) in corners for a, b, c, _ in found)
    assert all(frozenset((int(a), int(b), int(d))) in corners for a, b, _, d in found)


def test_three_faces_at_an_edge_and_faces_without_area() -> None:
    found = edges_of(np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4], [5, 5, 0]], np.int32))
    shared = found[(found[:, 0] == 0) & (found[:, 1] == 1)]
    assert len(shared) == 1 and (shared[0, 2:] == -1).all()
    assert (found[:, 0] != found[:, 1]).all()


def test_a_closed_mesh_looks_outwards_and_an_open_or_inverted_one_does_not() -> None:
    mesh = icosphere(2, 1.0)
    assert looks_outwards(mesh.vertices, mesh.faces)
    assert looks_outwards(mesh.vertices, np.concatenate([mesh.faces, [[0, 0, 1]]]))
    assert not looks_outwards(mesh.vertices, mesh.faces[1:])
    assert not looks_outwards(mesh.vertices, mesh.faces[:, ::-1])
    one_turned = mesh.faces.copy()
    one_turned[0] = one_turned[0, ::-1]
    assert not looks_outwards(mesh.vertices, one_turned)


def test_vertices_at_one_place_are_no_border() -> None:
    box = trimesh.creation.box()
    apart = box.vertices[box.faces].reshape(-1, 3)
    assert looks_outwards(apart, np.arange(36, dtype=np.int32).reshape(12, 3))
    apart[0] += 1e-3
    assert not looks_outwards(apart, np.arange(36, dtype=np.int32).reshape(12, 3))


def test_every_part_must_look_outwards() -> None:
    box = trimesh.creation.box()
    vertices = np.concatenate([box.vertices, 0.1 * box.vertices + 3.0])
    assert looks_outwards(vertices, np.concatenate([box.faces, box.faces + 8]))
    assert not looks_outwards(vertices, np.concatenate([box.faces, box.faces[:, ::-1] + 8]))
