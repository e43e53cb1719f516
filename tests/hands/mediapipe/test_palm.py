"""Anchors, decoding and suppression of the palm detector, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.hands.mediapipe import palm
from dexman_pose.hands.mediapipe.palm import Palms


def test_anchor_layout() -> None:
    a = palm.anchors()
    assert a.shape == (2016, 2)
    assert a[0] == pytest.approx([0.5 / 24, 0.5 / 24])
    assert np.array_equal(a[0], a[1]) and not np.array_equal(a[1], a[2])  # two per cell
    assert a[2] == pytest.approx([1.5 / 24, 0.5 / 24])  # along the row first
    assert a[24 * 24 * 2] == pytest.approx([0.5 / 12, 0.5 / 12])  # then the coarse map
    assert len(np.unique(a[24 * 24 * 2 :], axis=0)) == 144  # six per cell
    assert a[-1] == pytest.approx([11.5 / 12, 11.5 / 12])


def _tensors() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((2016, 18), dtype=np.float32), np.full((2016, 1), -50.0, dtype=np.float32)


def test_decode_one_palm() -> None:
    regressors, logits = _tensors()
    logits[2] = 0.0  # sigmoid 0.5
    regressors[2, :4] = [19.2, -9.6, 38.4, 57.6]  # 0.1, -0.05 off the anchor, 0.2 x 0.3 large
    regressors[2, 4:8] = [1.92, 0.0, 0.0, 3.84]
    found = palm.decode(regressors, logits, 0.5)
    assert len(found) == 1 and found.scores[0] == pytest.approx(0.5)
    x, y = 1.5 / 24, 0.5 / 24
    assert found.boxes[0] == pytest.approx([x + 0.1 - 0.1, y - 0.05 - 0.15, x + 0.2, y - 0.05 + 0.15])
    assert found.keypoints[0, 0] == pytest.approx([x + 0.01, y])
    assert found.keypoints[0, 1] == pytest.approx([x, y + 0.02])


def test_decode_threshold_and_huge_logits() -> None:
    regressors, logits = _tensors()
    logits[5], logits[6] = 1e4, -1e4
    found = palm.decode(regressors, logits, 0.9)
    assert len(found) == 1 and found.scores[0] == pytest.approx(1.0)


def _palms(boxes: list[list[float]], scores: list[float]) -> Palms:
    b = np.array(boxes, dtype=float).reshape(-1, 4)
    points = np.repeat(b[:, None, :2], 7, axis=1)
    return Palms(b, points, np.array(scores, dtype=float))


def test_merge_is_the_weighted_mean_of_what_overlaps() -> None:
    merged = palm.merge(_palms([[0, 0, 1, 1], [0.1, 0, 1.1, 1], [5, 5, 6, 6]], [0.6, 0.9, 0.7]))
    assert merged.scores.tolist() == [0.9, 0.7]  # best of the group, best first
    assert merged.boxes[0] == pytest.approx([0.06, 0, 1.06, 1])
    assert merged.keypoints[0, 3] == pytest.approx([0.06, 0])
    assert merged.boxes[1] == pytest.approx([5, 5, 6, 6])


def test_merge_keeps_neighbours_and_survives_degenerate_boxes() -> None:
    assert len(palm.merge(_palms([[0, 0, 1, 1], [0.7, 0, 1.7, 1]], [0.9, 0.8]))) == 2
    assert len(palm.merge(_palms([[1, 1, 1, 1], [1, 1, 1, 1]], [0.9, 0.8]))) == 2
    assert len(palm.merge(_palms([], []))) == 0


def test_iou() -> None:
    overlap = palm.iou(np.array([0.0, 0, 2, 2]), np.array([[1.0, 1, 3, 3], [0, 0, 2, 2], [4, 4, 5, 5]]))
    assert overlap == pytest.approx([1 / 7, 1.0, 0.0])


def test_letterbox_way_back() -> None:
    pytest.importorskip("cv2")
    image = np.zeros((120, 240, 3), dtype=np.uint8)
    image[50:70, 200:220] = 255  # centre 209.5, 59.5
    tensor, (scale, offset) = palm.letterbox(image)
    assert tensor.shape == (192, 192, 3) and tensor.max() <= 1.0
    rows, columns = np.nonzero(tensor[..., 0] > 0.5)
    middle = (np.array([columns.mean(), rows.mean()]) + 0.5) / 192
    assert middle * scale + offset == pytest.approx([209.5, 59.5], abs=0.5)
    assert tensor[:40].max() == 0.0  # the bars are black
