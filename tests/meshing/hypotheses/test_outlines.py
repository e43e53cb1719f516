"""Points in an outline, beside it, and behind what hides it."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.data import Camera
from dexman_pose.errors import EstimationError
from dexman_pose.meshing.hypotheses.outlines import Outline, outside_all

CAMERA = Camera.from_focal(500.0, 320, 240)
POSE = np.eye(4) + np.pad([[0.5]], ((2, 1), (3, 0)))


def _square(hidden: bool = False) -> Outline:
    mask = np.zeros((240, 320), bool)
    mask[90:150, 130:190] = True
    over = np.zeros_like(mask)
    over[90:150, 190:230] = hidden
    return Outline(mask, over if hidden else None, CAMERA, POSE)


def _at(pixel: tuple[float, float]) -> np.ndarray:
    return CAMERA.unproject(np.array([pixel]), np.array([0.5])) - [0.0, 0.0, 0.5]


def test_distances_are_metres_at_the_object() -> None:
    view = _square()
    assert view.outside(_at((159.5, 119.5)))[0] == pytest.approx(-0.03, abs=0.002)
    assert view.outside(_at((199.5, 119.5)))[0] == pytest.approx(0.01, abs=0.002)
    assert view.outside(_at((300.0, 119.5)))[0] == pytest.approx(0.11, abs=0.01)
    assert view.size == pytest.approx(0.06, rel=0.05)


def test_hidden_points_are_neither_inside_nor_outside() -> None:
    hidden, beside = _at((191.5, 119.5)), _at((120.0, 119.5))
    assert np.isnan(_square(hidden=True).outside(hidden)[0])
    assert outside_all(np.stack([np.concatenate([hidden, hidden])]), [_square(hidden=True)])[0] < 0
    assert outside_all(np.stack([np.concatenate([hidden, beside])]), [_square(hidden=True)])[0] > 0
    assert outside_all(np.stack([np.concatenate([hidden, hidden])]), [_square()])[0] > -0.001


def test_cells_go_back_to_the_pixels_they_came_from() -> None:
    view = _square()
    assert (view.in_picture(view.small) == view.mask).mean() > 0.999


def test_too_small_a_mask_is_refused() -> None:
    mask = np.zeros((240, 320), bool)
    mask[5:8, 5:8] = True
    with pytest.raises(EstimationError, match="at least 30 pixels, but this one has 9"):
        _ = Outline(mask, None, CAMERA, POSE).small
