"""Several objects in one image."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3
from dexman_pose.render import Rasterizer, render_scene

K = np.array([[20.0, 0, 19.5], [0, 20.0, 14.5], [0, 0, 1]])


def square(half: float, rgb: tuple[int, int, int]) -> Rasterizer:
    v = np.array([[-half, half, 0], [half, half, 0], [half, -half, 0], [-half, -half, 0]])
    colors = np.tile(np.array(rgb, np.uint8), (4, 1))
    return Rasterizer(Mesh(v, np.array([[0, 1, 2], [0, 2, 3]]), vertex_colors=colors))


def test_the_nearer_object_hides_the_farther_whatever_the_order() -> None:
    near, far = square(0.2, (255, 0, 0)), square(1.0, (0, 0, 255))
    poses = np.stack([se3(np.eye(3), [0, 0, 1.0]), se3(np.eye(3), [0, 0, 2.0])])
    wanted = ("color", "face_id", "barycentric", "normal")
    one = render_scene([near, far], poses, K, 40, 30, attributes=wanted)
    two = render_scene([far, near], poses[::-1], K, 40, 30, attributes=wanted)
    assert one.object_id.shape == (30, 40) and one.object_id.dtype == np.int32
    assert (one.object_id == 0).sum() == 8 * 8 and (one.object_id == 1).sum() == 20 * 20 - 64
    assert one.object_id[0, 0] == -1 and one.face_id[0, 0] == -1 and one.depth[0, 0] == 0.0
    np.testing.assert_allclose(one.depth[one.object_id == 0], 1.0)
    np.testing.assert_allclose(one.depth[one.object_id == 1], 2.0)
    np.testing.assert_allclose(one.color[15, 20], [1, 0, 0])
    np.testing.assert_allclose(one.color[6, 11], [0, 0, 1])
    assert np.array_equal(one.mask, one.object_id >= 0)
    swapped = np.where(two.object_id < 0, -1, 1 - two.object_id)
    assert np.array_equal(one.object_id, swapped) and np.array_equal(one.depth, two.depth)
    assert np.array_equal(one.color, two.color) and np.array_equal(one.normal, two.normal)


def test_an_empty_scene_is_empty() -> None:
    scene = render_scene([], np.zeros((0, 4, 4)), K, 5, 4)
    assert not scene.mask.any() and (scene.object_id == -1).all() and scene.depth.shape == (4, 5)


def test_one_pose_per_object() -> None:
    with pytest.raises(InputError, match="1 objects but 2 poses"):
        render_scene([square(1, (1, 1, 1))], np.stack([np.eye(4)] * 2), K, 5, 4)
