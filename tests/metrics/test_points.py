"""ADD, ADD-S, MSSD and MSPD against hand-made cases and against their definitions, written out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Camera
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.geometry.symmetry_generation import generate_symmetry
from dexman_pose.metrics.points import NEAR, add, add_s, mspd, mssd
from dexman_pose.metrics.poses import symmetry_transforms

Array = NDArray[np.float64]
CAMERA = Camera(np.array([[600.0, 0, 330], [0, 580.0, 250], [0, 0, 1]]), 1280, 720)


def _cylinder(sections: int = 72, radius: float = 0.04, height: float = 0.12) -> Array:
    angle = 2 * np.pi * np.arange(sections) / sections
    rings = [
        np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(sections, z)], -1)
        for z in np.linspace(-height / 2, height / 2, 7)
    ]
    return np.concatenate(rings)


def _pairs(count: int, seed: int, shift: float = 0.05) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    true = se3(so3_exp(rng.normal(size=(count, 3))), [0.0, 0.0, 0.6] + 0.1 * rng.normal(size=(count, 3)))
    turn = so3_exp(0.5 * rng.normal(size=(count, 3)))
    return true @ se3(turn, shift * rng.normal(size=(count, 3))), true


def _at(pose: Array, vertex: Array) -> Array:
    return pose[:3, :3] @ vertex + pose[:3, 3]


def _add(est: Array, ref: Array, vertices: Array) -> float:
    return float(np.mean([np.linalg.norm(_at(est, v) - _at(ref, v)) for v in vertices]))


def _add_s(est: Array, ref: Array, vertices: Array) -> float:
    under = [_at(est, v) for v in vertices]
    return float(np.mean([min(np.linalg.norm(_at(ref, v) - u) for u in under) for v in vertices]))


def _mssd(est: Array, ref: Array, vertices: Array, elements: Array) -> float:
    return min(max(float(np.linalg.norm(_at(est, v) - _at(ref @ s, v))) for v in vertices) for s in elements)


def _mspd(est: Array, ref: Array, vertices: Array, elements: Array) -> float:
    def pixel(p: Array) -> Array:
        x, y, w = CAMERA.K @ p
        return np.array([x / w, y / w])

    return min(
        max(float(np.linalg.norm(pixel(_at(est, v)) - pixel(_at(ref @ s, v)))) for v in vertices)
        for s in elements
    )


def test_a_pure_shift() -> None:
    v = _cylinder()
    true = se3(np.eye(3), [0.0, 0.0, 0.5])
    moved = true.copy()
    moved[0, 3] = 0.03125
    assert float(add(moved, true, v)) == 0.03125
    assert float(mssd(moved, true, v)) == 0.03125
    assert float(add_s(moved, true, v)) < 0.03125
    # The nearest vertices, at z = 0.5 - 0.06, move farthest in the image.
    assert float(mspd(moved, true, v, CAMERA)) == pytest.approx(600 * 0.03125 / 0.44, rel=1e-12)
    halved = mspd(moved, true, v, CAMERA, image_width_normalized=True)
    assert float(halved) == pytest.approx(300 * 0.03125 / 0.44, rel=1e-12)


def test_a_spun_cylinder_is_right_for_add_s_alone() -> None:
    v = _cylinder(72)
    true = _pairs(1, 0)[1][0]
    spun = true @ se3(so3_exp([0, 0, 2 * np.pi * 18 / 72]), np.zeros(3))
    assert float(add_s(spun, true, v)) < 1e-15
    assert float(add(spun, true, v)) == pytest.approx(0.04 * np.sqrt(2), rel=1e-12)
    assert float(mssd(spun, true, v)) == pytest.approx(0.04 * np.sqrt(2), rel=1e-12)
    half_step = true @ se3(so3_exp([0, 0, np.pi / 72]), np.zeros(3))
    assert float(add_s(half_step, true, v)) == pytest.approx(2 * 0.04 * np.sin(np.pi / 144), rel=1e-9)


def test_a_spun_cylinder_is_right_for_mssd_and_mspd_with_its_symmetry() -> None:
    v = _cylinder(72)
    group = generate_symmetry(axes=[((0, 0, 0), (0, 0, 1))])
    true = _pairs(1, 0)[1][0]
    spun = true @ se3(so3_exp([0, 0, 1.234]), np.zeros(3))
    assert float(mssd(spun, true, v)) > 0.04
    assert float(mssd(spun, true, v, group)) < 0.005 * 0.145
    assert float(mspd(spun, true, v, CAMERA)) > 30
    assert float(mspd(spun, true, v, CAMERA, group)) < 1.0


def test_a_sphere_leaves_the_shift_of_its_centre() -> None:
    rng = np.random.default_rng(0)
    v = rng.normal(size=(300, 3))
    v = 0.05 * v / np.linalg.norm(v, axis=1, keepdims=True) + [0.01, 0.02, 0.0]
    ball = SymmetryGroup(sphere=np.array([0.01, 0.02, 0.0]))
    est, true = _pairs(5, 1)
    center = np.array([0.01, 0.02, 0.0, 1.0])
    expected = np.linalg.norm((est - true) @ center, axis=1)
    np.testing.assert_allclose(mssd(est, true, v, ball), expected, rtol=1e-9)
    same = true @ se3(so3_exp([1.0, 2.0, 0.5]), np.zeros(3))
    same[:, :3, 3] += (true - same)[:, :3, :3] @ center[:3]
    assert mspd(same, true, v, CAMERA, ball).max() < 1e-6


def test_truth_to_estimate_is_the_direction_of_add_s() -> None:
    # Turned by a half turn about y, (0.3, 0, 0) comes to (-0.3, 0, 0).
    v = np.array([[0.0, 0, 0], [0.3, 0, 0], [0.3, 0, 0], [0.31, 0, 0]])
    moved = np.eye(4)
    moved[0, 3] = 0.31
    # Vertices under the truth: 0, .3, .3, .31; under the estimate: .31, .61, .61, .62.
    assert float(add_s(moved, np.eye(4), v)) == pytest.approx((0.31 + 0.01 + 0.01 + 0.0) / 4, rel=1e-12)
    assert float(add_s(np.eye(4), moved, v)) == pytest.approx((0.0 + 0.3 + 0.3 + 0.31) / 4, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_agreement_with_the_definitions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    v = rng.normal(size=(60, 3)) * [0.05, 0.03, 0.02]
    est, true = _pairs(4, seed)
    elements = symmetry_transforms(generate_symmetry([np.diag([-1.0, -1, 1, 1]), np.diag([1.0, -1, -1, 1])]))
    one = np.eye(4)[None]
    assert len(elements) == 4
    pairs = list(zip(est, true))
    np.testing.assert_allclose(add(est, true, v), [_add(e, t, v) for e, t in pairs], rtol=1e-11)
    np.testing.assert_allclose(add_s(est, true, v), [_add_s(e, t, v) for e, t in pairs], rtol=1e-11)
    np.testing.assert_allclose(mssd(est, true, v), [_mssd(e, t, v, one) for e, t in pairs], rtol=1e-11)
    expected = [_mssd(e, t, v, elements) for e, t in pairs]
    np.testing.assert_allclose(mssd(est, true, v, elements), expected, rtol=1e-11)
    np.testing.assert_allclose(
        mspd(est, true, v, CAMERA), [_mspd(e, t, v, one) for e, t in pairs], rtol=1e-11
    )
    expected = [_mspd(e, t, v, elements) for e, t in pairs]
    np.testing.assert_allclose(mspd(est, true, v, CAMERA, elements), expected, rtol=1e-11)


def test_many_symmetries_agree_with_trying_each() -> None:
    v = _cylinder(40)
    est, true = _pairs(30, 5)
    elements = symmetry_transforms(
        generate_symmetry([np.diag([1.0, -1, -1, 1])], [((0, 0, 0), (0, 0, 1))]), v
    )
    assert len(elements) > 200
    each = np.stack([mssd(est, true @ s, v) for s in elements])
    np.testing.assert_allclose(mssd(est, true, v, elements), each.min(0), rtol=1e-12)
    each = np.stack([mspd(est, true @ s, v, CAMERA) for s in elements])
    np.testing.assert_allclose(mspd(est, true, v, CAMERA, elements), each.min(0), rtol=1e-12)


@pytest.mark.parametrize("size", [1e-9, 1e-5, 1e-2])
def test_small_errors_keep_their_digits(size: float) -> None:
    v = _cylinder()
    true = _pairs(1, 7)[1][0]
    moved = true.copy()
    moved[:3, 3] += size * np.array([0.6, 0.0, 0.8])
    # The poses themselves are rounded to 1e-16.
    assert float(add(moved, true, v)) == pytest.approx(size, rel=1e-9, abs=3e-16)
    assert float(mssd(moved, true, v)) == pytest.approx(size, rel=1e-9, abs=3e-16)
    if size < 1e-3:
        assert float(add_s(moved, true, v)) == pytest.approx(size, rel=1e-6, abs=1e-15)


def test_poses_more_than_a_diameter_apart_have_finite_errors() -> None:
    v = _cylinder()
    true = _pairs(1, 8)[1][0]
    moved = true.copy()
    moved[0, 3] += 1e3
    assert float(add(moved, true, v)) == pytest.approx(1e3, rel=1e-9)
    assert 999.8 < float(add_s(moved, true, v)) < 1000.0


@pytest.mark.parametrize("z", [-0.5, -1e-3, 0.0, 1e-4, 0.009])
def test_behind_the_camera_is_a_large_finite_pixel_error(z: float) -> None:
    v = np.concatenate([_cylinder(), np.zeros((1, 3))])
    true = se3(np.eye(3), [0.0, 0.0, 0.5])
    behind = se3(np.eye(3), [0.0, 0.0, z])
    for points in (v, np.zeros((1, 3))):
        error = float(mspd(behind, true, points, CAMERA))
        assert np.isfinite(error) and error > 600 / NEAR * 0.4
        assert float(mspd(true, behind, points, CAMERA)) == error
    # Both behind: as far as they are apart, none for the same pose.
    farther = se3(np.eye(3), [0.0, 0.0, z - 0.1])
    assert float(mspd(farther, behind, np.zeros((1, 3)), CAMERA)) == pytest.approx(600 / NEAR * 0.1)
    assert float(mspd(behind, behind, v, CAMERA)) == 0.0


def test_one_vertex_behind_decides() -> None:
    v = np.array([[0.0, 0, 0], [0, 0, -0.6]])
    true = se3(np.eye(3), [0.0, 0.0, 0.5])
    moved = se3(np.eye(3), [0.001, 0.0, 0.5])
    assert float(mspd(moved, true, v, CAMERA)) == pytest.approx(600 * 0.001 / NEAR)


def test_leading_dimensions_blocks_and_no_poses(monkeypatch: pytest.MonkeyPatch) -> None:
    v = _cylinder(12)
    est, true = _pairs(6, 9)
    group = generate_symmetry(axes=[((0, 0, 0), (0, 0, 1))])
    grid = est.reshape(2, 3, 4, 4)
    whole = [add(grid, true[0], v), mssd(grid, true[0], v, group), mspd(grid, true[0], v, CAMERA, group)]
    monkeypatch.setattr("dexman_pose.metrics.points._BLOCK", 10)
    parts = [add(grid, true[0], v), mssd(grid, true[0], v, group), mspd(grid, true[0], v, CAMERA, group)]
    for a, b in zip(whole, parts):
        assert a.shape == (2, 3)
        np.testing.assert_array_equal(a, b)
    assert add_s(grid, true[0], v).shape == (2, 3)
    none = np.zeros((0, 4, 4))
    for error in (add(none, none, v), add_s(none, none, v), mssd(none, none, v, group)):
        assert error.shape == (0,)
    assert mspd(none, none, v, CAMERA, group).shape == (0,)


def test_one_vertex_and_bad_input() -> None:
    point = np.array([[0.0, 0.0, 0.1]])
    moved = se3(np.eye(3), [0.0, 0.02, 0.0])
    for error in (add, add_s, mssd):
        assert float(error(moved, np.eye(4), point)) == pytest.approx(0.02, rel=1e-12)
        with pytest.raises(InputError, match="vertices must have shape"):
            error(moved, np.eye(4), np.zeros((3, 2)))
        with pytest.raises(InputError, match="estimated poses"):
            error(np.eye(3), np.eye(4), point)
