"""Mutated camera files of every format that has a written example: each is read or refused in one line."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inputs import fuzz, seeds_of, told
from PIL import Image

from dexman_pose.data import load_camera

EXAMPLES = Path(__file__).resolve().parents[1] / "data" / "camera_files" / "test_formats.py"
FILES: dict[str, tuple[str, str, bytes | str | dict[str, Any]]] = runpy.run_path(str(EXAMPLES))["FILES"]


def _written(folder: Path, form: str) -> Path:
    name, _, content = FILES[form]
    if isinstance(content, dict):
        content = json.dumps(content)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / name


def _look(path: Path) -> None:
    camera = load_camera(path, 640, 480)
    assert np.isfinite(camera.K).all() and camera.fx > 0 and camera.fy > 0


@pytest.mark.parametrize("form", FILES)
def test_mutated_cameras_are_read_or_refused(tmp_path: Path, form: str) -> None:
    path = _written(tmp_path, form)
    fuzz(form, tmp_path, lambda: _look(path), seeds_of("camera", slow=False))


@pytest.mark.slow
@pytest.mark.parametrize("form", FILES)
def test_many_mutated_cameras(tmp_path: Path, form: str) -> None:
    path = _written(tmp_path, form)
    assert fuzz(form, tmp_path, lambda: _look(path), seeds_of("camera", slow=True))


@pytest.mark.slow
@pytest.mark.parametrize("form", FILES)
def test_the_command_line_refuses_them_in_one_line(tmp_path: Path, form: str, capsys: Any) -> None:
    folder, frames = tmp_path / "camera", tmp_path / "rgb"
    folder.mkdir()
    frames.mkdir()
    for t in range(2):
        Image.fromarray(np.zeros((480, 640, 3), np.uint8)).save(frames / f"{t}.png")
    path = _written(folder, form)
    arguments = ["run", str(frames), "--box", "cup=9,9,40,40", "--camera", str(path), "--hands", "none"]
    arguments += ["--no-overlay", "--out", str(tmp_path / "out")]
    told(folder, lambda: _look(path), arguments, capsys, 1, form)
