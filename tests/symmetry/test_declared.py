"""Declared symmetries: the file's form, what is refused, and that an entry must fit its mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import SymmetryGroup, se3
from dexman_pose.symmetry.declared import load_symmetries, misfit, symmetry_of
from dexman_pose.synthetic.scenes.shapes import stress_shape

REVIEW = "note: seen, reviewer: A. Name"


def _mesh(name: str) -> Mesh:
    return stress_shape(name, textured=False).mesh


def _file(path: Path, entry: str, number: str = '"007"') -> Path:
    file = path / "mine.yaml"
    file.write_text(f"taco:\n  {number}: {entry}\n")
    return file


def _entry(path: Path, text: str, mesh: Mesh) -> SymmetryGroup:
    file = _file(path, f"{{{text}, {REVIEW}, vertices: {len(mesh.vertices)}}}")
    return load_symmetries(file)[("taco", "007")].group


@pytest.mark.parametrize(
    ("text", "shape", "name"),
    [
        ("axes: [z]", "bowl", "Cinf"),
        ("axes: [{axis: [0, 0, -2]}], turns: [{axis: x, order: 2}]", "can", "Dinf"),
        ("turns: [{axis: x, order: 2}, {axis: y, order: 2}]", "box", "D2"),
        ("turns: [{axis: z, order: 2}]", "box", "C2"),
        ("none: true", "mug", "C1"),
    ],
)
def test_entries_fit_their_meshes(tmp_path: Path, text: str, shape: str, name: str) -> None:
    mesh = _mesh(shape)
    assert _entry(tmp_path, text, mesh).name == name
    group, source = symmetry_of("taco", "007", mesh, load_symmetries(tmp_path / "mine.yaml"))
    assert (group.name, source) == (name, "declared")
    assert misfit(group, mesh) < 0.01


def test_points_are_metres_in_the_frame_of_the_mesh(tmp_path: Path) -> None:
    moved = _mesh("can").moved(se3(np.eye(3), [0.05, -0.02, 0.3]))
    text = (
        "axes: [{axis: z, point: [0.05, -0.02, 0]}], turns: [{axis: y, order: 2, point: [0.05, -0.02, 0.3]}]"
    )
    group = _entry(tmp_path, text, moved)
    declared = load_symmetries(tmp_path / "mine.yaml")
    assert symmetry_of("taco", "007", moved, declared)[1] == "declared" and group.name == "Dinf"
    with pytest.raises(InputError, match="does not fit its mesh"):
        symmetry_of("taco", "007", _mesh("can"), declared)


def test_a_wrong_axis_is_refused(tmp_path: Path) -> None:
    mesh = _mesh("can")
    _entry(tmp_path, "axes: [x]", mesh)
    with pytest.raises(InputError, match=r"taco 007 \(Cinf\) does not fit its mesh.*check axis"):
        symmetry_of("taco", "007", mesh, load_symmetries(tmp_path / "mine.yaml"))


def test_an_entry_is_for_the_mesh_it_was_reviewed_with(tmp_path: Path) -> None:
    declared = load_symmetries(_file(tmp_path, f"{{axes: [z], {REVIEW}, vertices: 10}}"))
    with pytest.raises(InputError, match="a mesh of 10 vertices, but this one has"):
        symmetry_of("taco", "007", _mesh("can"), declared)
    declared = load_symmetries(_file(tmp_path, f"{{axes: [z], {REVIEW}, sha256: {'ab' * 32}}}"))
    assert symmetry_of("taco", "007", _mesh("can"), declared, sha256="ab" * 32)[1] == "declared"
    with pytest.raises(InputError, match="another mesh file"):
        symmetry_of("taco", "007", _mesh("can"), declared, sha256="cd" * 32)


def test_detected_where_nothing_is_declared(tmp_path: Path) -> None:
    declared = load_symmetries(_file(tmp_path, f"{{axes: [z], {REVIEW}, vertices: 10}}"))
    group, source = symmetry_of("taco", "008", _mesh("box"), declared)
    assert (group.name, source) == ("D2", "detected")
    assert symmetry_of("bop", "007", _mesh("box"), declared, detect=False)[1] == "none"
    group, source = symmetry_of("taco", "008", _mesh("box"), None, detect=False)
    assert group.is_trivial and source == "none"
    printed = stress_shape("box", textured=True).mesh
    assert symmetry_of("taco", "1", printed, use_color=False)[0].name == "D2"


def test_the_file_of_taco_is_empty_and_can_be_named() -> None:
    assert load_symmetries("taco") == load_symmetries("taco.yaml") == {}
    with pytest.raises(InputError, match="no symmetry file at nothing"):
        load_symmetries("nothing")


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (f"{{axes: [z], {REVIEW}}}", "give vertices or sha256"),
        ("{axes: [z], note: seen, vertices: 9}", "reviewer is missing"),
        ("{axes: [z], reviewer: A, vertices: 9}", "note is missing"),
        (f"{{{REVIEW}, vertices: 9}}", "give axes, turns or sphere"),
        (f"{{axis: z, {REVIEW}, vertices: 9}}", "unknown key 'axis'"),
        (f"{{axes: z, {REVIEW}, vertices: 9}}", "axes must be a list"),
        (f"{{axes: [w], {REVIEW}, vertices: 9}}", "x, y, z or three numbers"),
        (f"{{axes: [{{axis: [0, 0, 0]}}], {REVIEW}, vertices: 9}}", "must not be zero"),
        (f"{{axes: [{{axis: z, offset: [0, 0, 0]}}], {REVIEW}, vertices: 9}}", "an axis must be"),
        (f"{{turns: [{{axis: z}}], {REVIEW}, vertices: 9}}", "order must be a whole number"),
        (f"{{turns: [{{axis: z, order: 1}}], {REVIEW}, vertices: 9}}", "order must be a whole number"),
        (f"{{sphere: [0, 0], {REVIEW}, vertices: 9}}", "sphere must be three"),
        (f"{{sphere: [0, 0, 0.1], axes: [z], {REVIEW}, vertices: 9}}", "leave axes and turns out"),
        (f"{{none: true, axes: [z], {REVIEW}, vertices: 9}}", "stands alone"),
        (f"{{axes: [z], {REVIEW}, vertices: many}}", "vertices must be"),
        (f"{{axes: [z], {REVIEW}, sha256: abc}}", "64 hexadecimal digits"),
        (f"{{axes: [z, {{axis: z, point: [0.1, 0, 0]}}], {REVIEW}, vertices: 9}}", "two parallel"),
        ("z", "must hold axes"),
    ],
)
def test_bad_entries_are_named(tmp_path: Path, entry: str, what: str) -> None:
    with pytest.raises(InputError, match=what) as raised:
        load_symmetries(_file(tmp_path, entry))
    assert "mine.yaml: taco '007'" in str(raised.value)


def test_numbers_must_be_quoted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="in quotes"):
        load_symmetries(_file(tmp_path, f"{{none: true, {REVIEW}, vertices: 9}}", number="017"))
    (tmp_path / "list.yaml").write_text("- taco\n")
    with pytest.raises(InputError, match="must map a dataset"):
        load_symmetries(tmp_path / "list.yaml")
