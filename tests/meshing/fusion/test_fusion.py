"""Depth images of a known surface become that surface."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import EstimationError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.meshing.fusion.box import box_of
from dexman_pose.meshing.fusion.closed import closed_solid, fused_views, seen_points
from dexman_pose.meshing.fusion.options import FusionOptions
from dexman_pose.meshing.fusion.views import View, normals_of_depth, trusted_depth
from dexman_pose.meshing.fusion.volume import Grid, integrate
from dexman_pose.render import Rasterizer

CAMERA = Camera(np.array([[260.0, 0, 79.5], [0, 260.0, 59.5], [0, 0, 1]]), 160, 120)
COARSE = FusionOptions(resolution=32)


def views_of(mesh: Mesh, turns: list[np.ndarray], noise: float = 0.0) -> list[View]:
    """Views of a mesh at 0.4 m, turned."""
    rng = np.random.default_rng(0)
    rasterizer, out = Rasterizer(mesh), []
    for turn in turns:
        pose = se3(so3_exp(turn), np.array([0.0, 0.0, 0.4]))
        seen = rasterizer.render(pose[None], CAMERA.K, 160, 120)
        depth = seen.depth[0] + np.where(seen.mask[0], noise * rng.standard_normal((120, 160)), 0.0)
        depth = np.where(seen.mask[0], depth, 0.8).astype(np.float32)
        image = np.full((120, 160, 3), 128, np.uint8)
        out.append(View(image, seen.mask[0].astype(np.uint8), 1, depth, pose))
    return out


def ball(radius: float = 0.05) -> Mesh:
    made = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    return Mesh(np.asarray(made.vertices), np.asarray(made.faces))


def around() -> list[np.ndarray]:
    """Eight turns about the upright axis, four about the level one."""
    upright = [np.array([0.0, a, 0.0]) for a in np.arange(8) * np.pi / 4]
    return upright + [np.array([a, 0.0, 0.0]) for a in (0.8, 1.6, -0.8, -1.6)]


def test_a_ball_seen_from_all_sides_is_that_ball() -> None:
    views = views_of(ball(), around(), noise=0.001)
    made = closed_solid(fused_views(views, CAMERA, COARSE), views, CAMERA, options=COARSE).surface()
    radius = np.linalg.norm(made.vertices, axis=1)
    assert abs(np.median(radius) - 0.05) < 0.0007
    assert radius.min() > 0.047 and radius.max() < 0.053
    assert trimesh.Trimesh(made.vertices, made.faces).is_watertight


def test_what_was_not_seen_reaches_as_far_as_outlines_and_table_allow() -> None:
    """A ball seen from the front and a little from the sides: of its back only a table and outlines tell."""
    views = views_of(ball(), [np.array([0.0, a, 0.0]) for a in (-0.5, -0.2, 0.2, 0.5)])
    fused = fused_views(views, CAMERA, COARSE)
    free = closed_solid(fused, views, CAMERA, options=COARSE).surface()
    cut = closed_solid(fused, views, CAMERA, (np.array([0.0, 0.0, -1.0]), 0.05), COARSE).surface()
    assert free.vertices[:, 2].max() > 0.06
    assert cut.vertices[:, 2].max() < 0.0515
    front = cut.vertices[:, 2] < -0.02
    off = np.abs(np.linalg.norm(cut.vertices[front], axis=1) - 0.05)
    assert np.quantile(off, 0.9) < 0.001 and off.max() < 0.007


def test_a_box_is_told_from_a_ball() -> None:
    solid = trimesh.creation.box((0.09, 0.07, 0.05))
    turned = Mesh(np.asarray(solid.vertices), np.asarray(solid.faces))
    turns = [np.array([0.5, 0.6 + a, 0.0]) for a in (-0.15, 0.0, 0.15)]
    cut = COARSE.cut * 0.4 / 260.0
    found = box_of(*seen_points(views_of(turned, turns, noise=0.0004), CAMERA), cut=cut)
    assert found is not None
    np.testing.assert_allclose(np.sort(found.sides), [0.05, 0.07, 0.09], atol=0.006)
    assert np.abs(np.abs(found.object_from_box[:3, :3]).max(0) - 1).max() < 1e-3
    assert box_of(*seen_points(views_of(ball(), turns), CAMERA)) is None


def test_a_boxs_mesh_is_closed_and_where_it_was_found() -> None:
    solid = trimesh.creation.box((0.09, 0.07, 0.05), se3(np.eye(3), np.array([0.01, 0.0, 0.0])))
    mesh = Mesh(np.asarray(solid.vertices), np.asarray(solid.faces))
    cut = COARSE.cut * 0.4 / 260.0
    found = box_of(*seen_points(views_of(mesh, [np.array([0.5, 0.6, 0.0])]), CAMERA), cut=cut)
    assert found is not None
    made = found.mesh(0.02)
    assert trimesh.Trimesh(made.vertices, made.faces).is_watertight
    np.testing.assert_allclose(made.center, [0.01, 0.0, 0.0], atol=0.004)
    edges = np.linalg.norm(made.vertices[made.faces] - made.vertices[np.roll(made.faces, 1, 1)], axis=2)
    assert edges.max() <= 0.02 + 1e-9


def test_distance_is_that_to_a_plane_and_unknown_behind_it() -> None:
    depth = np.full((120, 160), 0.5, np.float32)
    grid = Grid.around(np.array([-0.01, -0.01, 0.47]), np.array([0.01, 0.01, 0.53]), 0.005)
    fused = integrate([(depth, np.eye(4))], CAMERA, grid, 0.012)
    z = grid.points()[:, 2].reshape(grid.shape)
    known = fused.weight > 0
    assert (known == (z < 0.512)).all()
    np.testing.assert_allclose(fused.distance[known], np.minimum(0.5 - z, 0.012)[known], atol=1e-7)


def test_normals_face_the_camera_and_are_those_of_the_surface() -> None:
    view = views_of(ball(), [np.zeros(3)])[0]
    normals, known = normals_of_depth(view.depth, view.mask, CAMERA)
    v, u = np.nonzero(known)
    points = CAMERA.unproject(np.stack([u, v], 1), view.depth[v, u]) - [0.0, 0.0, 0.4]
    true = points / np.linalg.norm(points, axis=1, keepdims=True)
    agree = np.einsum("ni,ni->n", normals[v, u], true)
    assert np.median(agree) > 0.995 and (agree > 0.7).all()


def test_depth_of_things_behind_a_leaking_mask_is_dropped() -> None:
    view = views_of(ball(), [np.zeros(3)])[0]
    leaking = view.mask.copy()
    leaking[40:80, 120:135] = True
    depth, _ = trusted_depth(view.depth, leaking, CAMERA, FusionOptions(least_part=0.4))
    assert depth[60, 79] > 0 and not depth[:, 118:].any()


def test_no_depth_is_said() -> None:
    view = views_of(ball(), [np.zeros(3)])[0]
    blind = View(view.image, view.labels, 1, np.zeros_like(view.depth), view.camera_from_object)
    with pytest.raises(EstimationError, match="no frame has depth"):
        fused_views([blind], CAMERA)
