from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.imaging.masks import (
    dilated,
    eroded,
    fill_small_holes,
    kept_parts,
    mask_at,
    signed_distance_field,
    window_around,
)


def _square() -> np.ndarray:
    mask = np.zeros((30, 40), bool)
    mask[10:20, 12:24] = True
    return mask


@pytest.mark.parametrize("neighborhood", [3, 5])
def test_signed_distance_changes_sign_between_the_pixels(neighborhood: int) -> None:
    d = signed_distance_field(_square(), neighborhood)
    assert np.isclose(d[15, 12], 0.5, atol=0.2)
    assert np.isclose(d[15, 11], -0.5, atol=0.2)
    assert d[15, 0] < -10.5
    assert (signed_distance_field(np.zeros((5, 5), bool), neighborhood) < -100).all()
    assert (signed_distance_field(np.ones((5, 5), bool), neighborhood) > 100).all()


def test_window_is_cut_at_the_border() -> None:
    assert window_around(_square(), 3) == (slice(7, 23), slice(9, 27))
    assert window_around(_square(), 100) == (slice(0, 30), slice(0, 40))
    assert window_around(np.zeros((5, 5), bool), 3) is None


def test_small_holes_are_filled_and_large_ones_kept() -> None:
    mask = _square()
    mask[12, 14] = False
    mask[14:18, 17:21] = False
    filled = fill_small_holes(mask, 4)
    assert filled[12, 14]
    assert not filled[15, 18]
    assert not filled[0, 0]


def test_parts_off_the_anchor_or_too_small_go() -> None:
    mask = _square()
    mask[2:6, 30:36] = True
    mask[25, 5] = True
    anchor = _square()
    anchor[25, 5] = True
    assert np.array_equal(kept_parts(mask, anchor, 5), _square())


def test_growing_and_shrinking() -> None:
    assert dilated(_square(), 2)[15, 10]
    assert not dilated(_square(), 2)[15, 9]
    assert not eroded(_square(), 2)[15, 13]
    assert eroded(_square(), 2)[15, 14]
    assert np.array_equal(dilated(_square(), 0), _square())


def test_mask_at_another_size() -> None:
    assert np.array_equal(mask_at(np.kron(_square(), np.ones((2, 2), bool)), (40, 30)), _square())
