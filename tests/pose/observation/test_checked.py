"""Clip, masks, camera and depth as the public functions take them."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Camera
from dexman_pose.errors import InputError
from dexman_pose.pose.observation.checked import checked_views

SIZE = (6, 8)
CAMERA = Camera.from_focal(10.0, 8, 6)


def _pictures(folder: Path, numbers: list[int]) -> Path:
    folder.mkdir()
    for number in numbers:
        Image.fromarray(np.full((*SIZE, 3), number % 200, np.uint8)).save(folder / f"{number:06d}.png")
    return folder


def _millimetres(folder: Path, numbers: list[int]) -> Path:
    """Depth whose value tells its number."""
    folder.mkdir()
    for number in numbers:
        Image.fromarray(np.full(SIZE, number, np.uint16)).save(folder / f"{number:06d}.png")
    return folder


def test_depth_of_a_folder_belongs_to_the_frames_of_its_names(tmp_path: Path) -> None:
    color = _pictures(tmp_path / "rgb", [1000, 1001, 1003, 1004])
    folder = _millimetres(tmp_path / "depth", [1000, 1001, 1002, 1003, 1004])
    for path in (folder, str(folder)):
        *_, depth = checked_views(color, np.ones((4, *SIZE), bool), CAMERA, path)
        assert depth is not None and len(depth) == 4
        assert [round(1000 * float(depth.frame(t)[0, 0])) for t in range(4)] == [1000, 1001, 1003, 1004]


def test_what_is_assumed_of_depth_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    color = _pictures(tmp_path / "rgb", [10, 11, 12])
    folder = _millimetres(tmp_path / "depth", [10, 12])
    with caplog.at_level(logging.WARNING):
        *_, depth = checked_views(color, np.ones((3, *SIZE), bool), CAMERA, _in_metres(folder))
    assert depth is not None and not depth.valid(1).any()
    assert float(depth.frame(2)[0, 0]) == pytest.approx(1.2)
    assert "1 of 3 frames have no depth image" in caplog.text


def _in_metres(folder: Path) -> Path:
    """The same folder with arrays of floats in metres, a hundred times as far, in place of its pictures."""
    for path in folder.glob("*.png"):
        np.save(path.with_suffix(".npy"), np.full(SIZE, 0.1 * int(path.stem), np.float32))
        path.unlink()
    return folder


def test_depth_that_fits_no_frame_is_refused(tmp_path: Path) -> None:
    color = _pictures(tmp_path / "rgb", [1, 2, 3])
    for numbers in ([50, 51], [0, 1, 2]):
        folder = _millimetres(tmp_path / f"depth{numbers[0]}", numbers)
        with pytest.raises(InputError, match=r"number|names"):
            checked_views(color, np.ones((3, *SIZE), bool), CAMERA, folder)
