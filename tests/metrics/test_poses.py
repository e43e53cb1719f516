"""Rotation and translation errors, diameter, symmetries and the checks of inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.geometry.symmetry_generation import generate_symmetry
from dexman_pose.metrics.poses import (
    diameter,
    hull_vertices,
    rotation_error,
    symmetry_transforms,
    translation_error,
)

Array = NDArray[np.float64]


def _poses(count: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return se3(so3_exp(rng.normal(size=(count, 3))), rng.normal(size=(count, 3)))


def _about_z(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1]])


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.floats(1e-12, 1e-3), st.floats(1e-3, np.pi - 1e-3), st.floats(0.0, 1e-6).map(lambda x: np.pi - x)
    ),
    st.integers(0, 1000),
)
def test_the_angle_is_exact_from_zero_to_pi(angle: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    true = _poses(1, seed)[0]
    turned = true @ se3(so3_exp(axis / np.linalg.norm(axis) * angle), np.zeros(3))
    # Matrix elements are rounded to 1e-16: the angle cannot be better than that.
    assert float(rotation_error(turned, true)) == pytest.approx(angle, rel=1e-7, abs=5e-15)
    assert float(rotation_error(true, turned)) == pytest.approx(angle, rel=1e-7, abs=5e-15)


def test_a_half_turn_and_no_turn() -> None:
    true = _poses(1, 3)[0]
    for diagonal in ([1.0, -1, -1, 1], [-1, 1, -1, 1], [-1, -1, 1, 1]):
        assert float(rotation_error(true @ np.diag(diagonal), true)) == pytest.approx(np.pi, abs=1e-12)
    assert float(rotation_error(true, true)) < 1e-15


def test_translation_is_that_of_the_origin() -> None:
    true = np.eye(4)
    moved = _about_z(1.0)
    moved[:3, 3] = [0.03, -0.04, 0.12]
    assert float(translation_error(moved, true)) == pytest.approx(0.13, abs=1e-16)


def test_leading_dimensions_are_broadcast() -> None:
    many = _poses(6, 0).reshape(2, 3, 4, 4)
    one = _poses(1, 1)[0]
    assert rotation_error(many, one).shape == (2, 3)
    assert translation_error(one, many).shape == (2, 3)
    assert rotation_error(many, one)[1, 2] == pytest.approx(float(rotation_error(many[1, 2], one)))
    assert rotation_error(np.zeros((0, 4, 4)), one).shape == (0,)


def test_symmetry_takes_the_smallest_angle() -> None:
    true = _poses(1, 2)[0]
    quarter = np.stack([_about_z(k * np.pi / 2) for k in range(4)])
    estimated = true @ _about_z(np.pi / 2 + 0.1)
    assert float(rotation_error(estimated, true)) == pytest.approx(np.pi / 2 + 0.1)
    assert float(rotation_error(estimated, true, quarter)) == pytest.approx(0.1)
    assert float(rotation_error(estimated, true, quarter[1:])) == pytest.approx(0.1)
    group = generate_symmetry(discrete=[quarter[1]])
    assert float(rotation_error(estimated, true, group)) == pytest.approx(0.1)
    axis = generate_symmetry(axes=[((0, 0, 0), (0, 0, 1))])
    assert float(rotation_error(estimated, true, axis)) < 1e-7
    tilted = estimated @ se3(so3_exp([0.2, 0, 0]), np.zeros(3))
    assert float(rotation_error(tilted, true, axis)) == pytest.approx(0.2)


def test_the_array_of_symmetries_agrees_with_trying_each() -> None:
    est, ref = _poses(40, 4), _poses(40, 5)
    elements = generate_symmetry(axes=[((0, 0, 0), (0, 1, 1))]).sampled(0.3)
    each = np.stack([rotation_error(est, ref @ s) for s in elements])
    np.testing.assert_allclose(rotation_error(est, ref, elements), each.min(0), atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 5, 40, 700])
def test_diameter_agrees_with_all_pairs(count: int) -> None:
    v = np.random.default_rng(count).normal(size=(count, 3)) * [0.1, 0.05, 0.02] + 1.0
    all_pairs = np.linalg.norm(v[:, None] - v[None], axis=-1).max()
    assert diameter(v) == pytest.approx(all_pairs, rel=1e-12)


def test_diameter_of_a_box_is_its_diagonal() -> None:
    corners = np.array([[x, y, z] for x in (0, 0.03) for y in (0, 0.04) for z in (0, 0.12)])
    assert diameter(np.repeat(corners, 9, axis=0)) == pytest.approx(0.13, rel=1e-15)


def test_diameter_of_a_sphere_is_looked_for_among_all_its_points() -> None:
    v = np.random.default_rng(0).normal(size=(1500, 3))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    assert diameter(v) == pytest.approx(np.linalg.norm(v[:, None] - v[None], axis=-1).max(), rel=1e-12)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_flat_sets_have_a_diameter_and_a_hull(rank: int) -> None:
    rng = np.random.default_rng(rank)
    v = rng.normal(size=(300, rank)) @ rng.normal(size=(rank, 3)) + [0.3, -2.0, 1.0]
    all_pairs = np.linalg.norm(v[:, None] - v[None], axis=-1).max()
    assert diameter(v) == pytest.approx(all_pairs, rel=1e-9, abs=1e-15)
    assert len(hull_vertices(v)) < 30


def test_the_hull_has_the_vertices_that_are_farthest_in_any_direction() -> None:
    rng = np.random.default_rng(1)
    v = rng.normal(size=(400, 3))
    directions = rng.normal(size=(200, 3))
    np.testing.assert_allclose(
        (hull_vertices(v) @ directions.T).max(0), (v @ directions.T).max(0), rtol=1e-14
    )


def test_samples_of_an_axis_move_vertices_by_a_hundredth_of_the_diameter() -> None:
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    ring = np.stack([0.05 * np.cos(angles), 0.05 * np.sin(angles), 0 * angles], -1)
    v = np.concatenate([ring + [0, 0, 0.02], ring - [0, 0, 0.02]])
    axis = generate_symmetry(axes=[((0, 0, 0), (0, 0, 1))])
    elements = symmetry_transforms(axis, v)
    moved = np.linalg.norm(v @ (elements[1, :3, :3] - elements[0, :3, :3]).T, axis=1).max()
    assert 0.0095 * diameter(v) < moved <= 0.01 * diameter(v)
    np.testing.assert_allclose(elements[0], np.eye(4))


def test_symmetries_as_transforms() -> None:
    half = np.diag([-1.0, -1, 1, 1])
    np.testing.assert_array_equal(symmetry_transforms(None), np.eye(4)[None])
    np.testing.assert_allclose(symmetry_transforms([half]), [np.eye(4), half])
    np.testing.assert_allclose(symmetry_transforms(generate_symmetry([half])), [np.eye(4), half], atol=1e-12)


def test_bad_input_is_named() -> None:
    good = np.eye(4)
    axis = generate_symmetry(axes=[((0, 0, 0), (0, 0, 1))])
    with pytest.raises(InputError, match=r"estimated poses must have shape \(..., 4, 4\)"):
        rotation_error(np.eye(3), good)
    with pytest.raises(InputError, match="true poses hold NaN"):
        rotation_error(good, good * np.nan)
    with pytest.raises(InputError, match="entry 1 of 2 is not a rotation"):
        translation_error(np.stack([good, np.diag([2.0, 2, 2, 1])]), good)
    with pytest.raises(InputError, match="not a rotation"):
        translation_error(good, np.diag([1.0, 1, -1, 1]))
    with pytest.raises(InputError, match="do not match"):
        rotation_error(np.stack([good] * 2), np.stack([good] * 3))
    with pytest.raises(InputError, match="V at least 1"):
        diameter(np.zeros((0, 3)))
    with pytest.raises(InputError, match="must be finite"):
        diameter([[0.0, np.inf, 0.0]])
    with pytest.raises(InputError, match="vertices must be real numbers"):
        diameter("mesh")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="give vertices"):
        symmetry_transforms(axis)
    with pytest.raises(InputError, match="symmetry must be"):
        symmetry_transforms(good)
