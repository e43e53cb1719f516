"""The failure rate and the overlap of outlines, by hand on small images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3
from dexman_pose.metrics.silhouette import failure_rate, mask_iou, vertex_silhouette

CAMERA = Camera(np.array([[4.0, 0, 3.0], [0, 4, 3.0], [0, 0, 1]]), 7, 7)
POINT = np.zeros((1, 3))
PIXEL = 0.25
PLATE = Mesh(
    0.6 * PIXEL * np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]),
    np.array([[0, 1, 2], [0, 2, 3]]),
)


def at(u: float = 3.0, v: float = 3.0, z: float = 1.0) -> NDArray[np.float64]:
    """A pose whose origin is seen at a pixel."""
    return se3(np.eye(3), [(u - 3) * PIXEL * z, (v - 3) * PIXEL * z, z])


def block(u0: int, v0: int, u1: int, v1: int) -> NDArray[np.bool_]:
    mask = np.zeros((7, 7), np.bool_)
    mask[v0:v1, u0:u1] = True
    return mask


def test_a_vertex_makes_a_cross() -> None:
    cross = np.zeros((7, 7), np.bool_)
    cross[3, 2:5] = cross[2:5, 3] = True
    np.testing.assert_array_equal(vertex_silhouette(POINT, at(), CAMERA), cross)
    np.testing.assert_array_equal(vertex_silhouette(POINT, at(3.4, 2.6), CAMERA), cross)
    corner = np.zeros((7, 7), np.bool_)
    corner[0, :2] = corner[1, 0] = True
    np.testing.assert_array_equal(vertex_silhouette(POINT, at(0, 0), CAMERA), corner)
    assert not vertex_silhouette(POINT, at(-1, 3), CAMERA).any()
    assert not vertex_silhouette(POINT, at(z=-1.0), CAMERA).any()


def test_a_frame_fails_below_an_overlap_of_a_tenth() -> None:
    # The cross of 5 pixels: 4 of it in the mask.
    exactly = block(0, 0, 7, 7)
    exactly[3, 2] = False
    exactly = exactly & (np.cumsum(exactly).reshape(7, 7) <= 39)
    result = failure_rate(at()[None], None, POINT, CAMERA, exactly[None])
    assert result.iou[0] == 4 / 40 and not result.failed[0] and result.rate == 0.0
    more = exactly.copy()
    more[6, 6] = True
    result = failure_rate(at()[None], None, POINT, CAMERA, more[None])
    assert result.iou[0] == 4 / 41 and result.failed[0] and result.rate == 1.0


def test_frames_without_an_estimate_fail_and_frames_without_a_mask_are_left_out() -> None:
    poses = np.stack([at(), at(), at(), at(0, 0)])
    poses[1] = np.nan  # never looked at
    masks = np.stack([block(2, 2, 5, 5)] * 4)
    masks[2] = False
    valid = np.array([True, False, True, True])
    result = failure_rate(poses, valid, POINT, CAMERA, masks)
    assert result.failed.tolist() == [False, True, False, True]
    assert result.counted.tolist() == [True, True, False, True]
    assert (result.rate, result.failures, result.left_out) == (2 / 3, 2, 1)
    assert result.iou.tolist() == [5 / 9, 0.0, 0.0, 0.0]


def test_frames_without_depth_are_left_out_when_depth_is_given() -> None:
    poses, masks = np.stack([at(0, 0)] * 3), block(2, 2, 5, 5)
    depth = np.zeros((3, 7, 7), np.float32)
    depth[0, 6, 6] = 1.0
    depth[2] = np.nan
    result = failure_rate(poses, None, POINT, CAMERA, masks, depth)
    assert result.counted.tolist() == [True, False, False]
    assert result.rate == 1.0 and result.left_out == 2
    assert failure_rate(poses, None, POINT, CAMERA, lambda i: masks).counted.all()


def test_without_frames_there_is_no_rate() -> None:
    result = failure_rate(at()[None], None, POINT, CAMERA, block(0, 0, 0, 0))
    assert result.rate is None and result.left_out == 1 and result.failures == 0


def test_overlap_of_the_drawn_outline() -> None:
    # At one metre PLATE covers one pixel, at 0.4 m columns and rows 2 to 4.
    mask = block(2, 2, 5, 4)
    poses = np.stack([at(), at(z=0.4), at(0, 0), at(z=-1.0), at(9, 9)])
    assert mask_iou(poses, PLATE, CAMERA, mask).tolist() == [1 / 6, 6 / 9, 0.0, 0.0, 0.0]
    masks = np.stack([mask, block(2, 2, 5, 5), block(0, 0, 1, 1), mask, mask])
    assert mask_iou(poses, PLATE, CAMERA, lambda i: masks[i]).tolist() == [1 / 6, 1.0, 1.0, 0.0, 0.0]


def test_unknown_pixels_are_not_counted() -> None:
    hand = block(0, 4, 7, 7)
    pose = at(z=0.4)[None]
    assert mask_iou(pose, PLATE, CAMERA, block(2, 2, 5, 4)).tolist() == [6 / 9]
    assert mask_iou(pose, PLATE, CAMERA, block(2, 2, 5, 4), unknown=hand).tolist() == [1.0]
    assert mask_iou(pose, PLATE, CAMERA, block(2, 2, 5, 7), unknown=hand).tolist() == [1.0]


def test_frames_without_an_estimate_have_no_overlap() -> None:
    poses = np.stack([at(z=0.4), np.full((4, 4), np.nan)])
    found = mask_iou(poses, PLATE, CAMERA, block(2, 2, 5, 5), np.array([True, False]))
    assert found.tolist() == [1.0, 0.0]
    assert mask_iou(at(z=-1.0)[None], PLATE, CAMERA, block(0, 0, 0, 0)).tolist() == [0.0]


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="one pose per frame"):
        failure_rate(at(), None, POINT, CAMERA, block(0, 0, 1, 1))
    with pytest.raises(InputError, match=r"estimated holds .* NaN"):
        mask_iou(np.full((1, 4, 4), np.nan), PLATE, CAMERA, block(0, 0, 1, 1))
    lens = replace(CAMERA, distortion=np.array([0.1, 0, 0, 0]))
    with pytest.raises(InputError, match="undistort"):
        failure_rate(at()[None], None, POINT, lens, block(0, 0, 1, 1))
    with pytest.raises(InputError, match="undistort"):
        mask_iou(at()[None], PLATE, lens, block(0, 0, 1, 1))
