"""``dexman-pose prompt`` without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dexman_pose.cli.main import main
from dexman_pose.data.video.writer import write_video


@pytest.fixture()
def video(tiny_scene: Any, tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", tiny_scene.frames)


def test_a_frame_is_saved_as_a_picture(video: Path, tiny_scene: Any, tmp_path: Path) -> None:
    assert main(["prompt", str(video), "--frame", "2", "--save", str(tmp_path / "frame.png")]) == 0
    shown = np.asarray(Image.open(tmp_path / "frame.png")).astype(int)
    assert shown.shape == (96, 128, 3) and np.abs(shown - tiny_scene.frames[2]).mean() < 8


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--frame", "9", "--save", "x.png"], "frames 0 to 3"),
        (["--save", "x.gif"], "ends in .png"),
        (["--options", "'"], "taken apart"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    video: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert main(["prompt", str(video), *more]) == 2
    assert said in capsys.readouterr().err


def test_without_the_package_the_command_that_gets_it_is_told(
    video: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nicegui", None)
    assert main(["prompt", str(video), "--no-browser"]) == 2
    assert "dexman-pose[prompt]" in capsys.readouterr().err
