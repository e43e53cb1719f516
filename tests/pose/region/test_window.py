"""The window of a picture: pixels there and back, and what it shows beyond the picture's border."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from dexman_pose.pose.region.options import WindowOptions
from dexman_pose.pose.region.window import GrayPart, window_around

PLACES = [
    (0.0, 0.0, 0.3),
    (0.09, 0.05, 0.3),
    (-0.2, 0.0, 0.3),
    (0.0, 0.0, 0.09),
    (0.0, 0.0, 3.0),
    (2.0, 0.0, 0.3),
]


@pytest.mark.parametrize("place", PLACES)
def test_pixels_go_there_and_back_and_the_camera_agrees(
    shapes: Any, place: tuple[float, float, float]
) -> None:
    mesh, pose = shapes.cube(), shapes.pose_at((0.4, 0.5, 0.1), place)
    options = WindowOptions()
    window = window_around(mesh.vertices, pose, shapes.camera, options)
    pixels = np.random.default_rng(0).uniform(-50, 250, (40, 2))
    np.testing.assert_allclose(window.to_image(window.to_window(pixels)), pixels, atol=1e-9)
    points = mesh.vertices @ pose[:3, :3].T + pose[:3, 3]
    drawn = points @ window.K.T
    drawn = drawn[:, :2] / drawn[:, 2:]
    np.testing.assert_allclose(window.to_image(drawn), shapes.camera.project(points), atol=1e-7)
    assert max(window.width, window.height) <= options.side
    assert min(window.width, window.height) >= options.least
    if place[0] < 1:  # the whole object with a margin around it
        assert (drawn > 1.0).all()
        assert (drawn < [window.width - 2, window.height - 2]).all()
    k = window.K
    np.testing.assert_array_equal(
        window.view, [k[0, 0], k[1, 1], k[0, 2], k[1, 2], window.scale, window.scale]
    )


def test_a_window_shows_the_picture_and_repeats_its_border(shapes: Any) -> None:
    height, width = shapes.camera.height, shapes.camera.width
    y, x = np.mgrid[:height, :width]
    image = np.repeat((x // 2 + y // 2)[..., None], 3, -1).astype(np.uint8)
    mesh = shapes.cube(0.03)
    for place in ((0.0, 0.0, 0.3), (-0.1, -0.08, 0.3), (0.1, 0.08, 0.3)):
        window = window_around(
            mesh.vertices, shapes.pose_at((0, 0, 0), place), shapes.camera, WindowOptions()
        )
        assert window.scale == 1.0
        seen = window.gray(image)
        assert seen.shape == (window.height, window.width)
        rows = np.clip(np.arange(window.height) + int(window.y0), 0, height - 1)
        columns = np.clip(np.arange(window.width) + int(window.x0), 0, width - 1)
        np.testing.assert_array_equal(seen, image[rows][:, columns, 0])


def test_a_reduced_window_keeps_pixel_centres(shapes: Any) -> None:
    mesh, pose = shapes.cube(), shapes.pose_at((0, 0, 0), (0, 0, 0.1))
    window = window_around(mesh.vertices, pose, shapes.camera, WindowOptions(side=40))
    assert window.scale < 0.5
    _, x = np.mgrid[: shapes.camera.height, : shapes.camera.width]
    image = np.repeat(x[..., None], 3, -1).astype(np.uint8)  # brightness is the column
    seen = window.gray(image)[window.height // 2]
    columns = window.to_image(np.column_stack([np.arange(window.width), np.zeros(window.width)]))[:, 0]
    inside = (columns > 0) & (columns < shapes.camera.width - 1)
    assert inside.sum() > 20
    np.testing.assert_allclose(seen[inside], columns[inside], atol=0.75)


@pytest.mark.parametrize("side", [160, 40])
def test_what_is_hidden_in_the_picture_is_covered_in_the_window_and_a_margin_around_it(
    shapes: Any, side: int
) -> None:
    height, width = shapes.camera.height, shapes.camera.width
    mesh, pose = shapes.cube(), shapes.pose_at((0, 0, 0), (0.12, 0, 0.2))
    wide = WindowOptions(side=side, margin=0.25, border=12.0)
    window = window_around(mesh.vertices, pose, shapes.camera, wide)
    assert window.x0 + window.width / window.scale > width  # it reaches beyond the picture
    nothing = np.zeros((height, width), np.bool_)
    assert not window.covered(nothing).any()
    hidden = nothing.copy()
    hidden[: height // 2 + 1] = True  # the last row hidden is that of the camera's axis
    covered = window.covered(hidden)
    y, x = np.mgrid[: window.height, : window.width]
    pixels = window.to_image(np.stack([x.ravel(), y.ravel()], 1).astype(np.float64))
    column, row = pixels.reshape(window.height, window.width, 2).transpose(2, 0, 1)
    inside = (column >= 0) & (column <= width - 1) & (row >= 0) & (row <= height - 1)
    np.testing.assert_array_equal(covered[inside], (row < height // 2 + 1)[inside])
    assert not covered[column > width].any()
    wider = window.covered(hidden, 7)
    rows = np.nonzero(covered.any(1))[0].max(), np.nonzero(wider.any(1))[0].max()
    assert rows[1] - rows[0] == 3


def test_the_last_window_is_kept_until_the_object_leaves_it_or_is_much_smaller(shapes: Any) -> None:
    mesh, options = shapes.cube(0.03), WindowOptions()

    def at(x: float, z: float, last: Any = None) -> Any:
        pose = shapes.pose_at((0.4, 0.5, 0.1), (x, 0.0, z))
        return window_around(mesh.vertices, pose, shapes.camera, options, last)

    first = at(0.0, 0.3)
    assert at(0.004, 0.3, first) is first
    assert at(0.0, 0.31, first) is first
    for x, z in ((0.03, 0.3), (0.0, 0.18), (0.0, 0.5)):
        other = at(x, z, first)
        assert other is not first
        np.testing.assert_array_equal(other.K, at(x, z).K)


@pytest.mark.parametrize("place", PLACES)
def test_a_part_of_a_picture_shows_what_the_whole_picture_would(
    shapes: Any, place: tuple[float, float, float]
) -> None:
    image = np.random.default_rng(0).integers(0, 255, (160, 200, 3)).astype(np.uint8)
    mesh, pose = shapes.cube(), shapes.pose_at((0.4, 0.5, 0.1), place)
    window = window_around(mesh.vertices, pose, shapes.camera, WindowOptions())
    whole = GrayPart(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 0, 0)
    difference = window.gray(image).astype(int) - window.seen(whole)
    inside = np.abs(difference)[np.abs(difference) > 1]
    assert len(inside) <= 0.01 * difference.size
