"""Properties of rotations and rigid transforms in float64, near zero and near pi in particular."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from dexman_pose.geometry import (
    hat,
    interpolate,
    inverse,
    matrix_from_quaternion,
    orthonormalize,
    quaternion_from_matrix,
    rotation_angle,
    se3,
    se3_exp,
    se3_log,
    so3_exp,
    so3_log,
    transform_points,
)

Array = NDArray[np.float64]

vectors = arrays(np.float64, 3, elements=st.floats(-1, 1))
angles = st.one_of(
    st.sampled_from([0.0, 1e-12, 1e-9, 1e-7, 1e-6, 1e-4, 1e-3, 0.01, 0.1, 1.0, 2.0, 3.0]),
    st.sampled_from([np.pi - 1e-3, np.pi - 1e-6, np.pi - 1e-9, np.pi - 1e-12]),
    st.floats(0.0, np.pi - 1e-9),
)


@st.composite
def rotation_vectors(draw: st.DrawFn) -> Array:
    axis = draw(vectors)
    norm = np.linalg.norm(axis)
    assume(norm > 1e-3)
    return axis / norm * draw(angles)


@st.composite
def twists(draw: st.DrawFn) -> Array:
    return np.concatenate([draw(vectors), draw(rotation_vectors())])


@given(rotation_vectors())
def test_so3_exp_agrees_with_scipy_and_is_a_rotation(w: Array) -> None:
    r = so3_exp(w)
    np.testing.assert_allclose(r, Rotation.from_rotvec(w).as_matrix(), atol=4e-15)
    np.testing.assert_allclose(r @ r.T, np.eye(3), atol=4e-15)
    assert np.linalg.det(r) == pytest.approx(1.0)


@given(rotation_vectors())
def test_so3_log_undoes_exp_to_rounding(w: Array) -> None:
    back = so3_log(so3_exp(w))
    if np.pi - np.linalg.norm(w) < 1e-8:  # w and -w turn almost the same there
        back = back * np.sign(back @ w)
    np.testing.assert_allclose(back, w, atol=5e-15, rtol=1e-8)


@pytest.mark.parametrize("angle", [1e-12, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3])
def test_small_angles_keep_their_relative_precision(angle: float) -> None:
    w = angle * np.array([2.0, -1.0, 2.0]) / 3.0
    np.testing.assert_allclose(so3_log(so3_exp(w)), w, rtol=1e-12)
    assert rotation_angle(so3_exp(w)) == pytest.approx(angle, rel=1e-12)


@pytest.mark.parametrize("axis", np.vstack([np.eye(3), [[1, 1, 0], [0, 1, -1], [1, 2, 3], [1e-6, 1, 0]]]))
def test_half_turns_have_their_axis(axis: Array) -> None:
    axis = axis / np.linalg.norm(axis)
    r = 2.0 * np.outer(axis, axis) - np.eye(3)
    w = so3_log(r)
    assert np.linalg.norm(w) == pytest.approx(np.pi, abs=1e-12)
    np.testing.assert_allclose(np.abs(w @ axis), np.pi, rtol=1e-12)
    assert rotation_angle(r) == pytest.approx(np.pi, abs=1e-12)


def test_log_of_identity_is_exactly_zero() -> None:
    np.testing.assert_array_equal(so3_log(np.eye(3)), np.zeros(3))
    np.testing.assert_array_equal(se3_log(np.eye(4)), np.zeros(6))
    np.testing.assert_array_equal(se3_exp(np.zeros(6)), np.eye(4))


def test_hat_is_the_cross_product() -> None:
    a, b = np.array([1.0, 2.0, 3.0]), np.array([-4.0, 5.0, 0.5])
    np.testing.assert_allclose(hat(a) @ b, np.cross(a, b))


@settings(deadline=None)
@given(twists())
def test_se3_exp_is_the_matrix_exponential(twist: Array) -> None:
    generator = np.zeros((4, 4))
    generator[:3, :3], generator[:3, 3] = hat(twist[3:]), twist[:3]
    np.testing.assert_allclose(se3_exp(twist), expm(generator), atol=2e-14)


@given(twists())
def test_se3_log_undoes_exp(twist: Array) -> None:
    again = se3_exp(se3_log(se3_exp(twist)))
    np.testing.assert_allclose(again, se3_exp(twist), atol=1e-14)
    if np.linalg.norm(twist[3:]) < np.pi - 1e-3:
        np.testing.assert_allclose(se3_log(se3_exp(twist)), twist, atol=2e-14, rtol=1e-8)


@given(twists(), twists(), twists())
def test_group_axioms(a: Array, b: Array, c: Array) -> None:
    x, y, z = se3_exp(a), se3_exp(b), se3_exp(c)
    np.testing.assert_allclose((x @ y) @ z, x @ (y @ z), atol=1e-13)
    np.testing.assert_allclose(x @ inverse(x), np.eye(4), atol=1e-14)
    np.testing.assert_allclose(inverse(x) @ x, np.eye(4), atol=1e-14)
    np.testing.assert_allclose(inverse(x @ y), inverse(y) @ inverse(x), atol=1e-13)
    np.testing.assert_allclose(se3_exp(-a), inverse(x), atol=1e-14)


@given(twists(), twists())
def test_adjoint_identity(a: Array, b: Array) -> None:
    """X exp(b) X^-1 = exp(Ad_X b), with Ad of (v, w): (R v + t x R w, R w)."""
    x = se3_exp(a)
    r, t = x[:3, :3], x[:3, 3]
    moved = np.concatenate([r @ b[:3] + np.cross(t, r @ b[3:]), r @ b[3:]])
    np.testing.assert_allclose(x @ se3_exp(b) @ inverse(x), se3_exp(moved), atol=1e-13)


@given(twists())
def test_rotating_about_the_own_axis_commutes(twist: Array) -> None:
    np.testing.assert_allclose(se3_exp(0.3 * twist) @ se3_exp(0.7 * twist), se3_exp(twist), atol=1e-14)


@given(rotation_vectors())
def test_quaternion_roundtrip(w: Array) -> None:
    q = quaternion_from_matrix(so3_exp(w))
    assert np.linalg.norm(q) == pytest.approx(1.0)
    np.testing.assert_allclose(matrix_from_quaternion(q), so3_exp(w), atol=2e-15)
    np.testing.assert_allclose(matrix_from_quaternion(-3.0 * q), so3_exp(w), atol=2e-15)


def test_quaternions_are_wxyz() -> None:
    quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # about z
    q = quaternion_from_matrix(quarter)
    np.testing.assert_allclose(q * np.sign(q[0]), [np.sqrt(0.5), 0, 0, np.sqrt(0.5)], atol=1e-15)


@given(twists(), twists())
def test_interpolation_ends_and_middle(a: Array, b: Array) -> None:
    first, second = se3_exp(a), se3_exp(b)
    step = rotation_angle(first[:3, :3].T @ second[:3, :3])
    assume(step < np.pi - 1e-3)
    ends = interpolate(first, second, [0.0, 0.5, 1.0])
    np.testing.assert_allclose(ends[0], first, atol=1e-14)
    np.testing.assert_allclose(ends[2], second, atol=1e-13)
    np.testing.assert_allclose(ends[1, :3, 3], 0.5 * (first[:3, 3] + second[:3, 3]), atol=1e-15)
    assert rotation_angle(first[:3, :3].T @ ends[1, :3, :3]) == pytest.approx(0.5 * step, abs=1e-12)


def test_batches_give_what_single_calls_give() -> None:
    t = np.random.default_rng(0).normal(size=(2, 5, 6))
    batch = se3_exp(t)
    assert batch.shape == (2, 5, 4, 4)
    np.testing.assert_array_equal(batch[1, 3], se3_exp(t[1, 3]))
    np.testing.assert_allclose(se3_log(batch)[0, 2], se3_log(batch[0, 2]))


def test_transform_points_moves_points_of_a_to_b() -> None:
    b_from_a = se3([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [10.0, 0.0, 0.0])
    np.testing.assert_allclose(transform_points(b_from_a, [[1.0, 0.0, 5.0]]), [[10.0, 1.0, 5.0]])


@given(twists())
def test_orthonormalize_keeps_rotations_and_repairs_noise(twist: Array) -> None:
    pose = se3_exp(twist)
    np.testing.assert_allclose(orthonormalize(pose), pose, atol=1e-14)
    scaled = pose.copy()
    scaled[:3, :3] *= 1.01
    np.testing.assert_allclose(orthonormalize(scaled), pose, atol=1e-14)


def test_orthonormalize_never_returns_a_mirror() -> None:
    mirrored = np.diag([1.0, 1.0, -0.9, 1.0])
    assert np.linalg.det(orthonormalize(mirrored)[:3, :3]) == pytest.approx(1.0)
