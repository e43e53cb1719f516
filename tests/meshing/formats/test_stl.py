"""STL: binary and text told apart by what they hold, damage by its own name."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from dexman_pose.errors import MeshError
from dexman_pose.meshing import load_mesh

BOX = trimesh.creation.box((0.1, 0.2, 0.3))
TEXT = (
    "solid two words\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1E-1 0 0\nvertex 0 .2 0\n"
    "endloop\nendfacet\nendsolid\n"
)


def binary(head: bytes = b"") -> bytes:
    corners = BOX.triangles.astype("<f4")
    rows = [struct.pack("<3f", 0, 0, 0) + c.tobytes() + b"\0\0" for c in corners]
    return head.ljust(80, b"\0") + struct.pack("<I", len(rows)) + b"".join(rows)


@pytest.mark.parametrize("head", [b"", b"solid by a CAD program", b"solid " + b" " * 74])
def test_binary_whatever_its_head_says(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "a.stl").write_bytes(binary(head))
    mesh = load_mesh(tmp_path / "a.stl", "m")
    assert mesh.vertices.shape == (8, 3) and mesh.faces.shape == (12, 3)
    np.testing.assert_allclose(mesh.extents, [0.1, 0.2, 0.3], rtol=1e-6)


@pytest.mark.parametrize("text", [TEXT, TEXT.upper(), TEXT.replace("\n", "\r\n"), "\n  " + TEXT + TEXT])
def test_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.stl").write_text(text)
    np.testing.assert_allclose(
        load_mesh(tmp_path / "a.stl", "m").vertices, [[0, 0, 0], [0.1, 0, 0], [0, 0.2, 0]]
    )


def test_the_writer_of_the_library(tmp_path: Path) -> None:
    for kind in ("stl", "stl_ascii"):
        (tmp_path / "a.stl").write_bytes(
            data.encode() if isinstance(data := BOX.export(file_type=kind), str) else data
        )
        np.testing.assert_allclose(load_mesh(tmp_path / "a.stl", "m").extents, [0.1, 0.2, 0.3], rtol=1e-6)


@pytest.mark.parametrize("head", [b"", b"solid by a CAD program"])
def test_a_cut_binary_is_told_as_such(tmp_path: Path, head: bytes) -> None:
    data = binary(head)
    for end in (0, 40, 84, 90, 300, len(data) - 1):
        (tmp_path / "a.stl").write_bytes(data[:end])
        with pytest.raises(MeshError, match=r"a\.stl") as caught:
            load_mesh(tmp_path / "a.stl", "m")
        told = str(caught.value)
        assert "\n" not in told and "install" not in told and "module" not in told
        if end >= 84:
            assert "is cut short or no STL" in told and "12 facets" in told


def test_cut_text(tmp_path: Path) -> None:
    lines = TEXT.splitlines(keepends=True)
    for end in range(1, len(lines)):
        (tmp_path / "a.stl").write_text("".join(lines[:end]))
        with pytest.raises(MeshError, match="is cut short"):
            load_mesh(tmp_path / "a.stl", "m")
    (tmp_path / "a.stl").write_text(TEXT.replace("vertex 0 .2 0", "vertex 0 .2 zero"))
    with pytest.raises(MeshError, match="three numbers"):
        load_mesh(tmp_path / "a.stl", "m")


def test_a_number_of_many_zeros_is_told_in_one_short_line(tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_text(8 * TEXT + TEXT.replace("0 .2 0", "0 .2" + "\0" * 9000 + " 0"))
    with pytest.raises(MeshError, match="cannot be read as STL: a vertex") as told:
        load_mesh(tmp_path / "a.stl")
    assert str(told.value).isprintable() and len(str(told.value)) < 2000
