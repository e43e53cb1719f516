"""One pose a call gives what many poses a call give, whatever the number of vertices, and refuses the same poses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Camera
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.metrics import add, add_s, mspd, mssd
from dexman_pose.metrics.mesh_points.kept import mesh_points
from dexman_pose.metrics.mesh_points.single import MOST_PAIRED, NEAR, SinglePose

Array = NDArray[np.float64]
CAMERA = Camera(np.array([[600.0, 0, 330], [0, 580.0, 250], [0, 0, 1]]), 1280, 720)
ERRORS: list[Callable[[Array, Array, Array], Array]] = [
    add,
    add_s,
    mssd,
    lambda e, t, v: mspd(e, t, v, CAMERA),
    lambda e, t, v: mspd(e, t, v, CAMERA, image_width_normalized=True),
]


def pairs(count: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    true = se3(so3_exp(rng.normal(size=(count, 3))), [0.0, 0.0, 0.6] + 0.1 * rng.normal(size=(count, 3)))
    return true @ se3(so3_exp(0.5 * rng.normal(size=(count, 3))), 0.05 * rng.normal(size=(count, 3))), true


def cloud(count: int) -> Array:
    return np.random.default_rng(count).normal(size=(count, 3)) * [0.05, 0.03, 0.02] + [0.01, 0.02, 0.0]


@pytest.mark.parametrize("error", range(len(ERRORS)))
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 31, 130, MOST_PAIRED, MOST_PAIRED + 1, 510])
def test_one_pose_a_call_is_one_of_many(error: int, count: int) -> None:
    est, true = pairs(6)
    v = cloud(count)
    together = ERRORS[error](est, true, v)
    single = [ERRORS[error](e, t, v) for e, t in zip(est, true)]
    assert all(isinstance(s, np.ndarray) and s.shape == () for s in single)
    np.testing.assert_allclose([float(s) for s in single], together, rtol=1e-11)


def test_equal_poses_are_no_error_apart() -> None:
    pose = pairs(1)[0][0]
    assert [float(e(pose, pose.copy(), cloud(50))) for e in ERRORS[:1] + ERRORS[2:]] == [0.0] * 4
    assert float(add_s(pose, pose.copy(), cloud(50))) < 1e-15


def spoilt(pose: Array, row: int, column: int, value: float) -> Array:
    out = pose.copy()
    out[row, column] = value
    return out


@pytest.mark.parametrize("at", [(0, 0), (1, 2), (2, 1), (0, 3), (2, 3), (3, 0), (3, 3)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(at: tuple[int, int], value: float) -> None:
    est, true = (p[0] for p in pairs(1))
    for error in ERRORS:
        with pytest.raises(InputError, match="NaN or infinite"):
            error(spoilt(est, *at, value), true, cloud(20))
        with pytest.raises(InputError, match="NaN or infinite"):
            error(est, spoilt(true, *at, value), cloud(20))


SHEAR = np.eye(4) + 0.01 * np.eye(4, k=1)


@pytest.mark.parametrize(
    "wrong", [np.diag([1.01, 1, 1, 1]), np.diag([-1.0, 1, 1, 1]), np.diag([1.0, 1, 1, 1.01]), SHEAR]
)
def test_what_is_no_rigid_transform_is_refused(wrong: Array) -> None:
    true = pairs(1)[1][0]
    for error in ERRORS:
        with pytest.raises(InputError, match="not a rotation"):
            error(wrong @ true, true, cloud(20))
        with pytest.raises(InputError, match="not a rotation"):
            error(true, wrong @ true, cloud(20))


def test_poses_of_other_kinds_are_taken_too() -> None:
    est, true = (p[0] for p in pairs(1))
    v = cloud(60)
    expected = float(add(est, true, v))
    strided = np.asfortranarray(est)
    assert float(add(strided, true, v)) == pytest.approx(expected, rel=1e-12)
    assert float(add(est.tolist(), true, v)) == pytest.approx(expected, rel=1e-12)
    assert float(add(est.astype(np.float32), true, v)) == pytest.approx(expected, rel=1e-5)
    single = SinglePose(v)
    assert single.mean_distance(est.astype(np.float32), true) is None
    assert single.mean_distance(est[None], true[None]) is None


def test_a_vertex_without_a_pixel_needs_a_closer_look() -> None:
    v = cloud(40)
    ahead = se3(np.eye(3), [0.0, 0.0, NEAR - v[:, 2].min() + 1e-6])
    behind = se3(np.eye(3), [0.0, 0.0, NEAR - v[:, 2].min() - 1e-6])
    single = mesh_points(v).single
    assert single.largest_pixels(ahead, ahead, CAMERA.K) is not None
    assert single.largest_pixels(ahead, behind, CAMERA.K) is None
    assert single.largest_pixels(behind, ahead, CAMERA.K) is None
    assert float(mspd(ahead, behind, v, CAMERA)) == pytest.approx(
        mspd(ahead[None], behind[None], v, CAMERA)[0]
    )


def test_too_many_vertices_are_not_paired() -> None:
    est, true = (p[0] for p in pairs(1))
    assert SinglePose(cloud(MOST_PAIRED)).mean_nearest(est, true) is not None
    assert SinglePose(cloud(MOST_PAIRED + 1)).mean_nearest(est, true) is None


def test_results_do_not_share_memory() -> None:
    est, true = pairs(2)
    v = cloud(30)
    first = add(est[0], true[0], v)
    before = float(first)
    add(est[1], true[1], v)
    assert float(first) == before


def test_threads_may_share_a_mesh() -> None:
    est, true = pairs(200)
    v = cloud(90)
    expected = add(est, true, v)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: float(add(est[i], true[i], v)), range(200)))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
