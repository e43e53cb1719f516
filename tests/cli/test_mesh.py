"""``dexman-pose mesh``: the picture of an object, a mesh made fit for use, a mesh by another environment."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from dexman_pose.cli.main import main
from dexman_pose.meshing import load_mesh


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Three pictures of a red square, and its masks."""
    for folder in ("rgb", "masks"):
        (tmp_path / folder).mkdir()
    for i in range(3):
        image, mask = np.full((60, 80, 3), 90, np.uint8), np.zeros((60, 80), np.uint8)
        image[20:45, 30 + i : 55 + i], mask[20:45, 30 + i : 55 + i] = [220, 30, 30], 255
        Image.fromarray(image).save(tmp_path / "rgb" / f"{i:04d}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"{i:04d}.png")
    return tmp_path


def asked(film: Path, way: str, *more: str) -> int:
    return main(["mesh", way, str(film / "rgb"), "--masks", str(film / "masks"), *more])


def test_the_picture_of_an_object(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(film, "picture", "--out", str(film / "toy.png")) == 0
    assert "100% of the object's edge are free" in capsys.readouterr().out
    rgba = np.asarray(Image.open(film / "toy.png"))
    on = rgba[..., 3] == 255
    assert rgba.shape[2] == 4 and 0.5 < on.mean() < 0.7
    assert np.abs(rgba[on][:, :3].astype(int) - [220, 30, 30]).max() < 60


def test_a_mesh_of_another_program_is_made_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ball = trimesh.creation.icosphere(subdivisions=3, radius=7.0)
    ball.faces = ball.faces[4:]
    ball.visual.vertex_colors = np.full((len(ball.vertices), 4), 120, np.uint8)
    ball.apply_translation([1.0, 2.0, 3.0])
    ball.export(tmp_path / "raw.ply")
    out = tmp_path / "ball.glb"
    assert main(["mesh", "clean", str(tmp_path / "raw.ply"), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "closed" in said and "not closed" not in said and "1 convex pieces" in said
    mesh = load_mesh(out)
    np.testing.assert_allclose(mesh.center, 0.0, atol=1e-6)
    np.testing.assert_allclose(mesh.extents, 0.1, atol=0.001)


def test_a_mesh_by_another_environment(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (film / "inside_cli_mesh.py").write_text(
        "import numpy as np\n"
        "def make(frames, inputs, options):\n"
        "    v = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)\n"
        "    return {'vertices': v, 'faces': np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])}\n"
    )
    file = film / "method.yaml"
    file.write_text(f"python: {sys.executable}\nfunction: inside_cli_mesh:make\npaths: [.]\n")
    assert asked(film, "clip", "--backend", f"outside:{file}", "--out", str(film / "toy.glb")) == 0
    said = capsys.readouterr().out
    assert "made by inside_cli_mesh of frame" in said and "no size of its own" in said
    assert len(load_mesh(film / "toy.glb").faces) == 4


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--out", "toy.stl"], "--out must end in .glb"),
        (["--out", "toy.glb"], "needs depth images"),
        (["--out", "toy.glb", "--depth", "d"], "--depth needs the camera"),
        (["--out", "toy.glb", "--backend", "silhouette"], "inside a run alone"),
        (["--out", "toy.glb", "--backend", "nerf"], "no mesh backend is named 'nerf'"),
    ],
)
def test_bad_input_is_one_line(
    film: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(film, "clip", *more) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
