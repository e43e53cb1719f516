"""Mutated mesh files, with their materials and pictures: each is read or refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from inputs import fuzz, seeds_of, told
from PIL import Image

from dexman_pose.meshing.load import load_mesh

PICTURE = np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8)


def _obj(folder: Path) -> Path:
    """Two materials, one with a picture."""
    box = trimesh.creation.box((0.08, 0.05, 0.12))
    lines = ["mtllib a.mtl", *(f"v {x} {y} {z}" for x, y, z in box.vertices)]
    lines += ["vt 0 0", "vt 1 0", "vt 0.5 1", "usemtl red"]
    for i, (a, b, c) in enumerate(box.faces + 1):
        lines += ["usemtl wood"] if i == 6 else []
        lines.append(f"f {a}/1 {b}/2 {c}/3")
    (folder / "a.obj").write_text("\n".join(lines) + "\n")
    (folder / "a.mtl").write_text("newmtl red\nKd 0.8 0.1 0\n\nnewmtl wood\nKd 1 1 1\nmap_Kd wood.png\n")
    Image.fromarray(PICTURE).save(folder / "wood.png")
    return folder / "a.obj"


def _colored(name: str, **options: Any) -> Callable[[Path], Path]:
    """What trimesh writes of a box with colours."""

    def write(folder: Path) -> Path:
        box = trimesh.creation.box((0.08, 0.05, 0.12))
        box.visual.vertex_colors = np.random.default_rng(0).integers(0, 255, (8, 4)).astype(np.uint8)
        box.export(folder / name, **options)
        return folder / name

    return write


def _textured(name: str) -> Callable[[Path], Path]:
    """What trimesh writes of a box with a picture."""

    def write(folder: Path) -> Path:
        box = trimesh.creation.box((0.08, 0.05, 0.12))
        uv = np.random.default_rng(0).random((8, 2))
        material = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.fromarray(PICTURE))
        box.visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
        scene = trimesh.Scene(box)
        if name.endswith(".gltf"):
            for part, content in trimesh.exchange.gltf.export_gltf(scene).items():
                (folder / ("a.gltf" if part.endswith(".gltf") else part)).write_bytes(content)
        else:
            scene.export(folder / name)
        return folder / name

    return write


WRITERS: dict[str, Callable[[Path], Path]] = {
    "obj with materials": _obj,
    "ply, text": _colored("a.ply", encoding="ascii"),
    "ply, binary": _colored("a.ply"),
    "off": _colored("a.off"),
    "stl, binary": _colored("a.stl"),
    "stl, text": _colored("a.stl", file_type="stl_ascii"),
    "glb": _textured("a.glb"),
    "glb, colours": _colored("a.glb"),
    "gltf": _textured("a.gltf"),
}


def _look(path: Path) -> None:
    mesh = load_mesh(path)
    assert np.isfinite(mesh.vertices).all() and np.isfinite(mesh.uv if mesh.uv is not None else 0).all()
    assert len(mesh.faces) and mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices)


@pytest.mark.parametrize("slow", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", WRITERS)
def test_mutated_meshes_are_read_or_refused(tmp_path: Path, form: str, slow: bool) -> None:
    path = WRITERS[form](tmp_path)
    seeds = seeds_of("mesh", slow)
    assert 0 < fuzz(form, tmp_path, lambda: _look(path), seeds) < len(seeds)


@pytest.mark.slow
@pytest.mark.parametrize("form", WRITERS)
def test_the_command_line_refuses_them_in_one_line(tmp_path: Path, form: str, capsys: Any) -> None:
    folder, frames = tmp_path / "mesh", tmp_path / "rgb"
    folder.mkdir()
    frames.mkdir()
    for t in range(2):
        Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(frames / f"{t}.png")
    path = WRITERS[form](folder)
    arguments = ["run", str(frames), "--box", "cup=9,9,40,40", "--mesh", f"cup={path}", "--hands", "none"]
    arguments += ["--no-overlay", "--out", str(tmp_path / "out")]
    told(folder, lambda: _look(path), arguments, capsys, 4, form)
