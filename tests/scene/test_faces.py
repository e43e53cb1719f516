"""The faces an object can stand on."""

from __future__ import annotations

import numpy as np
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.scene.faces import standing_faces
from dexman_pose.scene.options import FaceOptions
from tests.scene.staged import box


def _mesh(made: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(made.vertices), np.asarray(made.faces))


def test_a_box_stands_on_all_six_and_best_on_the_broad_ones() -> None:
    faces = standing_faces(box(0.2, 0.1, 0.04))
    assert len(faces.down) == 6
    np.testing.assert_allclose(np.abs(faces.down[:2, 2]), 1.0, atol=1e-9)
    np.testing.assert_allclose(np.sort(np.abs(faces.down), axis=1)[:, :2], 0.0, atol=1e-9)
    assert faces.share[0] > 5 * faces.share[-1] and np.isclose(faces.share.sum(), 1.0)
    assert (faces.sigma < np.radians(3)).all()


def test_a_face_beside_the_middle_carries_nothing() -> None:
    # A pyramid whose tip leans far over its edge falls off its base.
    base = np.array([[-0.05, -0.05, 0], [0.05, -0.05, 0], [0.05, 0.05, 0], [-0.05, 0.05, 0]])
    upright, leaning = (
        _mesh(trimesh.convex.convex_hull(np.concatenate([base, [[x, 0.0, 0.1]]]))) for x in (0.0, 0.4)
    )
    down = np.array([0.0, 0.0, -1.0])
    assert (standing_faces(upright).down @ down).max() > 0.999
    assert (standing_faces(leaning).down @ down).max() < np.cos(np.radians(10))


def test_a_cylinder_is_sure_on_its_ends_and_less_on_its_side() -> None:
    faces = standing_faces(_mesh(trimesh.creation.cylinder(radius=0.03, height=0.1, sections=64)))
    ends = np.abs(faces.down[:, 2]) > 0.999
    assert ends.sum() == 2
    assert faces.sigma[ends].max() < np.radians(2.5) < faces.sigma[~ends].min()
    np.testing.assert_allclose(faces.down[~ends][:, 2], 0.0, atol=1e-6)


def test_inner_walls_do_not_change_the_foot() -> None:
    cup = trimesh.creation.annulus(r_min=0.028, r_max=0.03, height=0.1)
    faces = standing_faces(_mesh(cup))
    assert (np.abs(faces.down[:, 2]) > 0.999).sum() == 2


def test_a_finely_rounded_thing_keeps_few_faces() -> None:
    sphere = standing_faces(_mesh(trimesh.creation.icosphere(subdivisions=4, radius=0.04)))
    few = FaceOptions(corners=200, most=10)
    assert 0 < len(sphere.share) <= FaceOptions().most
    assert len(standing_faces(_mesh(trimesh.creation.icosphere(subdivisions=4)), few).corners) <= few.corners


def test_a_flat_sheet_has_no_faces() -> None:
    sheet = Mesh([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0.1, 0.1, 0]], [[0, 1, 2], [1, 3, 2]])
    assert len(standing_faces(sheet).share) == 0


def test_the_foot_is_the_plane_that_touches_not_the_mean_of_what_is_nearly_one_face() -> None:
    # A level foot to the left and a slope of 6 degrees to the right of it.
    rise = 0.1 * np.tan(np.radians(6.0))
    profile = np.array([[-0.1, 0.0], [0.02, 0.0], [0.12, rise], [0.12, 0.05], [-0.1, 0.05]])
    corners = np.array([[x, y, z] for x, z in profile for y in (-0.06, 0.06)])
    faces = standing_faces(_mesh(trimesh.convex.convex_hull(corners)))
    under = int(np.argmin(faces.down[:, 2]))
    np.testing.assert_allclose(faces.down[under], [0.0, 0.0, -1.0], atol=1e-9)
    lid = int(np.argmax(faces.down[:, 2]))
    assert faces.sigma[under] > faces.sigma[lid]
