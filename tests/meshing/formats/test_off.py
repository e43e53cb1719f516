"""OFF: colours of vertices and faces, comments, polygons, files that are cut short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import MeshError
from dexman_pose.meshing import load_mesh

SQUARE = "0 0 0\n0.1 0 0\n0.1 0.2 0\n0 0.2 0\n"


def test_polygons_comments_and_counts_on_the_first_line(tmp_path: Path) -> None:
    for head in ("OFF\n# a square\n4 1 0 # counts\n\n", "OFF 4 1 0\n"):
        (tmp_path / "a.off").write_text(head + SQUARE + "4 0 1 2 3\n")
        np.testing.assert_array_equal(load_mesh(tmp_path / "a.off", "m").faces, [[0, 1, 2], [0, 2, 3]])


@pytest.mark.parametrize(
    ("color", "shown"), [("255 0 51 255", [255, 0, 51]), ("1.0 0.0 0.2 1.0", [255, 0, 51])]
)
def test_colours_of_vertices(tmp_path: Path, color: str, shown: list[int]) -> None:
    rows = "".join(f"{line} {color}\n" for line in SQUARE.splitlines())
    (tmp_path / "a.off").write_text(f"COFF\n4 1 0\n{rows}3 0 1 2\n")
    np.testing.assert_array_equal(load_mesh(tmp_path / "a.off", "m").vertex_colors, [shown] * 4)


def test_colours_of_faces(tmp_path: Path, sample: Any) -> None:
    (tmp_path / "a.off").write_text(f"OFF\n4 2 0\n{SQUARE}3 0 1 2 255 0 9\n3 0 2 3 7 200 0\n")
    mesh = load_mesh(tmp_path / "a.off", "m")
    assert sample(mesh, 0, (0.3, 0.3, 0.4)) == [255, 0, 9] and sample(mesh, 1, (0.3, 0.3, 0.4)) == [7, 200, 0]


def test_every_cut_at_a_line_end_is_refused(tmp_path: Path) -> None:
    lines = ("OFF\n4 3 0\n" + SQUARE + "3 0 1 2\n3 0 2 3\n3 0 1 3\n").splitlines(keepends=True)
    for end in range(len(lines)):
        (tmp_path / "a.off").write_text("".join(lines[:end]))
        with pytest.raises(MeshError, match=r"cut short|cannot be read as OFF"):
            load_mesh(tmp_path / "a.off", "m")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("OFF BINARY\n", "must be text"),
        ("4OFF\n1 1 0\n", "must be text"),
        ("OFF\nfour 1 0\n", "numbers of vertices"),
        ("OFF\n-4 1 0\n", "numbers of vertices"),
        ("OFF\n1 1 0\n0 0 x\n3 0 0 0\n", "three numbers"),
        ("OFF\n1 1 0\n0 0\n3 0 0 0\n", "cannot be read as OFF"),
        ("OFF\n1 1 0\n0 0 0\nthree\n", "face 0"),
        (f"OFF\n4 1 0\n{SQUARE}3 0 1\n", "face 0 has 2 of its 3 corners"),
        (f"OFF\n4 1 0\n{SQUARE}3 0 1 9\n", "there are 4"),
    ],
)
def test_damage_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.off").write_text(text)
    with pytest.raises(MeshError, match=message) as caught:
        load_mesh(tmp_path / "a.off", "m")
    assert "\n" not in str(caught.value)
