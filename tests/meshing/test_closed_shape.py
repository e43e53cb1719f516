from __future__ import annotations

import numpy as np
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.geometry import se3
from dexman_pose.meshing.closed_shape import closed_shape, fill_share
from dexman_pose.render import Rasterizer


def cage(bars: int = 12) -> Mesh:
    """Thin upright bars around a cylinder of 4 cm radius and 12 cm height, between two plates."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * [0.001, 0.001, 0.06]
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    faces = np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]])
    angle = 2 * np.pi * np.arange(bars) / bars
    place = 0.04 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    plates = corners * [40.0, 40.0, 1 / 60]
    parts = [*(place[:, None] + corners), plates + [0, 0, 0.059], plates - [0, 0, 0.059]]
    vertices = np.concatenate(parts)
    colors = np.tile(np.array([200, 40, 40], np.uint8), (len(vertices), 1))
    return Mesh(
        vertices,
        np.concatenate([faces + 8 * i for i in range(len(parts))]).astype(np.int32),
        vertex_colors=colors,
    )


def test_bars_become_a_solid_of_the_same_extent_and_colour() -> None:
    mesh = cage()
    closed = closed_shape(mesh, gap=0.25)
    assert np.abs(closed.vertices.min(0) - mesh.vertices.min(0)).max() < 0.003
    assert np.abs(closed.vertices.max(0) - mesh.vertices.max(0)).max() < 0.003
    pose = se3(np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), np.array([0.0, 0.0, 0.5]))
    k = np.array([[500.0, 0, 100], [0, 500, 100], [0, 0, 1]])
    drawn = Rasterizer(closed).render(pose[None], k, 201, 201).mask[0]
    inside = drawn[45:156, 65:136]
    assert inside.mean() > 0.99
    assert closed.vertex_colors is not None and np.abs(closed.vertex_colors - [200.0, 40, 40]).max() < 5
    assert fill_share(mesh, closed) < 0.85


def test_a_solid_mesh_stays_as_it_is() -> None:
    box = trimesh.creation.box(extents=(0.08, 0.05, 0.03)).subdivide().subdivide()
    solid = Mesh(np.asarray(box.vertices), np.asarray(box.faces))
    closed = closed_shape(solid)
    assert fill_share(solid, closed) > 0.9
    assert np.abs(np.ptp(closed.vertices, axis=0) - np.ptp(solid.vertices, axis=0)).max() < 0.003
