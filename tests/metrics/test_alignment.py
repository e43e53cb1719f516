"""Alignment of points: exact recovery, no reflections, degenerate sets without NaN."""

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.geometry import so3_exp
from dexman_pose.metrics.alignment import align_points, procrustes

RNG = np.random.default_rng(4)


def hand(count=()):
    return RNG.normal(0.0, 0.05, (*count, 21, 3))


def test_procrustes_recovers_a_similarity_over_leading_dimensions():
    true = hand((2, 5))
    rotation, shift = so3_exp(RNG.normal(size=(2, 5, 3))), RNG.normal(size=(2, 5, 3))
    factor = RNG.uniform(0.5, 2.0, (2, 5))
    estimated = ((true - shift[..., None, :]) @ rotation) / factor[..., None, None]
    found = procrustes(estimated, true)
    assert np.allclose(found.scale, factor)
    assert np.allclose(found.rotation, rotation)
    assert np.allclose(found.translation, shift)
    assert np.allclose(found.apply(estimated), true)
    assert not found.degenerate.any()


def test_without_scale_the_size_stays():
    true = hand()
    found = procrustes(2.0 * true + 1.0, true, scale=False)
    assert found.scale == 1.0
    assert np.allclose(found.rotation, np.eye(3))
    # Twice as large about the same centre: what is left is each point's own distance from the centre.
    left = np.linalg.norm(found.apply(2.0 * true + 1.0) - true, axis=-1)
    assert np.allclose(left, np.linalg.norm(true - true.mean(0), axis=-1))


def test_a_mirrored_hand_stays_wrong():
    true = hand((3,))
    mirrored = true * [-1.0, 1.0, 1.0]
    found = procrustes(mirrored, true)
    assert np.allclose(np.linalg.det(found.rotation), 1.0)
    assert np.linalg.norm(found.apply(mirrored) - true, axis=-1).mean() > 0.02


def test_procrustes_is_the_best_among_random_similarities():
    true, estimated = hand(), hand()
    found = procrustes(estimated, true)
    best = ((found.apply(estimated) - true) ** 2).sum()
    for _ in range(200):
        other = so3_exp(RNG.normal(size=3) * 0.2) @ found.rotation
        factor = found.scale * RNG.uniform(0.8, 1.2)
        moved = factor * estimated @ other.T
        moved += (true - moved).mean(0)
        assert ((moved - true) ** 2).sum() >= best - 1e-12


@pytest.mark.parametrize("kind", ["one place", "line", "true in one place", "single point", "two points"])
def test_degenerate_points_give_numbers_and_say_so(kind):
    true, estimated = hand(), hand()
    if kind == "one place":
        estimated = np.full((21, 3), 0.3)
    elif kind == "line":
        estimated = np.linspace(0, 1, 21)[:, None] * np.array([0.1, 0.2, 0.3]) + 0.7
    elif kind == "true in one place":
        true = np.full((21, 3), 0.3)
    else:
        count = 1 if kind == "single point" else 2
        true, estimated = true[:count], estimated[:count]
    found = procrustes(estimated, true)
    moved = found.apply(estimated)
    assert np.isfinite(moved).all()
    assert found.degenerate
    assert np.isclose(np.linalg.det(found.rotation), 1.0)
    assert np.allclose(moved.mean(0), true.mean(0))
    if kind in ("single point", "two points", "true in one place"):
        assert np.allclose(moved, true)
    if kind in ("one place", "single point"):
        assert found.scale == 1.0


def test_degenerate_and_good_sets_in_one_batch():
    true = hand((2,))
    estimated = true.copy()
    estimated[1] = 0.0
    found = procrustes(estimated, true)
    assert found.degenerate.tolist() == [False, True]
    assert np.allclose(found.apply(estimated)[0], true[0])


def test_root_and_scale_translation_by_hand():
    true = np.zeros((21, 3))
    true[9] = [0.1, 0.0, 0.0]
    true[12] = [0.15, 0.0, 0.0]
    estimated = 3.0 * true + [1.0, 2.0, 3.0]
    assert np.allclose(align_points(estimated, true, "root"), 3.0 * true)
    assert np.allclose(align_points(estimated, true, "scale_translation"), true)
    assert np.array_equal(align_points(estimated, true, "none"), estimated)


def test_scale_translation_leaves_a_bone_of_no_length_alone():
    true, estimated = hand(), hand()
    estimated[9] = estimated[0]
    moved = align_points(estimated, true, "scale_translation")
    assert np.allclose(moved, estimated - estimated[0] + true[0])


def test_bad_input_is_named():
    with pytest.raises(InputError, match="procrustes"):
        align_points(hand(), hand(), "umeyama")
    with pytest.raises(InputError, match="20, 3"):
        align_points(hand()[:20], hand(), "none")
    with pytest.raises(InputError, match="not valid"):
        align_points(hand() * np.nan, hand(), "procrustes")
    with pytest.raises(InputError, match="no point 9"):
        align_points(hand()[:5], hand()[:5], "scale_translation")
