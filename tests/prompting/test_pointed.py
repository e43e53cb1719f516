"""What was pointed at becomes a prompt file that the pipeline reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.pipeline import load_prompts
from dexman_pose.prompting.pointed import Pointing


@pytest.fixture()
def pointing() -> Pointing:
    return Pointing(640, 480)


def test_a_drag_in_any_direction_is_a_box_within_the_picture(pointing: Pointing) -> None:
    assert pointing.drag((300.0, 200.0), (-20.0, 90.04), 3)
    assert pointing.now.box == (0.0, 90.0, 300.0, 200.0) and pointing.now.frame == 3


def test_a_short_drag_is_no_box(pointing: Pointing) -> None:
    assert not pointing.drag((10.0, 10.0), (12.0, 300.0), 0)
    assert pointing.now.box is None


def test_what_was_said_in_another_frame_is_forgotten(pointing: Pointing) -> None:
    pointing.drag((10.0, 10.0), (100.0, 100.0), 0)
    pointing.click(50.0, 50.0, 0)
    pointing.click(60.0, 60.0, 0, on=False)
    assert pointing.now.clicks == ((50.0, 50.0, 1), (60.0, 60.0, 0)) and pointing.now.box is not None
    pointing.click(700.0, -5.0, 7)
    assert pointing.now.box is None and pointing.now.clicks == ((639.0, 0.0, 1),) and pointing.now.frame == 7
    pointing.drag((10.0, 10.0), (100.0, 100.0), 8)
    assert pointing.now.clicks == ()


def test_objects_have_different_names(pointing: Pointing) -> None:
    pointing.rename("cup")
    pointing.add()
    with pytest.raises(InputError, match="already"):
        pointing.rename(" cup ")
    with pytest.raises(InputError, match="needs a name"):
        pointing.rename("  ")
    pointing.rename("object1")
    pointing.add()
    assert [thing.name for thing in pointing] == ["cup", "object1", "object2"] and pointing.chosen == 2


def test_the_last_object_that_is_removed_leaves_a_new_one(pointing: Pointing) -> None:
    pointing.rename("cup")
    pointing.add()
    pointing.remove()
    assert pointing.now.name == "cup"
    pointing.remove()
    assert [thing.name for thing in pointing] == ["object"] and pointing.chosen == 0


def test_a_prompt_file_comes_back(pointing: Pointing, tmp_path: Path) -> None:
    mesh = tmp_path / "cup.obj"
    mesh.touch()
    pointing.rename("cup")
    pointing.drag((10.0, 20.0), (110.0, 220.0), 4)
    pointing.give_mesh(str(mesh))
    pointing.add()
    pointing.click(30.0, 40.0, 9)
    pointing.click(35.0, 45.0, 9, on=False)
    file = pointing.save(tmp_path / "sub.json")
    read = load_prompts(file)
    assert read["cup"].frame == 4 and read["cup"].mesh == mesh
    np.testing.assert_array_equal(read["cup"].box, [10, 20, 110, 220])
    np.testing.assert_array_equal(read["object1"].points, [[30, 40, 1], [35, 45, 0]])
    again = Pointing.of(read, 640, 480)
    assert [thing.content() for thing in again] == [thing.content() for thing in pointing]


@pytest.mark.parametrize("kind", ["nothing", "only beside"])
def test_an_object_that_nobody_pointed_at_is_not_saved(pointing: Pointing, tmp_path: Path, kind: str) -> None:
    if kind == "only beside":
        pointing.click(5.0, 5.0, 0, on=False)
    assert pointing.missing() == ["object"]
    with pytest.raises(InputError, match="nothing says where 'object' is"):
        pointing.save(tmp_path / "p.json")
    assert not (tmp_path / "p.json").exists()


def test_a_mesh_that_is_not_there_is_refused(pointing: Pointing, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no mesh file"):
        pointing.give_mesh(str(tmp_path / "none.obj"))
    pointing.give_mesh("  ")
    assert pointing.now.mesh == ""
