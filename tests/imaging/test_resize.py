"""Resizing keeps pixel centres: planes, ramps and labels stay where the moved camera sees them."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dexman_pose.data import Camera
from dexman_pose.imaging.resize import Way, resize_depth, resize_labels, resize_picture

PACKAGE = Path(__file__).resolve().parents[2] / "dexman_pose"


def _wall(camera: Camera) -> NDArray[np.float32]:
    """Depth (H, W) of a wall turned by 45 degrees about the vertical, 0.6 m away on the axis: z = 0.6 + x."""
    u = np.arange(camera.width)
    ray = (u - camera.cx) / camera.fx
    return np.tile((0.6 / (1.0 - ray)).astype(np.float32), (camera.height, 1))


@pytest.mark.parametrize(
    ("side", "most"), [(200, 2e-5), (100, 2e-5), (80, 2e-5), (64, 2e-5), (399, 2e-5), (500, 2e-5)]
)
def test_a_slanted_wall_stays_where_the_camera_sees_it(side: int, most: float) -> None:
    camera = Camera.from_focal(600.0, 400, 400)
    small = camera.cropped(0, 0, side, side, side / 400)
    error = resize_depth(_wall(camera), (side, side)) - _wall(small)
    step = 0.6 / 600 * 400 / side  # metres of depth from one small pixel to the next
    assert abs(float(np.median(error))) < most
    assert np.abs(error).max() < step


def test_beside_steps_and_gaps_depth_is_that_of_the_nearest_pixel() -> None:
    depth = np.full((60, 80), 0.5, np.float32)
    depth[:, 41:] = 0.9
    depth[20:33] = 0.0
    depth[45] = np.nan
    small = resize_depth(depth, (40, 30))
    nearest = resize_labels(depth, (40, 30))
    np.testing.assert_array_equal(small, nearest)
    assert (small[10:16] == 0).all() and (small[2, :20] == np.float32(0.5)).all()


@pytest.mark.parametrize(
    ("size", "way"),
    [
        *(
            ((w, h), way)
            for w, h in ((200, 150), (150, 113), (133, 99), (64, 48))
            for way in (None, Way.LINEAR)
        ),
        ((801, 601), None),
        ((801, 601), Way.CUBIC),
    ],
)
def test_ramps_stay_in_place(size: tuple[int, int], way: Way | None) -> None:
    v, u = np.mgrid[:300, :400].astype(np.float32)
    sx, sy = size[0] / 400, size[1] / 300
    for ramp, axis, scale in ((u, 1, sx), (v, 0, sy)):
        small = resize_picture(ramp, size, way)
        expected = (np.arange(size[1 - axis]) + 0.5) / scale - 0.5
        found = small[size[1] // 2] if axis else small[:, size[0] // 2]
        error = (found - expected)[3:-3]
        assert (
            np.abs(error).max() < 0.1 and abs(error.mean()) < 2e-3
        )  # parts of pixels are weighed, so a ramp ripples


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    kind=st.sampled_from(["uint8", "bool", "uint16", "int32", "int64", "uint32", "float32", "float64"]),
    seed=st.integers(0, 99),
)
def test_labels_are_those_of_the_nearest_pixel(
    shape: tuple[int, int], size: tuple[int, int], kind: str, seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(0, 2 if kind == "bool" else 200, shape).astype(kind)
    small = resize_labels(labels, size)
    assert small.dtype == labels.dtype and small.shape == size[::-1]
    rows, columns = (_nearest(n, m) for n, m in zip(shape, size[::-1]))
    for y, x in np.ndindex(*small.shape):
        assert small[y, x] in {labels[i, j] for i in rows[y] for j in columns[x]}


def _nearest(old: int, new: int) -> list[list[int]]:
    """Of each new pixel the old ones whose centres are nearest to its own, two on a tie; in whole numbers."""
    found = []
    for i in range(new):
        distance = [abs((2 * i + 1) * old - (2 * k + 1) * new) for k in range(old)]
        found.append([k for k in range(old) if distance[k] == min(distance)])
    return found


def test_no_average_of_labels() -> None:
    labels = np.kron(np.array([[0, 255], [3, 0]]), np.ones((31, 17))).astype(np.uint8)
    assert set(np.unique(resize_labels(labels, (13, 11)))) == {0, 3, 255}


def test_an_image_of_the_size_is_itself() -> None:
    image = np.zeros((4, 6), np.uint8)
    assert resize_picture(image, (6, 4)) is image and resize_labels(image, (6, 4)) is image


def _resizers(source: str) -> list[str]:
    """Calls that change the size of an image by themselves."""
    names = {"cv2.resize", "F.interpolate", "torch.nn.functional.interpolate", "nn.functional.interpolate"}
    names |= {"ndimage.zoom", "scipy.ndimage.zoom", "cv2.pyrDown", "cv2.pyrUp"}
    calls = [ast.unparse(n.func) for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    return [name for name in calls if name in names or name.endswith((".resize", ".thumbnail"))]


TENSORS = {"networks/pictures.py", "segmentation/sam2/memory.py", "segmentation/sam/library.py"}
"""Networks were taught on pictures and fields that were resized as their own libraries do."""


def test_nothing_else_resizes() -> None:
    found = {
        str(path.relative_to(PACKAGE)): calls
        for path in sorted(PACKAGE.rglob("*.py"))
        if (calls := _resizers(path.read_text(encoding="utf-8")))
    }
    assert set(found) == {"imaging/resize.py"} | TENSORS, f"use dexman_pose.imaging.resize in {found}"


def test_the_search_for_resizers_finds_them() -> None:
    source = "cv2.resize(a, b)\nF.interpolate(x)\nimage.resize((3, 4))\nresize_picture(a, b)\n"
    assert _resizers(source) == ["cv2.resize", "F.interpolate", "image.resize"]
