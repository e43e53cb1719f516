from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dexman_pose.imaging.flow import Flow, FlowEstimator
from dexman_pose.segmentation.grabcut.motion import object_motion

H, W = 120, 160


def _flow_of(matrix: np.ndarray, outside: tuple[float, float], mask: np.ndarray) -> Flow:
    """Exact flow of an affine motion inside ``mask`` and a shift outside."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    there = np.stack([x, y, np.ones_like(x)], -1) @ matrix.T
    forward = np.where(mask[..., None], there - np.stack([x, y], -1), np.array(outside)).astype(np.float32)
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    backward = np.stack([x, y, np.ones_like(x)], -1) @ back.T - np.stack([x, y], -1)
    return Flow(forward, backward.astype(np.float32), 1.0)


def _disc(radius: float = 30) -> np.ndarray:
    y, x = np.mgrid[0:H, 0:W]
    return (x - 80) ** 2 + (y - 60) ** 2 < radius**2


def test_affine_motion_is_recovered_beside_wrong_vectors() -> None:
    angle = 0.08
    c, s = 1.02 * np.cos(angle), 1.02 * np.sin(angle)
    matrix = np.array([[c, -s, 3.0], [s, c, -2.0]])
    flow = _flow_of(matrix, (0, 0), _disc())
    flow.forward[40:60, 60:75] = [9, 9]
    motion = object_motion(flow, _disc())
    points = np.array([[60.0, 45], [100, 70], [80, 60]])
    expected = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(points @ motion.matrix[:, :2].T + motion.matrix[:, 2] - expected).max() < 0.15
    assert 0.75 < motion.inliers < 0.98
    assert motion.speed > 3


def test_object_at_rest_gets_the_identity_exactly() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.05, (H, W, 2)).astype(np.float32)
    motion = object_motion(Flow(noise, -noise, 1.0), _disc())
    assert np.array_equal(motion.matrix, [[1, 0, 0], [0, 1, 0]])
    assert motion.speed == 0


def test_nothing_visible_is_no_motion() -> None:
    motion = object_motion(_flow_of(np.eye(3)[:2], (0, 0), _disc()), np.zeros((H, W), bool))
    assert motion.inliers == 0
    assert np.array_equal(motion.matrix, np.eye(3)[:2])


@pytest.mark.parametrize("size", [(160, 120), (1200, 900)])
def test_flow_of_a_shifted_picture(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    w, h = size
    big = gaussian_filter(rng.normal(size=(h + 20, w + 20)), 0.015 * w)
    big = np.clip(128 + 60 * big / big.std(), 0, 255).astype(np.uint8)
    big = np.repeat(big[..., None], 3, 2)
    estimator = FlowEstimator(w, h)
    first, second = estimator.reduced(big[10:-10, 10:-10]), estimator.reduced(big[12:-8, 6:-14])
    flow = estimator.between(first, second)
    window = (slice(h // 3, h // 2), slice(w // 3, w // 2))
    back = flow.backward_in(window)
    assert back.shape == (h // 2 - h // 3, w // 2 - w // 3, 2)
    assert np.abs(np.median(back, (0, 1)) - [-4, 2]).max() < 0.3
    assert np.median(flow.inconsistency) < 0.3
