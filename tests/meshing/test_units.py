"""The unit of a mesh: stated, prescribed by the format, or guessed; impossible sizes; what a file's name says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from dexman_pose.data import Mesh, MeshUnit
from dexman_pose.errors import MeshError
from dexman_pose.meshing import load_mesh
from dexman_pose.meshing.units import UNITS, in_unit, plausible_units, refuse_size, unit_in_name, unit_of

DM = [[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]]


def box(path: Path, longest: float) -> Path:
    trimesh.creation.box((longest, longest / 2, longest / 3)).export(path)
    return path


@pytest.mark.parametrize(
    ("longest", "unit", "others"),
    [
        (0.0845, "m", {"inch"}),
        (0.01, "m", set()),
        (12.2, "mm", {"cm", "inch"}),
        (84.5, "mm", {"cm"}),
        (900.0, "mm", set()),
        (4.8, "cm", {"mm", "inch"}),
    ],
)
def test_a_guess_is_a_guess_and_names_the_others(
    tmp_path: Path, longest: float, unit: str, others: set[str]
) -> None:
    mesh = load_mesh(box(tmp_path / "a.obj", longest))
    assert mesh.unit is not None and (mesh.unit.name, mesh.unit.source) == (unit, "guessed")
    assert set(mesh.unit.others) == others
    assert mesh.size_source == "guessed" and mesh.extents.max() == pytest.approx(longest * UNITS[unit])


def test_a_stated_unit_is_given(tmp_path: Path) -> None:
    mesh = load_mesh(box(tmp_path / "a.ply", 12.2), "cm")
    assert mesh.unit == MeshUnit("cm", "given") and mesh.size_source == "given"
    assert load_mesh(box(tmp_path / "a.ply", 4.0), "inch").extents.max() == pytest.approx(0.1016)


def test_gltf_is_metres_by_its_standard_where_that_can_be(tmp_path: Path) -> None:
    mesh = load_mesh(box(tmp_path / "a.glb", 0.122))
    assert mesh.unit == MeshUnit("m", "standard") and mesh.size_source == "given"
    mesh = load_mesh(box(tmp_path / "a.glb", 122.0))  # 122 m: not written by the standard
    assert mesh.unit is not None and (mesh.unit.name, mesh.unit.source) == ("mm", "guessed")
    mesh = load_mesh(box(tmp_path / "a.glb", 1.0))  # filled a box of size 1
    assert mesh.unit is not None and (mesh.unit.name, mesh.unit.source) == ("m", "guessed")


@pytest.mark.parametrize(
    ("name", "unit"), [("mug_cm", "cm"), ("mug-mm", "mm"), ("mug", "mm"), ("comm", "mm"), ("mug_m", "mm")]
)
def test_a_name_may_speak_of_the_unit(tmp_path: Path, name: str, unit: str) -> None:
    mesh = load_mesh(box(tmp_path / f"{name}.obj", 12.2))
    assert mesh.unit is not None and (mesh.unit.name, mesh.unit.source) == (unit, "guessed")


def test_words_for_units() -> None:
    assert [unit_of(w) for w in ("Millimeters", "in", "metres", "ell")] == ["mm", "inch", "m", None]
    assert [unit_in_name(n) for n in ("a_cm", "cm", "plug_in", "a.b_inches")] == ["cm", None, None, "inch"]


@pytest.mark.parametrize(
    ("longest", "unit", "message"),
    [
        (0.122, "mm", r"in the unit mm, .* 0\.122 mm long, too small .* plausible unit is m \(122 mm\)"),
        (122.0, "m", r"in the unit m, .* 122 m long, too large .* plausible unit is mm \(122 mm\)"),
        (0.122, "cm", "too small"),
        (900.0, "inch", "too large"),
    ],
)
def test_impossible_sizes_are_refused(tmp_path: Path, longest: float, unit: str, message: str) -> None:
    with pytest.raises(MeshError, match=message) as caught:
        load_mesh(box(tmp_path / "a.stl", longest), unit)
    assert "unit" in str(caught.value) and "\n" not in str(caught.value)


@given(st.floats(1e-6, 1e6))
def test_plausible_units_are_those_of_handled_things(longest: float) -> None:
    found = plausible_units(longest)
    expected = {u for u, m in UNITS.items() if 0.002 <= longest * m <= 1.5}
    assert len(found) == len(set(found)) and set(found) ^ expected <= {
        u for u, m in UNITS.items() if np.isclose(longest * m, [0.002, 1.5], rtol=1e-6).any()
    }


def test_from_one_unit_to_another() -> None:
    mesh = Mesh(DM, [[0, 1, 2]], unit=MeshUnit("mm", "guessed", ("cm",)))  # type: ignore[arg-type]
    other = in_unit(mesh, "cm", MeshUnit("cm", "depth"))
    np.testing.assert_allclose(other.vertices, 10 * np.array(DM))
    assert other.unit == MeshUnit("cm", "depth") and other.size_source == "depth"
    refuse_size(0.1, "m", "it")
