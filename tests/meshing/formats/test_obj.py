"""OBJ and MTL as other programs write them: colours, comments, options, missing and misnamed companions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dexman_pose.errors import MeshError
from dexman_pose.meshing import load_mesh

PLAIN = "v 0 0 0\nv 0.1 0 0\nv 0 0.1 0\n"
COORDINATES = "vt 0 0\nvt 1 0\nvt 0 1\n"
FACE = "f 1/1 2/2 3/3\n"
RED = [200, 30, 10]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.fromarray(np.full((8, 8, 3), RED, np.uint8)).save(tmp_path / "tile.png")
    return tmp_path


def read(folder: Path, text: str, material: str | None = None) -> Any:
    if material is not None:
        (folder / "a.mtl").write_text(material)
    (folder / "a.obj").write_text(text)
    return load_mesh(folder / "a.obj", "m")


def test_some_vertices_have_colours(folder: Path) -> None:
    text = "v 0 0 1 1 0 0\nv 0.1 0 1 1 0 0\nv 0 0.1 1 0 0 1\n" + PLAIN + "f 1 2 3\nf 4 5 6\n"
    np.testing.assert_array_equal(
        read(folder, text).vertex_colors, [[255, 0, 0], [255, 0, 0], [0, 0, 255], *[[204] * 3] * 3]
    )


def test_coloured_vertices_beside_a_material(folder: Path) -> None:
    text = "mtllib a.mtl\nv 0 0 1 1 0 0\nv 0.1 0 1 1 0 0\nv 0 0.1 1 0 0 1\n" + PLAIN
    mesh = read(folder, text + "f 1 2 3\nusemtl paint\nf 4 5 6\n", "newmtl paint\nKd 0 1 0\n")
    np.testing.assert_array_equal(
        mesh.vertex_colors[[0, 2, 3, 5]], [[255, 0, 0], [0, 0, 255], *[[0, 255, 0]] * 2]
    )


def test_coloured_vertices_beside_a_picture(folder: Path, sample: Any) -> None:
    text = "mtllib a.mtl\nv 0 0 1 1 0 0\nv 0.1 0 1 0 1 0\nv 0 0.1 1 0 0 1\n" + PLAIN + COORDINATES
    mesh = read(folder, text + "f 1 2 3\nusemtl p\nf 4/1 5/2 6/3\n", "newmtl p\nmap_Kd tile.png\n")
    assert sample(mesh, 1, (0.3, 0.3, 0.4)) == RED
    assert sample(mesh, 0, (0.98, 0.01, 0.01)) == [255, 0, 0]
    assert sample(mesh, 0, (0.01, 0.98, 0.01)) == [0, 255, 0]


@pytest.mark.parametrize(("written", "shown"), [("200 30 10", RED), ("0.5 0 1 1.0", [128, 0, 255])])
def test_colours_as_bytes_and_as_shares(folder: Path, written: str, shown: list[int]) -> None:
    text = "".join(f"{line} {written}\n" for line in PLAIN.splitlines()) + "f 1 2 3\n"
    np.testing.assert_array_equal(read(folder, text).vertex_colors, [shown] * 3)


@pytest.mark.parametrize("written", ["300 30 10", "-1 0 0", "1.2 0.5 0.5", "nan 0 0"])
def test_colours_out_of_every_range_are_refused(folder: Path, written: str) -> None:
    text = "".join(f"{line} {written}\n" for line in PLAIN.splitlines()) + "f 1 2 3\n"
    with pytest.raises(MeshError, match="vertex colours"):
        read(folder, text)


def test_comments_behind_values_and_a_mark_at_the_start(folder: Path) -> None:
    text = "\ufeffv 0 0 0 # origin\nv 0.1 0 0#x\nv 0 0.1 0\nf 1 2 3 # lid\n"
    np.testing.assert_array_equal(read(folder, text).faces, [[0, 1, 2]])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-s 4 2 1", [[0, 0], [4, 0], [0, 2]]),
        ("-s 4", [[0, 0], [4, 0], [0, 1]]),
        ("-o 0.25 0.5", [[0.25, 0.5], [1.25, 0.5], [0.25, 1.5]]),
        ("-blendu on -s 2 2 -o 0.5 0 0 -bm 1", [[0.5, 0], [2.5, 0], [0.5, 2]]),
        ("-clamp off -texres 512", [[0, 0], [1, 0], [0, 1]]),
    ],
)
def test_options_of_pictures(folder: Path, options: str, expected: Any) -> None:
    text = "mtllib a.mtl\n" + PLAIN + COORDINATES + "usemtl m\n" + FACE
    mesh = read(folder, text, f"newmtl m\nmap_Kd {options} tile.png\n")
    assert mesh.texture is not None
    np.testing.assert_allclose(mesh.uv[0], expected, atol=1e-6)


def test_a_picture_that_ends_at_its_edge(folder: Path, sample: Any) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:] = 255  # right half white
    Image.fromarray(picture).save(folder / "half.png")
    text = "mtllib a.mtl\n" + PLAIN + "vt 0 0\nvt 3 0\nvt 0 1\nusemtl m\n" + FACE
    mesh = read(folder, text, "newmtl m\nmap_Kd -clamp on half.png\n")
    for u, expected in ((0.2, 0), (0.8, 255), (1.2, 255), (2.4, 255)):
        assert sample(mesh, 0, (1 - u / 3, u / 3, 0)) == [expected] * 3


def test_the_only_material_needs_no_name(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "mtllib a.mtl\n" + PLAIN + COORDINATES + FACE
    mesh = read(folder, text, "newmtl scan\nKd 1 1 1\nmap_Kd tile.png\n")
    assert mesh.texture is not None and mesh.texture[0, 0].tolist() == RED
    assert "material" not in caplog.text
    mesh = read(folder, text, "newmtl scan\nmap_Kd tile.png\nnewmtl other\nKd 0 1 0\n")
    assert mesh.texture is None and "its libraries hold scan, other" in caplog.text


@pytest.mark.parametrize(
    "name",
    ["C:\\Users\\me\\tile.png", "TILE.PNG", "textures/tile.png", '"tile.png"', "/home/me/scan/tile.png"],
)
def test_pictures_as_other_machines_name_them(folder: Path, name: str) -> None:
    text = "mtllib a.mtl\n" + PLAIN + COORDINATES + "usemtl m\n" + FACE
    assert read(folder, text, f"newmtl m\nmap_Kd {name}\n").texture is not None


def test_misnamed_and_missing_libraries(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = PLAIN + COORDINATES + "usemtl m\n" + FACE
    mesh = read(folder, "mtllib before_renaming.mtl\n" + text, "newmtl m\nmap_Kd tile.png\n")
    assert mesh.texture is not None and "taken from a.mtl" in caplog.text
    (folder / "a.mtl").unlink()
    assert read(folder, "mtllib gone.mtl\n" + text).texture is None
    assert "goes without its materials" in caplog.text
    caplog.clear()
    assert read(folder, text).texture is None
    assert "names no material library" in caplog.text


def test_two_libraries_on_a_line_and_blanks_in_names(folder: Path) -> None:
    (folder / "one.mtl").write_text("newmtl m\nKd 1 0 0\n")
    (folder / "two.mtl").write_text("newmtl n\nKd 0 0 1\n")
    (folder / "my things.mtl").write_text("newmtl o\nKd 0 1 0\n")
    text = "mtllib one.mtl two.mtl\nmtllib my things.mtl\n" + PLAIN + PLAIN + PLAIN
    mesh = read(folder, text + "usemtl m\nf 1 2 3\nusemtl n\nf 4 5 6\nusemtl o\nf 7 8 9\n")
    np.testing.assert_array_equal(mesh.vertex_colors[::3], [[255, 0, 0], [0, 0, 255], [0, 255, 0]])


def test_faces_without_coordinates_in_a_textured_material(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = "mtllib a.mtl\n" + PLAIN + COORDINATES + "usemtl m\n" + FACE + "f 1 2 3\n"
    mesh = read(folder, text, "newmtl m\nmap_Kd tile.png\n")
    assert mesh.faces.shape == (2, 3) and mesh.texture is not None
    assert "1 faces of material m have no texture coordinates" in caplog.text


def test_text_in_other_letters(folder: Path) -> None:
    (folder / "tile.png").rename(folder / "größe.png")
    (folder / "a.mtl").write_bytes("newmtl straße\nmap_Kd größe.png\n".encode("latin-1"))
    (folder / "a.obj").write_bytes(
        ("mtllib a.mtl\n" + PLAIN + COORDINATES + "usemtl straße\n" + FACE).encode("latin-1")
    )
    assert load_mesh(folder / "a.obj", "m").texture is not None


@pytest.mark.parametrize(
    "line", ["f 1 2 99999999999999999999", "f 1 2 3e0", "f 1 2 -4", "v 1 2 " + "9" * 5000 + "x"]
)
def test_lines_that_are_none_are_named(folder: Path, line: str) -> None:
    with pytest.raises(MeshError, match=r"line 4: .* is no OBJ line") as caught:
        read(folder, PLAIN + line + "\n")
    assert "\n" not in str(caught.value)
