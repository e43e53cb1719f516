"""Pictures of textures: of 16 bits, of floats, indexed, grey, transparent; beyond their edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from dexman_pose.data.meshes.light import linear_light
from dexman_pose.meshing.colors import corner_tiles, encoded_light
from dexman_pose.meshing.formats.pictures import beside, clamped, mirrored, opened


@pytest.mark.parametrize(
    ("name", "array", "shown"),
    [
        ("a.png", np.full((4, 4), 32896, np.uint16), [128] * 3),
        ("a.png", np.full((4, 4, 3), (0, 32896, 65535), np.uint16)[..., ::-1], [0, 128, 255]),
        ("a.tif", np.full((4, 4), 0.5, np.float32), [128] * 3),
        ("a.png", np.full((4, 4), 77, np.uint8), [77] * 3),
        ("a.png", np.full((4, 4, 4), (10, 20, 30, 0), np.uint8), [30, 20, 10]),
    ],
)
def test_pictures_are_scaled_and_not_clipped(tmp_path: Path, name: str, array: Any, shown: list[int]) -> None:
    assert cv2.imwrite(str(tmp_path / name), array)  # stores channels as blue, green, red
    found = opened((tmp_path / name).read_bytes())
    assert found.shape == (4, 4, 3) and found.dtype == np.uint8
    np.testing.assert_allclose(found[0, 0], shown, atol=1)


def test_indexed_pictures(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4, 3), (9, 99, 199), np.uint8)).quantize(4).save(tmp_path / "a.png")
    assert opened((tmp_path / "a.png").read_bytes())[0, 0].tolist() == [9, 99, 199]


def test_light_goes_there_and_back() -> None:
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(encoded_light(linear_light(every)), every)
    assert encoded_light([0.0, 0.5, 1.0, 7.0, -1.0]).tolist() == [0, 188, 255, 255, 0]


def test_tiles_are_linear_between_the_corners() -> None:
    corners = np.random.default_rng(0).integers(0, 256, (50, 3, 3)).astype(np.uint8)
    corners[20:40] = corners[:20]
    uv, sheet = corner_tiles(corners)
    assert sheet.shape[0] * sheet.shape[1] <= 36 * 16  # equal faces share
    weights = np.random.default_rng(1).dirichlet([1, 1, 1], 50)
    at = np.einsum("fc,fcd->fd", weights, uv)
    x, y = at[:, 0] * sheet.shape[1] - 0.5, (1 - at[:, 1]) * sheet.shape[0] - 0.5
    found = cv2.remap(sheet, x.astype(np.float32)[None], y.astype(np.float32)[None], cv2.INTER_LINEAR)[0]
    expected = np.einsum("fc,fcd->fd", weights, corners.astype(float))
    # A tile holds the plane through the corners; behind the slanted side it may be cut at 0 and 255.
    assert np.abs(found - expected).max() < 12 and np.median(np.abs(found - expected)) < 1


def test_clamped_and_mirrored_keep_what_needs_no_more_room() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    uv = np.array([[[0, 0], [1, 0], [1, 1.0]]])
    same, picture = clamped(uv, image)
    np.testing.assert_array_equal(same, uv)
    assert picture is image
    far, picture = clamped(1000 * uv - 500, image)
    assert picture.shape[0] <= 9 * 4 and far.min() >= 0 and far.max() <= 1
    turned, picture = mirrored(uv, image, (True, False))
    assert picture.shape == (4, 8, 3) and turned[0, 1, 0] == 0.5


def test_files_beside(tmp_path: Path) -> None:
    (tmp_path / "Skin.PNG").write_bytes(b"")
    assert beside(tmp_path, "C:\\x\\skin.png") == tmp_path / "Skin.PNG"
    assert not beside(tmp_path, "other.png").exists()
