"""A rendered scene stands for a sensor: its depths are those of the nearest surfaces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.benchmarks.speed.rasterise import icosphere
from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.metrics.scene_depth import scene_depth
from dexman_pose.metrics.vsd import vsd
from dexman_pose.render import Rasterizer, render_scene

CAMERA = Camera(np.array([[4.0, 0, 1.5], [0, 4, 1.5], [0, 0, 1]]), 4, 4)
PLATE = Mesh(
    0.225 * np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]), np.array([[0, 1, 2], [0, 2, 3]])
)


def at(x: float = 0.0, y: float = 0.0, z: float = 1.0) -> NDArray[np.float64]:
    return se3(np.eye(3), [x, y, z])


def test_two_plates_by_hand() -> None:
    near = (
        PLATE.scaled(0.5),
        at(x=0.25, z=0.5),
    )  # 0.9 px about column 3.5: none of its centres but column 3 .. 4
    found = scene_depth([(PLATE, at()), (PLATE, at(x=0.25, z=0.999))], CAMERA)
    expected = np.array([[0, 0, 0, 0], [0, 1, 0.999, 0.999], [0, 1, 0.999, 0.999], [0, 0, 0, 0]])
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == np.float32
    swapped = scene_depth([(PLATE, at(x=0.25, z=0.999))], CAMERA, extra=[(PLATE, at())])
    np.testing.assert_array_equal(swapped, found)
    covered = scene_depth([(PLATE, at()), near], CAMERA)
    np.testing.assert_allclose(covered[1], [0, 1, 1, 0.5])


def test_equals_the_scene_rendered_whole() -> None:
    camera = Camera(np.array([[150.0, 0, 80.3], [0, 140, 58.8], [0, 0, 1]]), 160, 120)
    meshes = [icosphere(2, 0.1), icosphere(3, 0.05)]
    rng = np.random.default_rng(0)
    for _ in range(10):
        poses = se3(
            so3_exp(rng.normal(size=(2, 3))), rng.uniform([-0.3, -0.2, 0.04], [0.3, 0.2, 0.6], (2, 3))
        )
        whole = render_scene([Rasterizer(m) for m in meshes], poses, camera.K, 160, 120)
        found = scene_depth(list(zip(meshes, poses)), camera)
        np.testing.assert_allclose(found, whole.depth, rtol=1e-6)


def test_nothing_to_see() -> None:
    assert not scene_depth([], CAMERA).any()
    assert not scene_depth([(PLATE, at(z=-1.0)), (Rasterizer(PLATE), at(x=50.0))], CAMERA).any()


def test_an_occluder_of_the_scene_hides_in_vsd() -> None:
    truth = np.stack([at()] * 3)
    shield = PLATE.scaled(0.5)  # half as far and half as large: it covers the truth in frame 1

    def frame(index: int) -> np.ndarray:
        return scene_depth([(PLATE, truth[index]), *([(shield, at(z=0.5))] if index == 1 else [])], CAMERA)

    errors = vsd(truth, truth, PLATE, CAMERA, frame, taus=(0.2,))
    assert errors[:, 0].tolist() == [0.0, 1.0, 0.0]


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="one pose"):
        scene_depth([(PLATE, np.stack([at()] * 2))], CAMERA)
    with pytest.raises(InputError, match="undistort"):
        scene_depth([], replace(CAMERA, distortion=np.array([0.1, 0, 0, 0])))
