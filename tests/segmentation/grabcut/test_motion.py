from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.imaging.dense_flow import Flow
from dexman_pose.segmentation.grabcut.motion import MotionFit, object_motion

H, W = 120, 160
EVERYTHING = (slice(0, H), slice(0, W))


def _flow_of(matrix: np.ndarray, outside: tuple[float, float], mask: np.ndarray) -> Flow:
    """Exact flow of an affine motion inside ``mask`` and a shift outside."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    there = np.stack([x, y, np.ones_like(x)], -1) @ matrix.T
    forward = np.where(mask[..., None], there - np.stack([x, y], -1), np.array(outside)).astype(np.float32)
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    backward = np.stack([x, y, np.ones_like(x)], -1) @ back.T - np.stack([x, y], -1)
    return Flow(forward, backward.astype(np.float32), EVERYTHING)


def _disc(radius: float = 30) -> np.ndarray:
    y, x = np.mgrid[0:H, 0:W]
    return (x - 80) ** 2 + (y - 60) ** 2 < radius**2


def test_affine_motion_is_recovered_beside_wrong_vectors() -> None:
    angle = 0.08
    c, s = 1.02 * np.cos(angle), 1.02 * np.sin(angle)
    matrix = np.array([[c, -s, 3.0], [s, c, -2.0]])
    flow = _flow_of(matrix, (0, 0), _disc())
    flow.forward[40:60, 60:75] = [9, 9]
    motion = object_motion(flow, _disc(), EVERYTHING)
    points = np.array([[60.0, 45], [100, 70], [80, 60]])
    expected = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(points @ motion.matrix[:, :2].T + motion.matrix[:, 2] - expected).max() < 0.15
    assert 0.75 < motion.inliers < 0.98
    assert motion.speed > 3


def test_object_at_rest_gets_the_identity_exactly() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.05, (H, W, 2)).astype(np.float32)
    motion = object_motion(Flow(noise, -noise, EVERYTHING), _disc(), EVERYTHING)
    assert np.array_equal(motion.matrix, [[1, 0, 0], [0, 1, 0]])
    assert motion.speed == 0


def test_nothing_visible_is_no_motion() -> None:
    motion = object_motion(_flow_of(np.eye(3)[:2], (0, 0), _disc()), np.zeros((H, W), bool), EVERYTHING)
    assert motion.inliers == 0
    assert np.array_equal(motion.matrix, np.eye(3)[:2])


def test_a_mask_seen_through_a_window_gives_the_same_motion() -> None:
    matrix = np.array([[1.0, -0.05, 3.0], [0.05, 1.0, -2.0]])
    flow, disc = _flow_of(matrix, (0, 0), _disc()), _disc()
    window = (slice(20, 110), slice(40, 130))
    whole = object_motion(flow, disc, EVERYTHING)
    assert np.allclose(object_motion(flow, disc[window], window).matrix, whole.matrix)


@pytest.mark.parametrize("affine", [False, True])
def test_fit_is_that_of_least_squares_without_outliers(affine: bool) -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 200, (300, 2))
    linear = [[1.02, -0.05], [0.03, 0.96]] if affine else [[1.02, -0.05], [0.05, 1.02]]
    moved = points @ np.array(linear).T + [3.0, -2.0]
    matrix, residual = MotionFit()(points, moved, np.ones(300), affine=affine)
    corners = np.array([[0.0, 0], [200, 0], [0, 200]])
    expected = corners @ np.array(linear).T + [3.0, -2.0]
    # The weight of "no deformation" draws a little.
    assert np.abs(corners @ matrix[:, :2].T + matrix[:, 2] - expected).max() < 0.05
    assert residual.shape == (300,)
    assert residual.max() < 0.05


def test_fit_leaves_outliers_out() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 100, (200, 2))
    moved = points + [4.0, 1.0]
    moved[:70] += rng.uniform(5, 20, (70, 2))
    matrix, residual = MotionFit()(points, moved, np.ones(200), affine=True)
    assert np.abs(matrix - [[1, 0, 4], [0, 1, 1]]).max() < 0.05
    assert residual[:70].min() > 4
