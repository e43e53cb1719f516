"""Closed-form alignment against transforms that are known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.geometry import se3_exp, transform_points
from dexman_pose.geometry.align import kabsch, umeyama

RNG = np.random.default_rng(5)
POSE = se3_exp([0.3, -0.2, 1.5, 0.4, -2.1, 0.7])


def test_kabsch_finds_the_exact_transform() -> None:
    a = RNG.normal(size=(20, 3))
    np.testing.assert_allclose(kabsch(a, transform_points(POSE, a)), POSE, atol=1e-14)


def test_umeyama_finds_scale_and_transform() -> None:
    a = RNG.normal(size=(20, 3))
    b_from_a, scale = umeyama(a, transform_points(POSE, 2.5 * a))
    assert scale == pytest.approx(2.5, rel=1e-14)
    np.testing.assert_allclose(b_from_a, POSE, atol=1e-13)


def test_batches_are_solved_one_by_one() -> None:
    a = RNG.normal(size=(4, 7, 3))
    poses = se3_exp(RNG.normal(size=(4, 6)))
    np.testing.assert_allclose(kabsch(a, transform_points(poses, a)), poses, atol=1e-13)
    _, scale = umeyama(a, transform_points(poses, a * np.arange(1, 5)[:, None, None]))
    np.testing.assert_allclose(scale, [1, 2, 3, 4])


def test_zero_weight_ignores_a_wild_point() -> None:
    a = RNG.normal(size=(6, 3))
    b = transform_points(POSE, a)
    b[2] += 100.0
    weights = np.array([1.0, 2.0, 0.0, 1.0, 0.5, 1.0])
    np.testing.assert_allclose(kabsch(a, b, weights), POSE, atol=1e-13)
    assert not np.allclose(kabsch(a, b), POSE, atol=0.1)


def test_weights_are_those_of_repeated_points() -> None:
    a, b = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))
    repeats = np.array([1, 2, 1, 3, 1])
    twice = kabsch(np.repeat(a, repeats, 0), np.repeat(b, repeats, 0))
    np.testing.assert_allclose(kabsch(a, b, repeats), twice, atol=1e-13)


@pytest.mark.parametrize("flatten", [[1, 1, 0], [1, 0, 0]])
def test_planes_and_lines_are_mapped_by_a_proper_rotation(flatten: list[int]) -> None:
    a = RNG.normal(size=(9, 3)) * flatten
    b = transform_points(POSE, a)
    found = kabsch(a, b)
    assert np.linalg.det(found[:3, :3]) == pytest.approx(1.0)
    np.testing.assert_allclose(transform_points(found, a), b, atol=1e-13)


def test_mirrored_points_get_the_best_proper_rotation() -> None:
    a = RNG.normal(size=(50, 3)) * [3.0, 2.0, 0.1]
    found = kabsch(a, a * [1, 1, -1])  # flat, so leaving it as it is beats any half turn
    assert np.linalg.det(found[:3, :3]) == pytest.approx(1.0)
    np.testing.assert_allclose(found[:3, :3], np.eye(3), atol=0.05)


def test_one_point_gives_the_translation() -> None:
    found = kabsch([[1.0, 2.0, 3.0]], [[4.0, 4.0, 4.0]])
    np.testing.assert_allclose(transform_points(found, [[1.0, 2.0, 3.0]]), [[4.0, 4.0, 4.0]])


def test_scale_of_a_single_place_is_refused() -> None:
    with pytest.raises(InputError, match="all in one place"):
        umeyama(np.ones((4, 3)), RNG.normal(size=(4, 3)))


@pytest.mark.parametrize(
    ("a", "b", "weights", "message"),
    [
        (np.zeros((3, 3)), np.zeros((4, 3)), None, r"\(3, 3\)"),
        (np.zeros((0, 3)), np.zeros((0, 3)), None, "N of 1 or more"),
        (np.full((3, 3), np.nan), np.zeros((3, 3)), None, "NaN"),
        (np.zeros((3, 3)), np.zeros((3, 3)), [1, 1], "one per point"),
        (np.zeros((3, 3)), np.zeros((3, 3)), [0, 0, 0], "some must be positive"),
        (np.zeros((3, 3)), np.zeros((3, 3)), [2, -1, 0], "0 or more"),
    ],
)
def test_bad_input_is_named(a: object, b: object, weights: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        kabsch(a, b, weights)  # type: ignore[arg-type]
