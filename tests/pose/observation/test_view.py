"""One object in one picture: what is worked out from it is worked out once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Camera
from dexman_pose.errors import EstimationError
from dexman_pose.pose.observation import view as views
from dexman_pose.pose.observation.crop import crop_like
from dexman_pose.pose.observation.view import NEAREST_DEPTH, ObjectView, in_front

CAMERA = Camera.from_focal(100.0, 120, 100)


def labels_with_box() -> np.ndarray:
    labels = np.zeros((100, 120), np.uint8)
    labels[30:70, 40:90] = 2
    return labels


def test_mask_box_gray_and_crops_are_those_of_the_object() -> None:
    image = np.random.default_rng(0).integers(0, 255, (100, 120, 3), np.uint8)
    view = ObjectView(image, labels_with_box(), 2, CAMERA)
    assert view.own.sum() == 40 * 50
    np.testing.assert_array_equal(view.box, [40, 30, 89, 69])
    assert view.gray.shape == (100, 120) and view.gray.dtype == np.uint8
    crop = view.evidence(0.1, 32)
    assert max(crop.size) == 32 and crop.known_pixels > 0
    np.testing.assert_array_equal(view.picture(crop), crop_like(image, crop))


def test_a_crop_is_cut_once_for_each_margin_and_size(monkeypatch: Any) -> None:
    made = []
    honest = views.gather
    monkeypatch.setattr(views, "gather", lambda *a, **k: made.append(1) or honest(*a, **k))
    view = ObjectView.of(labels_with_box(), 2, CAMERA)
    assert view.evidence(0.1) is view.evidence(0.1)
    assert view.evidence(0.1, 20) is not view.evidence(0.1)
    assert view.evidence(0.2) is not view.evidence(0.1)
    assert len(made) == 3
    assert view.picture(view.evidence(0.1)) is view.picture(view.evidence(0.1))


def test_a_view_without_a_picture_says_so() -> None:
    view = ObjectView.of(labels_with_box(), 2, CAMERA)
    assert not view.pictured and view.image.shape == (100, 120, 3)
    assert ObjectView.of(labels_with_box(), 2, CAMERA, view.image).pictured


def test_an_empty_mask_has_no_box() -> None:
    view = ObjectView.of(labels_with_box(), 1, CAMERA)
    assert view.mask_box is None
    with pytest.raises(EstimationError, match="mask is empty"):
        view.evidence()


def test_points_are_in_front_only_if_all_are() -> None:
    assert in_front(np.array([[0.0, 0.0, 0.3], [0.0, 0.0, 1.01 * NEAREST_DEPTH]]))
    assert not in_front(np.array([[0.0, 0.0, 0.3], [0.0, 0.0, NEAREST_DEPTH]]))
    assert not in_front(np.array([[0.0, 0.0, -0.3]]))
