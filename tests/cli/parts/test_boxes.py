"""Boxes on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dexman_pose.cli.main import main
from dexman_pose.cli.parts.boxes import prompts_of_boxes
from dexman_pose.data import Trajectory
from dexman_pose.errors import InputError


def test_boxes_become_prompts_in_their_order() -> None:
    found = prompts_of_boxes(["cup=387,258,483,409", "bowl=1.5,2,30,40@12"])
    assert list(found) == ["cup", "bowl"]
    assert found["cup"].box is not None and found["bowl"].box is not None
    np.testing.assert_array_equal(found["cup"].box, [387, 258, 483, 409])
    np.testing.assert_array_equal(found["bowl"].box, [1.5, 2, 30, 40])
    assert found["cup"].frame == 0 and found["bowl"].frame == 12


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["cup"], "must be NAME=X0,Y0,X1,Y1"),
        (["=1,2,3,4"], "must be NAME="),
        (["cup=1,2,3"], "but got 'cup=1,2,3'"),
        (["cup=1,2,3,4,5"], "must be NAME="),
        (["cup=a,b,c,d"], "must be NAME="),
        (["cup=1,2,3,4@x"], "must be NAME="),
        (["cup=3,2,1,4"], "x0 < x1"),
        (["cup=nan,2,3,4"], "NaN"),
        (["cup=1,2,3,4@-1"], "frame must be 0 or more"),
        (["cup=1,2,3,4", "cup=1,2,3,4"], "two boxes for 'cup'"),
    ],
)
def test_a_box_of_another_form_is_refused(options: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        prompts_of_boxes(options)


@pytest.fixture
def frames(tiny_scene: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "frames"
    folder.mkdir()
    for i, frame in enumerate(tiny_scene.frames):
        Image.fromarray(frame).save(folder / f"{i}.png")
    return folder


def test_a_box_runs_without_a_prompt_file(frames: Path, tiny_scene: Any, tmp_path: Path) -> None:
    box = ",".join(str(x) for x in tiny_scene.box)
    options = ["--K", "150,150,63.5,47.5", "--hands", "none", "--no-overlay"]
    (tmp_path / "p.json").write_text(json.dumps({"objects": {"box": tiny_scene.box}}))
    for name, way in (("a", ["--box", f"box={box}"]), ("b", ["--prompts", str(tmp_path / "p.json")])):
        assert main(["run", str(frames), *way, "--out", str(tmp_path / name), *options]) == 0
    first, second = (Trajectory.load(tmp_path / name).objects["box"] for name in ("a", "b"))
    np.testing.assert_array_equal(first.camera_from_object, second.camera_from_object)


def test_one_object_given_twice_and_none_at_all_are_refused(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.json").write_text(json.dumps({"objects": {"cup": [1, 2, 30, 40]}}))
    way = ["--prompts", str(tmp_path / "p.json"), "--box", "cup=1,2,30,40"]
    assert main(["run", str(frames), *way, "--out", str(tmp_path / "o")]) == 2
    assert "names 'cup' too" in capsys.readouterr().err
    assert main(["run", str(frames), "--out", str(tmp_path / "o")]) == 2
    assert "--box NAME=" in capsys.readouterr().err
