"""PLY: every encoding and type, coordinates per corner, colours, strips, files that are cut short."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dexman_pose.errors import MeshError
from dexman_pose.meshing import load_mesh
from dexman_pose.meshing.formats.ply import read_ply
from dexman_pose.meshing.polygons import split_polygons

LETTERS = {
    "char": "b",
    "uchar": "B",
    "short": "h",
    "ushort": "H",
    "int": "i",
    "uint": "I",
    "float": "f",
    "double": "d",
}
HEAD = "ply\nformat {order} 1.0\n{comments}element vertex {v}\n{vertex}element face {f}\n{face}end_header\n"
XYZ = [("x", "float"), ("y", "float"), ("z", "float")]
LIST = [("vertex_indices", "list uchar int")]
SQUARE = [[0, 0, 0], [0.1, 0, 0], [0.1, 0.2, 0], [0, 0.2, 0]]


def ply(
    order: str,
    vertex: list[tuple[str, str]],
    rows: Any,
    face: list[tuple[str, str]],
    polygons: Any,
    comments: str = "",
) -> bytes:
    """A PLY file; a polygon is a row with a list for every list property."""

    def lines(properties: list[tuple[str, str]]) -> str:
        return "".join(f"property {kind} {name}\n" for name, kind in properties)

    head = HEAD.format(
        order=order, comments=comments, v=len(rows), f=len(polygons), vertex=lines(vertex), face=lines(face)
    )
    out = [head.encode()]
    end = {"binary_little_endian": "<", "binary_big_endian": ">"}.get(order)
    for properties, table in ((vertex, rows), (face, polygons)):
        for row in table:
            words = []
            for (_, kind), value in zip(properties, row):
                names, values = kind.split()[1:] if kind.startswith("list") else ["", kind], value
                values = [len(value), *value] if names[0] else [value]
                letters = ([LETTERS[names[0]]] if names[0] else []) + [LETTERS[names[1]]] * len(
                    value if names[0] else [0]
                )
                words += [
                    f"{x:.9g}" if end is None else struct.pack(end + c, x) for x, c in zip(values, letters)
                ]
            out.append((" ".join(words) + "\n").encode() if end is None else b"".join(words))
    return b"".join(out)


def triangles(polygons: list[list[int]]) -> list[list[int]]:
    return [[p[0], a, b] for p in polygons for a, b in itertools.pairwise(p[1:])]


@settings(max_examples=40, deadline=None)
@given(
    order=st.sampled_from(["ascii", "binary_little_endian", "binary_big_endian"]),
    polygons=st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=6), min_size=1, max_size=8),
    count=st.sampled_from(["uchar", "ushort", "int"]),
    index=st.sampled_from(["int", "uint", "short", "uchar"]),
    real=st.sampled_from(["float", "double"]),
    seed=st.integers(0, 99),
)
def test_every_encoding_gives_the_numbers_written(
    tmp_path_factory: pytest.TempPathFactory,
    order: str,
    polygons: list[list[int]],
    count: str,
    index: str,
    real: str,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(7, 3)).astype(np.float32).astype(float)
    colors = rng.integers(0, 256, (7, 3))
    vertex = [(a, real) for a in "xyz"] + [("nx", "float")] + [(c, "uchar") for c in ("red", "green", "blue")]
    rows = [[*p, 0.5, *(int(x) for x in c)] for p, c in zip(points, colors)]
    face = [("flags", "uchar"), ("vertex_index", f"list {count} {index}"), ("area", "float")]
    path = tmp_path_factory.mktemp("ply") / "a.ply"
    path.write_bytes(ply(order, vertex, rows, face, [[3, p, 0.25] for p in polygons]))
    raw = read_ply(path)
    np.testing.assert_allclose(raw.vertices, points, atol=1e-7)
    np.testing.assert_array_equal(raw.vertex_colors, colors)
    starts = np.cumsum([0, *map(len, polygons)])
    place, polygon = split_polygons(starts, np.concatenate(polygons), points)
    expected = [[polygons[p][i] for i in row] for row, p in zip(place, polygon)]
    np.testing.assert_array_equal(raw.parts[0].faces, expected)


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian"])
def test_coordinates_per_corner_keep_the_vertices(tmp_path: Path, order: str) -> None:
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(tmp_path / "my skin.png")
    face = [*LIST, ("texcoord", "list uchar float")]
    rows = [
        [[0, 1, 2], [0, 0, 0.4, 0, 0.4, 0.8]],
        [[0, 2, 3], [0.6, 0, 1, 0.8, 0.6, 0.8]],
    ]
    path = tmp_path / "a.ply"
    path.write_bytes(ply(order, XYZ, SQUARE, face, rows, "comment TextureFile my skin.png\n"))
    mesh = load_mesh(path, "m")
    assert mesh.vertices.shape == (4, 3) and mesh.uv is not None and mesh.texture is not None
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_allclose(mesh.uv[1], [[0.6, 0], [1, 0.8], [0.6, 0.8]], atol=1e-6)


def test_coordinates_per_corner_of_polygons_and_several_pictures(tmp_path: Path, sample: Any) -> None:
    for name, color in (("a", (200, 30, 10)), ("b", (10, 20, 230))):
        Image.fromarray(np.full((8, 8, 3), color, np.uint8)).save(tmp_path / f"{name}.png")
    face = [*LIST, ("texcoord", "list uchar float"), ("texnumber", "int")]
    corners = [0, 0, 1, 0, 1, 1, 0, 1]
    rows = [[[0, 1, 2, 3], corners, 1], [[0, 1, 2], corners[:6], 0]]
    path = tmp_path / "a.ply"
    comments = "comment TextureFile a.png\ncomment TextureFile b.png\n"
    path.write_bytes(ply("ascii", XYZ, SQUARE, face, rows, comments))
    mesh = load_mesh(path, "m")
    assert mesh.faces.shape == (3, 3) and mesh.vertices.shape == (4, 3)
    assert sample(mesh, 0, (0.3, 0.3, 0.4)) == [200, 30, 10]
    assert sample(mesh, 1, (0.3, 0.3, 0.4)) == sample(mesh, 2, (0.3, 0.3, 0.4)) == [10, 20, 230]


def test_faces_whose_coordinates_do_not_fit_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "s.png")
    face = [*LIST, ("texcoord", "list uchar float")]
    path = tmp_path / "a.ply"
    path.write_bytes(ply("ascii", XYZ, SQUARE, face, [[[0, 1, 2], [0, 0, 1]]], "comment TextureFile s.png\n"))
    with pytest.raises(MeshError, match="face 0 has 3 corners and 3 numbers in texcoord"):
        load_mesh(path, "m")


@pytest.mark.parametrize("names", [("s", "t"), ("u", "v"), ("texture_u", "texture_v")])
def test_coordinates_per_vertex_and_a_missing_picture(
    tmp_path: Path, names: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    vertex = [*XYZ, (names[0], "float"), (names[1], "float")]
    rows = [[*p, p[0] * 10, p[1] * 5] for p in SQUARE]
    path = tmp_path / "a.ply"
    path.write_bytes(ply("ascii", vertex, rows, LIST, [[[0, 1, 2]]], "comment TextureFile skin.png\n"))
    mesh = load_mesh(path, "m")
    assert mesh.texture is None and mesh.uv is None and mesh.vertex_colors is None
    assert "goes without its texture skin.png" in caplog.text and "Traceback" not in caplog.text
    Image.fromarray(np.full((4, 4, 3), 9, np.uint8)).save(tmp_path / "SKIN.PNG")
    mesh = load_mesh(path, "m")
    assert mesh.uv is not None
    np.testing.assert_allclose(mesh.uv[0], [[0, 0], [1, 0], [1, 1]], atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [("uchar", 128, 128), ("ushort", 32896, 128), ("float", 0.5, 128), ("int", 200, 200)],
)
@pytest.mark.parametrize("order", ["ascii", "binary_big_endian"])
def test_colours_of_every_type(tmp_path: Path, order: str, kind: str, value: float, shown: int) -> None:
    vertex = [*XYZ, *((c, kind) for c in ("red", "green", "blue"))]
    path = tmp_path / "a.ply"
    path.write_bytes(ply(order, vertex, [[*p, value, 0, value] for p in SQUARE], LIST, [[[0, 1, 2]]]))
    np.testing.assert_array_equal(load_mesh(path, "m").vertex_colors, [[shown, 0, shown]] * 4)


def test_colours_of_faces(tmp_path: Path, sample: Any) -> None:
    face = [*LIST, *((c, "uchar") for c in ("red", "green", "blue"))]
    path = tmp_path / "a.ply"
    path.write_bytes(ply("ascii", XYZ, SQUARE, face, [[[0, 1, 2], 255, 0, 9], [[0, 2, 3], 7, 200, 0]]))
    mesh = load_mesh(path, "m")
    for weights in ((0.98, 0.01, 0.01), (0.01, 0.01, 0.98), (0.3, 0.3, 0.4)):
        assert sample(mesh, 0, weights) == [255, 0, 9] and sample(mesh, 1, weights) == [7, 200, 0]


def test_strips_of_triangles(tmp_path: Path) -> None:
    text = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    text += "element tristrips 1\nproperty list int int vertex_indices\nend_header\n"
    text += "\n".join(" ".join(map(str, p)) for p in SQUARE) + "\n8 0 1 3 2 -1 0 1 2\n"
    (tmp_path / "a.ply").write_text(text)
    np.testing.assert_array_equal(load_mesh(tmp_path / "a.ply", "m").faces, [[0, 1, 3], [3, 1, 2], [0, 1, 2]])


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian"])
@pytest.mark.parametrize("mixed", [False, True])
def test_every_cut_is_refused(tmp_path: Path, order: str, mixed: bool) -> None:
    polygons = [[[0, 1, 2]], [[0, 2, 3, 1] if mixed else [0, 2, 3]], [[0, 1, 3]]]
    data = ply(order, XYZ, SQUARE, LIST, polygons)
    path = tmp_path / "a.ply"
    ends = [i for i in range(4, len(data) - 1) if order != "ascii" or data[i - 1 : i] == b"\n"]
    for end in ends:
        path.write_bytes(data[:end])
        with pytest.raises(MeshError, match=r"cut short|cannot be read as PLY") as caught:
            load_mesh(path, "m")
        assert "\n" not in str(caught.value)
    path.write_bytes(data)
    assert len(load_mesh(path, "m").faces) == 3 + mixed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("element vertex 4", "element vertex 4000000000"),
        ("element vertex 4", "element vertex -4"),
        ("property float x", "property quad x"),
        ("property float x", "property float w"),
        ("ascii", "morse"),
        ("3 0 1 2", "3 0 1 two"),
        ("3 0 1 2", "x 0 1 2"),
        ("3 0 1 2", "3 0 1 2.5"),
        ("3 0 1 2", "3 0 1 9"),
        ("end_header", "the end"),
    ],
)
def test_damage_is_said_in_one_line(tmp_path: Path, old: str, new: str) -> None:
    text = ply("ascii", XYZ, SQUARE, LIST, [[[0, 1, 2]]]).decode()
    assert old in text
    (tmp_path / "a.ply").write_text(text.replace(old, new))
    with pytest.raises(MeshError, match=r"a\.ply") as caught:
        load_mesh(tmp_path / "a.ply", "m")
    assert "\n" not in str(caught.value)


def test_the_writer_of_the_library(tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(2, 0.1)
    ball.visual.vertex_colors = np.arange(3 * len(ball.vertices)).reshape(-1, 3) % 251
    for encoding in ("ascii", "binary"):
        ball.export(tmp_path / "a.ply", encoding=encoding)
        mesh = load_mesh(tmp_path / "a.ply", "m")
        np.testing.assert_allclose(mesh.vertices, ball.vertices, atol=1e-7)
        np.testing.assert_array_equal(mesh.faces, ball.faces)
        np.testing.assert_array_equal(mesh.vertex_colors, np.asarray(ball.visual.vertex_colors)[:, :3])
