from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dexman_pose.imaging.dense_flow import Flow, FlowEstimator


def _pictures(w: int, h: int, shift: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Two RGB frames; what one shows at a pixel the other shows ``shift`` (x, y) farther."""
    dx, dy = shift
    margin = max(abs(dx), abs(dy))
    big = gaussian_filter(np.random.default_rng(1).normal(size=(h + 2 * margin, w + 2 * margin)), 0.015 * w)
    grey = np.clip(128 + 60 * big / big.std(), 0, 255).astype(np.uint8)
    rgb = np.repeat(grey[..., None], 3, 2)
    at = (slice(margin, margin + h), slice(margin, margin + w))
    moved = (slice(margin - dy, margin - dy + h), slice(margin - dx, margin - dx + w))
    return rgb[at], rgb[moved]


@pytest.mark.parametrize("size", [(160, 120), (1200, 900)])
def test_flow_of_a_region_of_a_shifted_picture(size: tuple[int, int]) -> None:
    w, h = size
    first, second = _pictures(w, h, (4, -2))
    region = (slice(h // 6, h // 6 * 5), slice(w // 6, w // 6 * 5))
    flow = FlowEstimator().between(first, second, region)
    window = (slice(h // 3, h // 2), slice(w // 3, w // 2))
    back = flow.backward_in(window)
    assert back.shape == (h // 2 - h // 3, w // 2 - w // 3, 2)
    assert np.abs(np.median(back, (0, 1)) - [-4, 2]).max() < 0.5
    y, x = np.mgrid[4 : flow.forward.shape[0] - 4, 4 : flow.forward.shape[1] - 4].reshape(2, -1)
    assert np.median(flow.inconsistency(x, y)) < 0.5
    assert flow.inconsistency(x[:0], y[:0]).shape == (0,)
    assert np.abs(np.median(flow.forward[y, x], 0) - [4, -2]).max() < 0.5


def test_flow_of_whole_frames_finds_what_moved_far() -> None:
    first, second = _pictures(480, 360, (40, 20))
    estimator = FlowEstimator()
    coarse = estimator.coarse(estimator.small(first), estimator.small(second), (360, 480))
    window, disc = (slice(100, 260), slice(140, 340)), np.ones((160, 200), bool)
    assert np.abs(coarse.typical(window, disc) - [40, 20]).max() < 4
    assert np.array_equal(coarse.typical(window, ~disc), [0, 0])
    region = (slice(60, 300), slice(100, 380))
    fine = estimator.between(first, second, region, coarse)
    assert np.abs(np.median(fine.backward_in(window), (0, 1)) - [-40, -20]).max() < 1


def test_pixels_of_the_grid_lie_in_the_region() -> None:
    nothing = np.zeros((10, 20, 2), np.float32)
    flow = Flow(nothing, nothing, (slice(30, 50), slice(100, 140)))
    assert flow.scale == (0.5, 0.5)
    assert flow.points(np.array([0, 19]), np.array([0, 9])).tolist() == [[100.5, 30.5], [138.5, 48.5]]


def test_sizes_may_change_from_call_to_call() -> None:
    first, second = _pictures(320, 240, (6, 3))
    estimator = FlowEstimator()
    coarse = estimator.coarse(estimator.small(first), estimator.small(second), (240, 320))
    rng = np.random.default_rng(0)
    for _ in range(40):
        y, x = rng.integers(0, 60), rng.integers(0, 80)
        region = (slice(y, y + rng.integers(60, 180)), slice(x, x + rng.integers(60, 240)))
        flow = estimator.between(first, second, region, coarse)
        assert np.isfinite(flow.forward).all()
