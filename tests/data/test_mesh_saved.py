"""Meshes written and read again: what a format can hold is what was there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.meshing import load_mesh

FLOAT32 = 1e-7


def textured() -> Mesh:
    box = trimesh.creation.box((0.06, 0.08, 0.1))
    rng = np.random.default_rng(1)
    texture = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    uv = rng.uniform(0.05, 0.95, (len(box.faces), 3, 2))
    return Mesh(np.asarray(box.vertices), np.asarray(box.faces), uv=uv, texture=texture)


def coloured() -> Mesh:
    ball = trimesh.creation.icosphere(2, 0.04)
    colors = np.random.default_rng(2).integers(0, 256, (len(ball.vertices), 3), dtype=np.uint8)
    return Mesh(np.asarray(ball.vertices), np.asarray(ball.faces), vertex_colors=colors)


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb"])
def test_textures_come_back(tmp_path: Path, suffix: str) -> None:
    mesh = textured()
    back = load_mesh(mesh.save(tmp_path / f"my thing{suffix}"), "m")
    corners = mesh.vertices[mesh.faces]
    np.testing.assert_allclose(back.vertices[back.faces], corners, atol=0 if suffix == ".obj" else FLOAT32)
    np.testing.assert_allclose(back.uv, mesh.uv, atol=1e-6)
    np.testing.assert_array_equal(back.texture, mesh.texture)


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb"])
def test_colours_come_back(tmp_path: Path, suffix: str) -> None:
    mesh = coloured()
    back = load_mesh(mesh.save(tmp_path / f"ball{suffix}"), "m")
    np.testing.assert_allclose(back.vertices[back.faces], mesh.vertices[mesh.faces], atol=FLOAT32)
    assert back.vertex_colors is not None and mesh.vertex_colors is not None
    seen, wanted = back.vertex_colors[back.faces].astype(int), mesh.vertex_colors[mesh.faces].astype(int)
    assert np.abs(seen - wanted).max() <= 1


def test_glb_holds_linear_light(tmp_path: Path) -> None:
    """A mid-grey of 188 is half the light of white: a viewer by the standard shows 188 again."""
    mesh = replace(coloured(), vertex_colors=np.full((162, 3), 188, np.uint8))
    data = mesh.save(tmp_path / "grey.glb").read_bytes()
    size = int.from_bytes(data[12:16], "little")
    content = json.loads(data[20 : 20 + size])
    accessor = content["accessors"][content["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]]
    assert accessor["componentType"] == 5126
    assert accessor["min"] == pytest.approx([0.5029] * 3, abs=1e-4)


@pytest.mark.parametrize("suffix", [".stl", ".off"])
def test_shapes_come_back(tmp_path: Path, suffix: str) -> None:
    mesh = coloured()
    back = load_mesh(mesh.save(tmp_path / f"ball{suffix}"), "m")
    np.testing.assert_allclose(back.vertices[back.faces], mesh.vertices[mesh.faces], atol=1e-6)


def test_trimesh_gets_the_same_shape_and_look() -> None:
    mesh = textured()
    made = mesh.to_trimesh()
    np.testing.assert_array_equal(made.vertices[made.faces], mesh.vertices[mesh.faces])
    np.testing.assert_array_equal(made.visual.uv[made.faces], mesh.uv)
    assert coloured().to_trimesh().visual.kind == "vertex" and made.visual.kind == "texture"


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"saved as .obj, .glb, .ply, .stl, .off, but"):
        textured().save(tmp_path / "a.fbx")
