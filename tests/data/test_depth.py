"""Depth images from files and memory, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import DepthSequence
from dexman_pose.errors import InputError


def _png(path: Path, values: object) -> None:
    Image.fromarray(np.array(values, np.uint16)).save(path)


def test_png_folder_in_natural_order_and_metres(tmp_path: Path) -> None:
    for i in (10, 9, 1):
        _png(tmp_path / f"d{i}.png", [[i * 1000, 0, 65535]])
    depth = DepthSequence.from_folder(tmp_path)
    assert (len(depth), depth.width, depth.height) == (3, 3, 1)
    assert [depth.frame(i)[0, 0] for i in range(3)] == [1.0, 9.0, 10.0]
    assert depth.frame(0).dtype == np.float32 and depth.frame(0)[0, 2] == np.float32(65.535)
    np.testing.assert_array_equal(depth.valid(0), [[True, False, True]])
    assert DepthSequence.from_folder(tmp_path, 0.0001).frame(0)[0, 0] == pytest.approx(0.1)


def test_pattern_leaves_colour_images_out(tmp_path: Path) -> None:
    _png(tmp_path / "depth_0.png", [[5, 6]])
    Image.fromarray(np.zeros((1, 2, 3), np.uint8)).save(tmp_path / "color_0.png")
    assert len(DepthSequence.from_folder(tmp_path, pattern="depth_*")) == 1
    with pytest.raises(InputError, match=r"color_0.png must hold one depth value per pixel"):
        DepthSequence.from_folder(tmp_path)


def test_npy_files_and_stack(tmp_path: Path) -> None:
    stack = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32)
    np.save(tmp_path / "all.npy", stack)
    np.testing.assert_array_equal(DepthSequence.from_folder(tmp_path / "all.npy", 1.0).frame(2), stack[2])
    (tmp_path / "each").mkdir()
    for i in range(3):
        np.save(tmp_path / "each" / f"{i}.npy", stack[i])
    np.testing.assert_array_equal(DepthSequence.from_folder(tmp_path / "each", 1.0).frame(1), stack[1])


def test_values_that_measure_nothing_become_not_valid() -> None:
    depth = DepthSequence.from_arrays([np.array([[np.nan, np.inf, -1.0, 0.0, 0.5]])])
    np.testing.assert_array_equal(depth.frame(0), np.array([[0, 0, 0, 0, 0.5]], np.float32))
    np.testing.assert_array_equal(depth.valid(0), [[False, False, False, False, True]])


def test_what_is_no_depth_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder of depth images at"):
        DepthSequence.from_folder(tmp_path / "none")
    with pytest.raises(InputError, match="holds no depth images"):
        DepthSequence.from_folder(tmp_path)
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"a.png cannot be read"):
        DepthSequence.from_folder(tmp_path)
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="must be a 16-bit image"):
        DepthSequence.from_folder(tmp_path)
    with pytest.raises(InputError, match=r"is 3x2, but the first depth image is 2x2"):
        DepthSequence.from_arrays([np.zeros((2, 2)), np.zeros((2, 3))])
    with pytest.raises(InputError, match="unit_m"):
        DepthSequence.from_arrays([np.zeros((2, 2))], unit_m=-1)
    with pytest.raises(InputError, match="at least one image"):
        DepthSequence.from_arrays([])
    (tmp_path / "x.npy").write_bytes(b"junk")
    with pytest.raises(InputError, match=r"x.npy cannot be read"):
        DepthSequence.from_folder(tmp_path / "x.npy")


def test_a_frame_beyond_the_last_is_named() -> None:
    depth = DepthSequence.from_arrays(np.ones((4, 6, 8)))
    with pytest.raises(InputError, match="depth frame 4 is not"):
        depth.frame(4)
