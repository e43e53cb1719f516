"""Mesh files of every kind: vertices as in the file, textures on the right corners, units, damage."""

from __future__ import annotations

import logging
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.data import Mesh
from dexman_pose.errors import MeshError
from dexman_pose.meshing.load import _READERS, detect_unit, load_mesh, load_mesh_with_unit

SQUARE = """# two triangles as one quad, its texture turned by the texture coordinates
mtllib square.mtl
v 0 0 0
v 0.1 0 0
v 0.1 0.2 0
v 0 0.2 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl paper
f 1/1 2/2 3/3 4/4
"""


def color_at(mesh: Mesh, face: int, weights: Any) -> NDArray[np.uint8]:
    """Texture colour at barycentric ``weights`` of a face: nearest pixel, (0, 0) at the bottom left."""
    assert mesh.uv is not None and mesh.texture is not None
    u, v = np.asarray(weights) @ mesh.uv[face]
    height, width = mesh.texture.shape[:2]
    row, column = int((1 - v) * height), int(u * width)
    return mesh.texture[min(row, height - 1), min(column, width - 1)]


@pytest.fixture
def square(tmp_path: Path) -> Path:
    texture = np.zeros((8, 8, 3), np.uint8)
    texture[:4, :4], texture[:4, 4:] = [255, 0, 0], [0, 255, 0]  # top left red, top right green
    texture[4:, :4], texture[4:, 4:] = [0, 0, 255], [255, 255, 0]  # bottom left blue, bottom right yellow
    Image.fromarray(texture).save(tmp_path / "paper sheet.png")
    (tmp_path / "square.mtl").write_text("newmtl paper\nKd 1 1 1\nmap_Kd paper sheet.png\n")
    path = tmp_path / "square.obj"
    path.write_text(SQUARE)
    return path


def test_obj_corners_get_their_part_of_the_texture(square: Path) -> None:
    mesh = load_mesh(square)
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_allclose(mesh.extents, [0.1, 0.2, 0])
    near = 0.9, 0.05, 0.05
    assert color_at(mesh, 0, near).tolist() == [0, 0, 255]  # vertex (0, 0)
    assert color_at(mesh, 0, near[::-1]).tolist() == [0, 255, 0]  # vertex (0.1, 0.2)
    assert color_at(mesh, 1, near[::-1]).tolist() == [255, 0, 0]  # vertex (0, 0.2)


def test_texture_seams_do_not_split_vertices(square: Path) -> None:
    text = SQUARE.replace("f 1/1 2/2 3/3 4/4", "vt 0.5 0.5\nf 1/1 2/2 3/3\nf 1/5 3/1 4/4")
    square.write_text(text)
    mesh = load_mesh(square)
    assert mesh.vertices.shape == (4, 3) and mesh.uv is not None
    np.testing.assert_allclose(mesh.uv[1], [[0.5, 0.5], [0, 0], [0, 1]])


