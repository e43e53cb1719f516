from __future__ import annotations

import numpy as np

from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.meshing.paint import Painter, vertex_normals

CAMERA = Camera.from_focal(400.0, 200, 160)


def cube(half: float = 0.03) -> Mesh:
    import trimesh

    solid = trimesh.creation.box(extents=[2 * half] * 3).subdivide().subdivide()
    return Mesh(solid.vertices, solid.faces)


def test_vertices_take_the_colour_they_project_to() -> None:
    mesh, pose = cube(), se3(np.eye(3), [0.0, 0.0, 0.4])
    x = np.arange(200) + np.zeros((160, 1))
    image = np.stack([x, 0 * x + 50, 255 - x], -1).astype(np.uint8)
    painter = Painter(mesh, CAMERA)
    painter.add(image, np.ones((160, 200), bool), pose)
    painted = painter.painted()
    front = np.abs(mesh.vertices[:, 2] + 0.03) < 1e-9
    inner = front & (np.abs(mesh.vertices[:, :2]) < 0.025).all(1)
    pixels = CAMERA.project(mesh.vertices[inner] + pose[:3, 3])
    assert painted.vertex_colors is not None and painted.seen is not None
    np.testing.assert_allclose(painted.vertex_colors[inner, 0], pixels[:, 0], atol=1.0)
    np.testing.assert_array_equal(painted.vertex_colors[inner, 1], 50)
    back = (mesh.vertices[mesh.faces][:, :, 2] > 0.0299).all(1)
    assert not painted.seen[back].any()


def test_pixels_that_show_something_else_give_no_colour() -> None:
    mesh, pose = cube(), se3(np.eye(3), [0.0, 0.0, 0.4])
    painter = Painter(mesh, CAMERA)
    painter.add(np.zeros((160, 200, 3), np.uint8), np.zeros((160, 200), bool), pose)
    painted = painter.painted()
    assert painted.seen is not None and not painted.seen.any()


def test_a_second_view_fills_what_the_first_did_not_show() -> None:
    mesh = cube()
    painter = Painter(mesh, CAMERA)
    everything = np.ones((160, 200), bool)
    painter.add(np.full((160, 200, 3), 10, np.uint8), everything, se3(np.eye(3), [0, 0, 0.4]))
    painter.add(
        np.full((160, 200, 3), 200, np.uint8), everything, se3(so3_exp([0, np.pi, 0]), [0, 0, 0.4]), 0.01
    )
    painted = painter.painted()
    assert painted.vertex_colors is not None
    front, back = mesh.vertices[:, 2] < -0.0299, mesh.vertices[:, 2] > 0.0299
    inner = (np.abs(mesh.vertices[:, :2]) < 0.02).all(1)
    assert (painted.vertex_colors[front & inner] == 10).all()
    assert (painted.vertex_colors[back & inner] == 200).all()


def test_normals_of_a_cube_point_outwards() -> None:
    mesh = cube()
    normals = vertex_normals(mesh)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0)
    assert np.einsum("ni,ni->n", normals, mesh.vertices).min() > 0
