"""The size of meshes against depth: it decides between units, and refuses those that cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose.data import Camera, Clip, DepthSequence, Mesh, MeshUnit, ObjectPrompt
from dexman_pose.errors import InputError
from dexman_pose.meshing.units import UNITS, settle_unit
from dexman_pose.pipeline.hashing import hash_mesh
from dexman_pose.pipeline.inputs import Inputs
from dexman_pose.pipeline.mesh_units import seen_size, sized_meshes
from dexman_pose.pipeline.provenance import _unit

CAMERA = Camera.from_focal(300.0, 320, 240)
LONG = 0.12  # of the object, a stick upright at 0.45 m before a wall at 1.5 m
ROWS, COLUMNS = slice(80, 160), slice(140, 180)


def depth_image(stick: float = 0.45, wall: float = 1.5) -> NDArray[np.float32]:
    out = np.full((240, 320), wall, np.float32)
    out[ROWS, COLUMNS] = stick
    return out


DEPTH = DepthSequence.from_arrays([depth_image()])
MASK = depth_image() < 1
BOX = np.array([135.0, 72.0, 185.0, 168.0])
PROMPTS = {"box": ObjectPrompt(box=BOX), "mask": ObjectPrompt(mask=MASK)}


def stick(in_file: float, unit: str = "auto") -> Mesh:
    """A stick whose longest side is ``in_file`` in its file, of the given or a guessed unit."""
    shape = trimesh.creation.box((0.4 * in_file, in_file, 0.3 * in_file))
    found = settle_unit(in_file, unit, "it")
    return Mesh(np.asarray(shape.vertices) * UNITS[found.name], np.asarray(shape.faces), unit=found)


def sized(mesh: Mesh, prompt: ObjectPrompt, depth: DepthSequence | None = DEPTH) -> Mesh:
    out = sized_meshes({"stick": mesh}, {"stick": prompt}, CAMERA, depth)["stick"]
    assert out is not None
    return out


@pytest.mark.parametrize("kind", PROMPTS)
@pytest.mark.parametrize("unit", UNITS)
def test_depth_decides_between_units(kind: str, unit: str) -> None:
    """Whatever the file's unit, the stick becomes 12 cm; inches and centimetres are told apart too."""
    mesh = stick(LONG / UNITS[unit])
    found = sized(mesh, PROMPTS[kind])
    assert found.extents.max() == pytest.approx(LONG) and found.unit is not None
    assert (found.unit.name, found.unit.source, found.size_source) == (unit, "depth", "depth")


def test_without_depth_a_guess_stays_one() -> None:
    mesh = stick(12.0)
    assert sized(mesh, PROMPTS["box"], None) is mesh and mesh.size_source == "guessed"
    empty = DepthSequence.from_arrays([np.zeros((240, 320), np.float32)])
    assert sized(mesh, PROMPTS["mask"], empty) is mesh
    clicks = ObjectPrompt(points=np.array([[160.0, 120.0]]))
    assert sized(mesh, clicks) is mesh


def test_a_size_that_no_unit_explains_stays_a_guess(caplog: pytest.LogCaptureFixture) -> None:
    mesh = stick(0.012)  # 12 mm in metres; in any other unit smaller than anything handled
    assert sized(mesh, PROMPTS["mask"]).unit == mesh.unit
    assert "which no unit of its mesh explains" in caplog.text


@pytest.mark.parametrize("kind", PROMPTS)
@pytest.mark.parametrize(("in_file", "unit"), [(120.0, "cm"), (12.0, "mm"), (1.2, "m"), (0.012, "m")])
def test_a_stated_unit_that_depth_denies_is_refused(kind: str, in_file: float, unit: str) -> None:
    with pytest.raises(
        InputError, match=rf"object 'stick': in the unit {unit} .* check the unit of the mesh"
    ) as e:
        sized(stick(in_file, unit), PROMPTS[kind])
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("kind", PROMPTS)
@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_a_stated_unit_stands_within_what_views_and_boxes_do(kind: str, factor: float) -> None:
    mesh = stick(factor * LONG, "m")
    assert sized(mesh, PROMPTS[kind]) is mesh


def test_meshes_in_memory_are_in_metres() -> None:
    good = replace(stick(LONG, "m"), unit=None)
    assert sized(good, PROMPTS["mask"]) is good and good.size_source == "given"
    for factor, message in ((1000, "too large"), (1e-3, "too small"), (10, "check the unit of the mesh")):
        with pytest.raises(InputError, match=message) as caught:
            sized(good.scaled(factor), PROMPTS["mask"])
        assert "unit" in str(caught.value)


def test_a_mesh_of_unknown_scale_is_left_alone() -> None:
    mesh = replace(stick(LONG, "m").scaled(1000), unit=None)
    assert sized(mesh, replace(PROMPTS["mask"], mesh_scale="unknown")) is mesh


def test_the_size_seen() -> None:
    diagonal = np.hypot(40, 80) / 300 * 0.45
    assert seen_size(PROMPTS["mask"], CAMERA, DEPTH) == pytest.approx(diagonal, rel=1e-6)
    assert seen_size(replace(PROMPTS["mask"], frame=3), CAMERA, DEPTH) is None


def test_inputs_of_a_run_have_their_size(tmp_path: Any) -> None:
    trimesh.creation.box((4.8, 12.0, 3.6)).export(tmp_path / "stick.ply")
    clip = Clip.from_frames(np.zeros((1, 240, 320, 3), np.uint8))
    prompt = replace(PROMPTS["box"], mesh=tmp_path / "stick.ply")
    found = Inputs.check(clip, {"stick": prompt}, camera=CAMERA, depth=DEPTH).meshes["stick"]
    assert found is not None and found.extents.max() == pytest.approx(LONG)
    guessed = Inputs.check(clip, {"stick": prompt}, camera=CAMERA).meshes["stick"]
    assert guessed is not None and guessed.extents.max() == pytest.approx(0.012)
    with pytest.raises(InputError, match="unit"):
        Inputs.check(clip, {"stick": prompt}, camera=CAMERA, mesh_unit="m")


def test_provenance_tells_the_unit_that_hands_spoke_for() -> None:
    mesh = stick(12.0)
    assert mesh.unit == MeshUnit("mm", "guessed", ("cm", "inch"))
    assert _unit(None, 1.0) is None and _unit(replace(mesh, unit=None), 1.0) is None
    assert _unit(mesh, 1.0) == {"unit": "mm", "source": "guessed", "others": ["cm", "inch"]}
    assert _unit(mesh, 10.0) == {"unit": "cm", "source": "hand", "others": ["mm", "inch"]}
    assert _unit(mesh, 1.03) == _unit(mesh, 1.0)


def test_who_said_the_unit_counts_for_stored_results() -> None:
    mesh = stick(LONG)
    stated = replace(mesh, unit=MeshUnit("m", "given"))
    assert hash_mesh(mesh) != hash_mesh(stated) != hash_mesh(replace(mesh, unit=None))
