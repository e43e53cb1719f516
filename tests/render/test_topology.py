"""Edges of a mesh: each once, with the corners on its two sides."""

from __future__ import annotations

import numpy as np

from dexman_pose.render._topology import edges_of
from dexman_pose.render.bench import icosphere


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
