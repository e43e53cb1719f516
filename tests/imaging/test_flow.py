"""Optical flow both ways: a known shift is found, and what is not there is not."""

from __future__ import annotations

import cv2
import numpy as np

from dexman_pose.imaging.flow import flow_both_ways


def test_a_known_shift_is_found_and_points_of_what_vanished_are_not() -> None:
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (120, 160)).astype(np.uint8), (0, 0), 2.0)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    shift = np.array([3.25, -1.5])
    moved = cv2.warpAffine(picture, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), (160, 120))
    moved[:, 110:] = cv2.GaussianBlur(rng.integers(0, 256, (120, 50)).astype(np.uint8), (0, 0), 2.0)
    points = np.stack(np.meshgrid(np.arange(20, 150, 10), np.arange(20, 100, 10)), -1).reshape(-1, 2)
    found, good = flow_both_ways(picture, moved, points)
    kept, gone = points[:, 0] < 85, points[:, 0] > 125
    assert good[kept].mean() > 0.95
    assert np.abs(found - points - shift)[kept & good].max() < 0.2
    assert good[gone].mean() < 0.35
