"""Surface nets against shapes whose size is known."""

from __future__ import annotations

import numpy as np
import trimesh

from dexman_pose.geometry.isosurface import surface_nets


def sphere(p: np.ndarray) -> np.ndarray:
    return np.linalg.norm(p - [0.1, 0.0, -0.05], axis=1) - 0.5


def test_sphere_is_closed_outward_and_exact() -> None:
    low, high = np.array([-0.6, -0.7, -0.7]), np.array([0.8, 0.7, 0.7])
    vertices, faces = surface_nets(sphere, low, high, 0.05)
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    assert mesh.is_watertight and mesh.euler_number == 2
    assert np.abs(sphere(vertices)).max() < 1e-4
    assert abs(mesh.volume / (4 / 3 * np.pi * 0.125) - 1) < 0.01


def test_torus_keeps_its_hole() -> None:
    def torus(p: np.ndarray) -> np.ndarray:
        ring = np.hypot(p[:, 0], p[:, 1]) - 0.4
        return np.hypot(ring, p[:, 2]) - 0.15

    vertices, faces = surface_nets(torus, np.full(3, -0.7), np.full(3, 0.7), 0.04)
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    assert mesh.is_watertight and mesh.euler_number == 0
    assert abs(mesh.volume / (2 * np.pi**2 * 0.4 * 0.15**2) - 1) < 0.02


def test_touching_shapes_stay_manifold() -> None:
    """Two spheres a fraction of a cell apart: the ambiguous cells must not leave edges with four faces."""

    def pair(p: np.ndarray) -> np.ndarray:
        a = np.linalg.norm(p - [0.31, 0.29, 0.3], axis=1) - 0.52
        b = np.linalg.norm(p + [0.3, 0.31, 0.3], axis=1) - 0.52
        return np.minimum(a, b)

    for spacing in (0.05, 0.06, 0.07):
        vertices, faces = surface_nets(pair, np.full(3, -1.0), np.full(3, 1.0), spacing)
        edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
        assert np.isfinite(vertices).all()