def test_indices_from_the_end_and_other_spellings(tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    path.write_text(
        "v 0 0 0\r\nv 1 0 0\nv\t0  1 0\nf -3 -2 -1\nvn 0 0 1\nv 0 0 1\nf 1//1 \\\n2//1 -1//1\ng x\ns off\nl 1 2\n"
    )
    np.testing.assert_array_equal(load_mesh(path).faces, [[0, 1, 2], [0, 1, 3]])


def test_vertex_colors_of_obj(tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 0 1 0 0 0 0.5\nf 1 2 3\n")
    np.testing.assert_array_equal(load_mesh(path).vertex_colors, [[255, 0, 0], [0, 255, 0], [0, 0, 128]])


def test_several_materials_become_one_texture(square: Path) -> None:
    (square.parent / "square.mtl").write_text(
        "newmtl paper\nmap_Kd paper sheet.png\nnewmtl grass\nKd 0 0.5 0\nnewmtl more\nmap_Kd paper sheet.png\n"
    )
    square.write_text(
        SQUARE.replace(
            "f 1/1 2/2 3/3 4/4", "f 1/1 2/2 3/3\nusemtl grass\nf 1 3 4\nusemtl more\nf 1/1 3/3 4/4"
        )
    )
    mesh = load_mesh(square)
    near = 0.9, 0.05, 0.05
    assert color_at(mesh, 0, near).tolist() == [0, 0, 255]
    assert color_at(mesh, 0, near[::-1]).tolist() == [0, 255, 0]
    assert color_at(mesh, 1, (0.3, 0.3, 0.4)).tolist() == [0, 128, 0]
    assert color_at(mesh, 2, near[::-1]).tolist() == [255, 0, 0]


def test_plain_colours(square: Path) -> None:
    (square.parent / "square.mtl").write_text("newmtl paper\nKd 1 0 0.2\n")
    np.testing.assert_array_equal(load_mesh(square).vertex_colors, [[255, 0, 51]] * 4)


def test_missing_texture_or_material_is_reported_and_done_without(
    square: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (square.parent / "paper sheet.png").unlink()
    assert load_mesh(square).texture is None
    assert "goes without its texture" in caplog.text
    (square.parent / "square.mtl").unlink()
    assert load_mesh(square).texture is None
    assert "goes without its materials" in caplog.text


@pytest.mark.parametrize("extension", ["stl", "ply", "off", "glb", "obj"])
def test_formats_keep_a_closed_box(tmp_path: Path, extension: str) -> None:
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    path = tmp_path / f"box.{extension}"
    box.export(path)
    mesh = load_mesh(path)
    assert mesh.vertices.shape == (8, 3) and mesh.faces.shape == (12, 3)
    np.testing.assert_allclose(mesh.extents, [0.1, 0.2, 0.3], rtol=1e-6)
    volume = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).volume
    assert volume == pytest.approx(0.006, rel=1e-5)  # positive: faces look outwards


def test_glb_texture_is_upright_and_scenes_are_put_together(square: Path) -> None:
    sheet = trimesh.load(square, process=False)
    scene = trimesh.Scene()
    scene.add_geometry(sheet)
    aside = trimesh.transformations.translation_matrix([1, 0, 0])
    scene.add_geometry(trimesh.creation.box((0.1, 0.1, 0.1)), transform=aside)
    path = square.parent / "scene.glb"
    scene.export(path)
    mesh = load_mesh(path)
    assert mesh.faces.shape == (14, 3)
    np.testing.assert_allclose(mesh.vertices.max(0), [1.05, 0.2, 0.05], atol=1e-6)
    sheet_faces = np.flatnonzero((mesh.vertices[mesh.faces][..., 0] < 0.2).all(1))
    assert len(sheet_faces) == 2
    for face in sheet_faces:
        corners = mesh.vertices[mesh.faces[face]]
        for corner in range(3):
            weights = np.full(3, 0.05)
            weights[corner] = 0.9
            right, top = corners[corner, 0] > 0.05, corners[corner, 1] > 0.1
            expected = {(0, 0): [0, 0, 255], (1, 0): [255, 255, 0], (1, 1): [0, 255, 0], (0, 1): [255, 0, 0]}
            assert color_at(mesh, face, weights).tolist() == expected[int(right), int(top)]


def test_ply_vertex_colors(tmp_path: Path) -> None:
    colors = np.arange(12).reshape(4, 3).astype(np.uint8)
    solid = trimesh.Trimesh(np.eye(4)[:, :3], [[0, 1, 2], [0, 1, 3]], vertex_colors=colors, process=False)
    solid.export(tmp_path / "a.ply")
    np.testing.assert_array_equal(load_mesh(tmp_path / "a.ply").vertex_colors, colors)


@pytest.mark.parametrize(
    ("longest", "unit"),
    [
        (0.01, "m"),
        (0.0845, "m"),
        (1.5, "m"),
        (2.0, "cm"),
        (9.9, "cm"),
        (10.0, "mm"),
        (84.5, "mm"),
        (1500.0, "mm"),
    ],
)
def test_units_by_size(longest: float, unit: str) -> None:
    assert detect_unit(longest) == unit


def test_units_detected_stated_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "can.ply"
    trimesh.creation.box((100, 180, 60)).export(path)
    with caplog.at_level(logging.INFO, "dexman_pose"):
        mesh, unit, detected = load_mesh_with_unit(path)
    assert (unit, detected) == ("mm", True) and "longest side 180, taken for mm" in caplog.text
    np.testing.assert_allclose(mesh.extents, [0.1, 0.18, 0.06])
    mesh, unit, detected = load_mesh_with_unit(path, "cm")
    assert (unit, detected) == ("cm", False)
    np.testing.assert_allclose(mesh.extents, [1.0, 1.8, 0.6])
    with pytest.raises(MeshError, match="mesh unit must be auto, m, cm, mm, inch, but got 'ell'"):
        load_mesh(path, "ell")
    for size in (1e-3, 1e5):
        with pytest.raises(MeshError, match="state its unit"):
            detect_unit(size)


TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.fbx", "", "supported are .obj, .ply"),
        ("a.obj", "", "has no geometry"),
        ("a.obj", TRIANGLE, "3 vertices but no faces: a point cloud"),
        ("a.obj", "v 0 nan 0\nv inf 0 0\nv 0 1 0\nf 1 2 3\n", "2 of 3 vertices are NaN or infinite"),
        ("a.obj", TRIANGLE + "f 1 2 4\n", "faces use vertices 0 to 3, but there are 3"),
        ("a.obj", TRIANGLE + "f 1 2 -9\n", "line 4: 'f 1 2 -9' is no OBJ line"),
        ("a.obj", TRIANGLE + "f 0 1 2\n", "line 4"),
        ("a.obj", TRIANGLE + "usemtl x\nf 1/1 2/1 3/1\n", "texture coordinate 1 of 0"),
        ("a.obj", "v 0 0 x\n", "line 1: 'v 0 0 x' is no OBJ line"),
        ("a.obj", "v 0 0\n", "fewer than 3 coordinates"),
        ("a.obj", "v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", "has no extent: its bounding box is 0 x 0 x 0"),
        ("a.obj", "v 0 0 0\nv 9999 0 0\nv 0 9 0\nf 1 2 3\n", "state its unit"),
        ("a.glb", "junk" * 30, "cannot be read as GLB"),
        ("a.ply", "ply junk" * 30, "cannot be read as PLY"),
        ("a.stl", "junk" * 30, "a.stl"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(MeshError, match=message) as caught:
        load_mesh(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_files_and_point_clouds(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="no mesh file at"):
        load_mesh(tmp_path / "a.obj")
    trimesh.PointCloud(np.random.default_rng(0).random((5, 3))).export(tmp_path / "a.ply")
    with pytest.raises(MeshError, match="5 vertices but no faces"):
        load_mesh(tmp_path / "a.ply")


@pytest.mark.parametrize(
    "raised",
    [
        RecursionError("too deep"),
        OverflowError("too large"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "odd"),
        UnicodeEncodeError("utf-8", "x", 0, 1, "odd"),
        MemoryError(),
        SyntaxError("broken PNG"),
        ZeroDivisionError(),
        KeyError("accessors"),
        struct.error("short\nand more"),
        zlib.error("bad"),
        PermissionError("denied"),
    ],
)
def test_whatever_a_reader_raises_becomes_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    def fail(_: Path) -> Any:
        raise raised

    (tmp_path / "a.obj").touch()
    monkeypatch.setitem(_READERS, ".obj", fail)
    with pytest.raises(MeshError, match=r"cannot be read as OBJ: ..") as caught:
        load_mesh(tmp_path / "a.obj")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["\0.obj", "x" * 5000 + ".obj", ".", "\udcff.obj"])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(MeshError):
        load_mesh(f"{tmp_path}/{name}")


def test_whatever_bytes_end_in_one_line(tmp_path: Path) -> None:
    """Bytes changed, cut and doubled in files of every kind: a mesh or one line, never anything else."""
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    box.visual.vertex_colors = [10, 20, 30]
    rng = np.random.default_rng(0)
    for extension in ("obj", "ply", "off", "stl", "glb"):
        path = tmp_path / f"a.{extension}"
        box.export(path)
        good = path.read_bytes()
        for _ in range(60):
            data = bytearray(good)
            for _ in range(int(rng.integers(1, 6))):
                data[int(rng.integers(len(data)))] = int(rng.integers(256))
            cut = int(rng.integers(len(data))) if rng.random() < 0.3 else len(data)
            path.write_bytes(bytes(data[:cut]) * int(rng.integers(1, 3)))
            try:
                load_mesh(path)
            except MeshError as error:
                assert "\n" not in str(error) and str(path) in str(error)


def test_several_pictures_that_repeat_stay_whole(tmp_path: Path) -> None:
    """Two pictures in one file, the first repeated three times across one face."""
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:] = 255
    Image.fromarray(picture).save(tmp_path / "stripes.png")
    Image.fromarray(np.full((16, 4, 3), 99, np.uint8)).save(tmp_path / "plain.png")
    (tmp_path / "a.mtl").write_text("newmtl s\nmap_Kd stripes.png\nnewmtl p\nmap_Kd plain.png\n")
    (tmp_path / "a.obj").write_text(
        "mtllib a.mtl\nv 0 0 0\nv 0.1 0 0\nv 0 0.1 0\nvt -1 0\nvt 2 0\nvt -1 1\n"
        "usemtl s\nf 1/1 2/2 3/3\nusemtl p\nf 1/1 3/3 2/2\n"
    )
    mesh = load_mesh(tmp_path / "a.obj", "m")
    for share in (0.1, 0.4, 0.6, 0.9):
        u = (3 * share) % 1.0
        expected = [255] * 3 if u >= 0.5 else [0] * 3
        assert color_at(mesh, 0, (0.95 - share * 0.95, share, 0.05 - 0.05 * share)).tolist() == expected
    assert color_at(mesh, 1, (0.3, 0.3, 0.4)).tolist() == [99] * 3


@pytest.mark.parametrize("far", ["1e308", "nan", "-1e30", "1e12"])
@pytest.mark.parametrize("second", ["", "usemtl p\nf 1/1 3/3 2/2\n"])
@pytest.mark.filterwarnings("error")
def test_texture_coordinates_beyond_all_measure(square: Path, far: str, second: str) -> None:
    text = SQUARE.replace("vt 1 1", f"vt {far} 1") + second
    (square.parent / "square.mtl").write_text("newmtl paper\nmap_Kd paper sheet.png\nnewmtl p\nKd 1 0 0\n")
    square.write_text(text)
    try:
        mesh = load_mesh(square)
    except MeshError as error:
        assert "uv" in str(error)
    else:
        assert mesh.uv is not None and np.isfinite(mesh.uv).all() and mesh.texture is not None
        assert mesh.texture.size < 1e6


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "longest", "unit"),
    [
        ("clips/cube/cube.obj", 0.0845, "m"),
        ("rgbd/lmo_can/obj_000005.ply", 0.1937, "mm"),
        ("rgbd/m3t_bottle/schauma.obj", 0.1922, "m"),
        ("meshes/ycb/025_mug/textured.obj", 0.1168, "m"),
        ("clips/whisking/mesh/whisk.obj", 0.9982, "m"),
    ],
)
def test_real_meshes(data_dir: Path, name: str, longest: float, unit: str) -> None:
    mesh, found, _ = load_mesh_with_unit(data_dir / name)
    assert found == unit and mesh.extents.max() == pytest.approx(longest, abs=1e-4)
    if name.endswith(".obj"):
        lines = (data_dir / name).read_text().splitlines()
        assert len(mesh.vertices) == sum(line.startswith("v ") for line in lines)
