"""The strongest edge of a picture across a point."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.pose.matching.edge_profiles import changes_across, strongest_change


def ramp(at: float) -> np.ndarray:
    """A picture that goes from dark to light around a column, blurred over a pixel or two."""
    x = np.arange(60, dtype=np.float64)
    row = 200.0 / (1.0 + np.exp(-(x - at) / 0.6))
    return np.tile(row[None, :, None], (40, 1, 3)).astype(np.float32)


@pytest.mark.parametrize("at", [28.0, 29.3, 31.2])
def test_an_edge_is_found_to_a_fraction_of_a_pixel(at: float) -> None:
    pixels, normal = np.array([[30.0, 20.0], [30.0, 12.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    changes, steps = changes_across(ramp(at), pixels, normal, 6)
    assert changes.shape == (2, 13, 3) and steps[0] == -6 and steps[-1] == 6
    offset, strong = strongest_change(changes.max(2).astype(np.float64), steps[None], 6, 12.0)
    assert strong.all()
    np.testing.assert_allclose(offset, at - 30.0, atol=0.15)


def test_a_weak_edge_is_none() -> None:
    changes, steps = changes_across(0.02 * ramp(30.0), np.array([[30.0, 20.0]]), np.array([[1.0, 0.0]]), 4)
    assert not strongest_change(changes.max(2).astype(np.float64), steps[None], 4, 12.0)[1].any()


def test_of_two_equal_edges_the_nearer_is_taken() -> None:
    picture = np.maximum(ramp(26.0), 0) - ramp(32.0)
    changes, steps = changes_across(picture, np.array([[31.0, 20.0]]), np.array([[1.0, 0.0]]), 6)
    offset, _ = strongest_change(changes.max(2).astype(np.float64), steps[None], 6, 12.0)
    np.testing.assert_allclose(offset, 1.0, atol=0.3)
