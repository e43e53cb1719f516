"""Values of meshes as callers write them: colours of every kind, wide indices, numbers that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Mesh
from dexman_pose.data.mesh import as_bytes
from dexman_pose.errors import MeshError

XYZ = [[0.0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]]
FACES = [[0, 1, 2]]
UV = np.zeros((1, 3, 2))


def mesh(**change: Any) -> Mesh:
    return Mesh(**({"vertices": XYZ, "faces": FACES} | change))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ([[0.0, 0.5, 1.0]] * 3, [0, 128, 255]),
        ([[0, 1, 255]] * 3, [0, 1, 255]),
        (np.array([[0, 32896, 65535]] * 3, np.uint16), [0, 128, 255]),
        (np.array([[0, 128, 255]] * 3, np.uint16), [0, 128, 255]),
        (np.array([[0, 128.4, 255]] * 3), [0, 128, 255]),
        (np.array([[1.0, 2.0, 3.0]] * 3), [1, 2, 3]),
        (np.array([[9, 8, 7, 255]] * 3, np.uint8), [9, 8, 7]),
        (np.array([[0.0, 0.5, 1.0, 1.0]] * 3, np.float32), [0, 128, 255]),
        (np.zeros((3, 3)), [0, 0, 0]),
        (np.ones((3, 3)), [255, 255, 255]),
    ],
)
def test_colours_mean_what_they_say(given: Any, shown: list[int]) -> None:
    np.testing.assert_array_equal(mesh(vertex_colors=given).vertex_colors, [shown] * 3)
    wide = np.asarray(given)[None]
    np.testing.assert_array_equal(mesh(uv=UV, texture=wide).texture, [[shown] * 3])


@pytest.mark.parametrize(
    "given",
    [
        [[0, 0, 256]] * 3,
        [[0, 0, -1]] * 3,
        [[0.0, 0.5, 1.2]] * 3,
        [[0.0, 0.5, 300.0]] * 3,
        [[0.0, np.nan, 1.0]] * 3,
        [[0.0, np.inf, 1.0]] * 3,
        [[1j, 0, 0]] * 3,
        [[True, False, True]] * 3,
        [["a", "b", "c"]] * 3,
        [[1, 2], [3, 4], [5, 6]],
        [[1, 2, 3], [4, 5]],
    ],
)
def test_colours_that_mean_nothing_are_refused(given: Any) -> None:
    with pytest.raises(MeshError, match="vertex colours") as caught:
        mesh(vertex_colors=given)
    assert "\n" not in str(caught.value)


def test_pictures_of_pillow_are_textures() -> None:
    found = mesh(uv=UV, texture=Image.new("RGBA", (4, 2), (1, 2, 3, 0))).texture
    assert found is not None and found.shape == (2, 4, 3) and found[0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        ([[0, 1, 2**32]], r"index vertices 0\.\.4294967296, but there are 3"),
        (np.array([[0, 1, 2**63]], np.uint64), "but there are 3"),
        ([[0, 1, -1]], r"index vertices -1\.\.1"),
        ([[0, 1, 1.5]], "must be whole numbers"),
        ([[0, 1, np.nan]], "must be whole numbers"),
        ([[0, 1, 2j]], "must be real numbers"),
        ([[False, True, True]], "must be whole numbers"),
        ([[0, 1, 2, 0]], "mesh faces must have shape"),
        ([[0, 1, 10**30]], "mesh faces"),
        ([["0", "1", "2"]], "must be real numbers"),
    ],
)
def test_faces_are_checked_before_they_are_cut_to_32_bits(faces: Any, message: str) -> None:
    with pytest.raises(MeshError, match=message) as caught:
        mesh(faces=faces)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int64, np.float32])
def test_faces_of_every_type(dtype: Any) -> None:
    assert mesh(faces=np.array(FACES, dtype)).faces.dtype == np.int32


def test_complex_positions_keep_no_half() -> None:
    with pytest.raises(MeshError, match="mesh vertices must be real numbers"):
        mesh(vertices=np.array(XYZ) + 1j)
    with pytest.raises(MeshError, match="mesh uv must be real numbers"):
        mesh(uv=UV * 1j, texture=np.zeros((2, 2, 3), np.uint8))


def test_bytes_stay_as_they_are() -> None:
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(as_bytes(every, "x"), every)
    np.testing.assert_array_equal(as_bytes(every / 255.0, "x"), every)
    np.testing.assert_array_equal(as_bytes(every.astype(np.uint16) * 257, "x"), every)
