from __future__ import annotations

import numpy as np
import trimesh
from scipy.spatial import cKDTree

from dexman_pose.data import Mesh
from dexman_pose.meshing.simplify import simplified


def ball(level: int) -> Mesh:
    made = trimesh.creation.icosphere(level, 0.05)
    return Mesh(np.asarray(made.vertices) * [1.0, 0.8, 0.6] + 0.2, np.asarray(made.faces))


def test_a_fine_mesh_stays_within_one_cell() -> None:
    fine = ball(5)
    coarse = simplified(fine, cells=24)
    cell = np.ptp(fine.vertices, axis=0).max() / 24
    assert len(coarse.faces) < 0.25 * len(fine.faces)
    assert coarse.faces.max() < len(coarse.vertices)
    used = coarse.vertices[np.unique(coarse.faces)]
    diagonal = np.sqrt(3) * cell
    assert cKDTree(fine.vertices).query(used)[0].max() <= diagonal
    assert cKDTree(used).query(fine.vertices)[0].max() <= diagonal


def test_volume_and_outward_faces_are_kept() -> None:
    fine, coarse = ball(5), simplified(ball(5), cells=24)
    volumes = [trimesh.Trimesh(m.vertices, m.faces, process=False).volume for m in (fine, coarse)]
    assert 0.9 * volumes[0] < volumes[1] < 1.05 * volumes[0]


def test_a_coarse_mesh_is_returned_as_it_is() -> None:
    mesh = ball(2)
    assert simplified(mesh) is mesh


def test_no_face_is_a_line_or_twice_there() -> None:
    faces = np.sort(simplified(ball(5), cells=12).faces, 1)
    assert (faces[:, 0] < faces[:, 1]).all()
    assert (faces[:, 1] < faces[:, 2]).all()
    assert len(np.unique(faces, axis=0)) == len(faces)
