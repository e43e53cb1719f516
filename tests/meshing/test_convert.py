"""What callers have instead of a mesh: paths, meshes and scenes of trimesh; anything else is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image
from trimesh.visual.material import PBRMaterial, SimpleMaterial

from dexman_pose.data import Mesh, MeshUnit
from dexman_pose.errors import MeshError
from dexman_pose.meshing import as_mesh

BOX = (0.1, 0.2, 0.3)


def test_a_mesh_and_a_path(tmp_path: Path) -> None:
    mesh = Mesh(np.eye(3), [[0, 1, 2]])  # type: ignore[arg-type]
    assert as_mesh(mesh) is mesh
    trimesh.creation.box(BOX).export(tmp_path / "a.ply")
    for path in (tmp_path / "a.ply", str(tmp_path / "a.ply")):
        np.testing.assert_allclose(as_mesh(path, "m").extents, BOX, rtol=1e-6)


def test_meshes_and_scenes_of_the_library() -> None:
    box = trimesh.creation.box(BOX)
    mesh = as_mesh(box)
    np.testing.assert_array_equal(mesh.vertices, box.vertices)
    np.testing.assert_array_equal(mesh.faces, box.faces)
    assert mesh.size_source == "guessed" and mesh.vertex_colors is None
    scene = trimesh.Scene(box)
    scene.add_geometry(box, transform=trimesh.transformations.translation_matrix([1, 0, 0]))
    np.testing.assert_allclose(as_mesh(scene, "m").extents, [1.1, 0.2, 0.3])


def test_units_of_the_library_are_taken() -> None:
    box = trimesh.creation.box(np.array(BOX) * 1000)
    box.units = "millimeters"
    mesh = as_mesh(box)
    np.testing.assert_allclose(mesh.extents, BOX)
    assert mesh.unit == MeshUnit("mm", "standard")
    np.testing.assert_allclose(as_mesh(trimesh.creation.box(np.array(BOX) * 100), "cm").extents, BOX)


def test_colours_of_vertices_and_faces(request: pytest.FixtureRequest) -> None:
    box = trimesh.creation.box(BOX)
    colors = np.arange(24).reshape(8, 3).astype(np.uint8)
    box.visual.vertex_colors = colors
    np.testing.assert_array_equal(as_mesh(box).vertex_colors, colors)
    box = trimesh.creation.box(BOX)
    box.visual.face_colors = np.arange(36).reshape(12, 3).astype(np.uint8) * 5
    mesh = as_mesh(box)
    assert mesh.texture is not None and mesh.uv is not None
    middle = mesh.uv.mean(1)
    h, w = mesh.texture.shape[:2]
    found = mesh.texture[((1 - middle[:, 1]) * h).astype(int), (middle[:, 0] * w).astype(int)]
    np.testing.assert_array_equal(found, np.asarray(box.visual.face_colors)[:, :3])


@pytest.mark.parametrize("physical", [False, True])
def test_textures(physical: bool) -> None:
    box = trimesh.creation.box(BOX)
    image = Image.fromarray(np.full((4, 4, 3), 200, np.uint8))
    material: Any = PBRMaterial(baseColorTexture=image) if physical else SimpleMaterial(image=image)
    uv = np.random.default_rng(0).random((8, 2))
    box.visual = trimesh.visual.TextureVisuals(uv, material=material)
    mesh = as_mesh(box)
    assert mesh.texture is not None and mesh.uv is not None and mesh.texture[0, 0].tolist() == [200] * 3
    np.testing.assert_allclose(mesh.uv, uv[box.faces], atol=1e-6)


def test_linear_factors_of_materials_are_shown() -> None:
    box = trimesh.creation.box(BOX)
    box.visual = trimesh.visual.TextureVisuals(material=PBRMaterial(baseColorFactor=[128, 0, 255, 255]))
    np.testing.assert_array_equal(as_mesh(box).vertex_colors, [[188, 0, 255]] * 8)


@pytest.mark.parametrize(
    "value", [None, 3, [[0, 0, 0]], np.eye(3), trimesh.PointCloud(np.eye(3)), trimesh.Scene(), b"a.obj"]
)
def test_anything_else_is_refused_by_name(value: Any) -> None:
    with pytest.raises(MeshError, match=r"a mesh must be a Mesh|is no mesh"):
        as_mesh(value)
