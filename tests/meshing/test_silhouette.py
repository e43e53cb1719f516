from __future__ import annotations

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose.data import Camera
from dexman_pose.errors import EstimationError
from dexman_pose.meshing.inflate import SwollenOutline, half_thickness
from dexman_pose.meshing.silhouette import close_gaps, frame_on_ray, shape_from_mask
from dexman_pose.render import Rasterizer

CAMERA = Camera.from_focal(500.0, 320, 240)


def disc(radius: float, center: tuple[float, float] = (200.0, 90.0)) -> NDArray[np.bool_]:
    y, x = np.mgrid[0:240, 0:320]
    return np.hypot(x - center[0], y - center[1]) <= radius


def test_a_disc_swells_to_a_ball() -> None:
    half = half_thickness(disc(30))
    y, x = np.mgrid[0:240, 0:320]
    r = np.hypot(x - 200.0, y - 90.0)
    inside = r < 25
    np.testing.assert_allclose(half[inside], np.sqrt(30.5**2 - r[inside] ** 2), rtol=0.06)


def test_a_strip_swells_to_its_own_width_whatever_it_is_attached_to() -> None:
    mask = np.zeros((120, 200), bool)
    mask[56:65, 20:180] = True  # a rod 9 pixels wide
    rod = half_thickness(mask)[60, 60]
    mask[30:90, 130:190] = True  # with a big head
    assert half_thickness(mask)[60, 60] == pytest.approx(rod, rel=0.05)
    assert half_thickness(mask)[60, 160] > 3 * rod


def test_mesh_is_closed_points_outwards_and_fills_its_mask() -> None:
    mask = disc(28) | disc(12, (150.0, 100.0))
    image = np.full((240, 320, 3), (200, 40, 10), np.uint8)
    mesh, pose = shape_from_mask(mask, CAMERA, 0.6, image)
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.volume > 0
    drawn = Rasterizer(mesh).render(pose[None], CAMERA.K, 320, 240).mask[0]
    assert (drawn & mask).sum() / (drawn | mask).sum() > 0.94


def test_size_follows_the_distance() -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    mesh, pose = shape_from_mask(disc(28), CAMERA, 0.5, image)
    assert mesh.extents[0] == pytest.approx(57 * 0.5 / 500.0, rel=0.06)
    assert pose[2, 3] == pytest.approx(0.5)


def test_unseen_side_is_said_to_be_unseen() -> None:
    image = np.full((240, 320, 3), (200, 40, 10), np.uint8)
    mesh, _ = shape_from_mask(disc(28), CAMERA, 0.6, image)
    assert mesh.seen is not None and mesh.vertex_colors is not None
    z = mesh.vertices[mesh.faces].mean(1)[:, 2]
    assert not mesh.seen[z > 0.005].any(), "faces away from the camera"
    assert mesh.seen[z < -0.01].mean() > 0.9, "faces towards it"
    np.testing.assert_array_equal(np.unique(mesh.vertex_colors, axis=0), [[200, 40, 10]])


def test_frame_looks_along_the_viewing_ray() -> None:
    pose = frame_on_ray(disc(20), CAMERA, 0.7)
    ray = CAMERA.unproject(np.array([200.0, 90.0]), np.array(0.7))
    np.testing.assert_allclose(pose[:3, 3], ray, atol=1e-9)
    np.testing.assert_allclose(pose[:3, 2], ray / np.linalg.norm(ray), atol=1e-9)


def test_gaps_are_closed_only_where_an_occluder_lies() -> None:
    mask = np.zeros((100, 200), bool)
    mask[40:60, 20:180] = True
    finger = np.zeros_like(mask)
    finger[:, 95:105] = True
    cut = mask & ~finger
    assert close_gaps(cut, finger)[50, 100]
    assert not close_gaps(cut)[50, 100]


def test_too_small_a_mask_is_refused() -> None:
    with pytest.raises(EstimationError, match="at least 30 pixels"):
        SwollenOutline(disc(2), CAMERA, np.eye(4), 1.0)
