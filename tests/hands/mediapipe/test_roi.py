"""Regions of the image: known angles, proportions, and the way to the crop and back."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.hands.mediapipe import roi as regions
from dexman_pose.hands.mediapipe.roi import Roi


def test_centre_and_corners_of_the_crop() -> None:
    roi = Roi(100.0, 50.0, 40.0, 0.0)
    assert roi.to_image([112.0, 112.0], 224) == pytest.approx([100.0, 50.0])
    assert roi.to_image([0.0, 0.0], 224) == pytest.approx([80.0, 30.0])


def test_quarter_turn_sends_up_to_the_right() -> None:
    # With the square turned by +90 degrees the crop's top side is the image's right side.
    roi = Roi(0.0, 0.0, 2.0, np.pi / 2)
    assert roi.to_image([1.0, 0.0], 2) == pytest.approx([1.0, 0.0], abs=1e-12)


@pytest.mark.parametrize("angle", [0.0, 0.3, -2.0, np.pi])
def test_round_trip(angle: float) -> None:
    roi = Roi(31.5, -7.0, 123.0, angle)
    points = np.random.default_rng(0).uniform(-50, 300, (9, 2))
    assert np.allclose(roi.from_image(roi.to_image(points, 192), 192), points)


def test_warp_maps_pixel_centres() -> None:
    roi = Roi(20.0, 30.0, 10.0, 0.7)
    warp = roi.image_from_crop(5)
    centres = np.array([[0.0, 0.0, 1.0], [4.0, 2.0, 1.0]])
    assert np.allclose(centres @ warp.T, roi.to_image(centres[:, :2] + 0.5, 5))


def test_crop_shows_what_lies_in_the_region() -> None:
    pytest.importorskip("cv2")
    from dexman_pose.hands.mediapipe.landmarks import crop

    image = np.zeros((100, 120, 3), dtype=np.uint8)
    image[40:60, 70:90] = 255
    roi = Roi(79.5, 49.5, 20.0, 0.0)  # exactly the white square, whose pixel centres run from 70 to 89
    assert crop(image, roi, 20).min() == 255
    assert crop(image, roi.shifted(-20.0, 0.0), 20)[:, 0].max() == 0


def test_upright_angle() -> None:
    assert regions.upright_angle([0, 0], [0, -1]) == pytest.approx(0.0)
    assert regions.upright_angle([0, 0], [1, 0]) == pytest.approx(np.pi / 2)
    assert abs(regions.upright_angle([0, 0], [0, 1])) == pytest.approx(np.pi)


def test_region_of_a_palm() -> None:
    keypoints = np.zeros((7, 2))
    keypoints[0], keypoints[2] = [50, 60], [50, 40]  # pointing up
    roi = regions.from_palm([40, 40, 60, 60], keypoints)
    assert (roi.x, roi.y, roi.size, roi.angle) == pytest.approx((50.0, 40.0, 52.0, 0.0))
    keypoints[2] = [70, 60]  # pointing right: the region moves to the right
    turned = regions.from_palm([40, 40, 60, 60], keypoints)
    assert (turned.x, turned.y, turned.angle) == pytest.approx((60.0, 50.0, np.pi / 2))


def test_region_of_landmarks_turns_with_the_hand(open_hand: np.ndarray) -> None:
    upright = regions.from_landmarks(open_hand)
    turn = regions.rotation_2d(1.1)
    turned = regions.from_landmarks(open_hand @ turn.T + [5.0, 9.0])
    assert turned.angle - upright.angle == pytest.approx(1.1)
    assert turned.size == pytest.approx(upright.size)
    expected = turn @ [upright.x, upright.y] + [5.0, 9.0]
    assert [turned.x, turned.y] == pytest.approx(expected.tolist())


def test_hand_size_is_the_longest_palm_side(open_hand: np.ndarray) -> None:
    flat = open_hand * [0.1, 1.0]  # seen from the side: the palm keeps its length
    assert regions.hand_size(flat) == pytest.approx(regions.hand_size(open_hand), rel=0.1)
    assert regions.hand_size(3 * open_hand) == pytest.approx(3 * regions.hand_size(open_hand))
