"""Stand-ins of meshes: fewer faces, the same outline, made once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.search.coarse_mesh import rough_refiner, stand_in
from dexman_pose.pose.search.options import STAND_IN
from dexman_pose.render import Rasterizer

INTRINSICS = np.array([[300.0, 0.0, 31.5], [0.0, 300.0, 31.5], [0.0, 0.0, 1.0]])


def plate_with_rod() -> Mesh:
    """A finely meshed plate with a rod as thin as a fiftieth of its length."""
    plate = trimesh.creation.box((0.10, 0.06, 0.01)).subdivide().subdivide().subdivide().subdivide()
    rod = trimesh.creation.cylinder(0.001, 0.12, sections=24).subdivide().subdivide()
    both = trimesh.util.concatenate([plate, rod])
    return Mesh(np.asarray(both.vertices), np.asarray(both.faces))


def overlap(a: Mesh, b: Mesh, pose: np.ndarray) -> float:
    one, other = (Rasterizer(m).render(pose, INTRINSICS, 64, 64).mask for m in (a, b))
    return float((one & other).sum() / (one | other).sum())


def test_it_has_few_faces_and_the_same_outline() -> None:
    made = trimesh.creation.icosphere(5, 0.05)
    mesh = Mesh(np.asarray(made.vertices) * [1.0, 0.7, 0.5], np.asarray(made.faces))
    found = stand_in(mesh)
    pose = np.eye(4)
    pose[2, 3] = 0.6
    assert len(found.faces) < 0.1 * len(mesh.faces)
    assert overlap(mesh, found, pose) > STAND_IN.alike - 0.01


def test_what_a_coarse_grid_spoils_takes_a_finer_one() -> None:
    made = trimesh.creation.torus(0.04, 0.004, major_sections=96, minor_sections=24)
    mesh = Mesh(np.asarray(made.vertices), np.asarray(made.faces))
    coarse = stand_in(mesh, replace(STAND_IN, alike=0.3))
    fine = stand_in(mesh, replace(STAND_IN, alike=0.9))
    assert len(coarse.faces) < len(fine.faces) < len(mesh.faces)
    pose = np.eye(4)
    pose[2, 3] = 0.5
    assert overlap(mesh, fine, pose) > overlap(mesh, coarse, pose) + 0.02


def test_a_coarse_mesh_stands_for_itself() -> None:
    box = trimesh.creation.box((0.1, 0.1, 0.1))
    mesh = Mesh(np.asarray(box.vertices), np.asarray(box.faces))
    refiner = refiner_for(mesh)
    assert stand_in(mesh) is mesh
    assert rough_refiner(refiner) is refiner


def test_it_is_made_once_for_all_meshes_of_the_same_arrays() -> None:
    mesh = plate_with_rod()
    painted = replace(mesh, vertex_colors=np.full((len(mesh.vertices), 3), 90, np.uint8))
    assert painted.vertices is mesh.vertices
    assert stand_in(mesh) is stand_in(painted)
    refiner = refiner_for(mesh)
    assert rough_refiner(refiner) is rough_refiner(refiner)
    assert len(rough_refiner(refiner).rasterizer.mesh.faces) < len(mesh.faces)
