"""Hand errors: exact by hand, missing frames as failures, F-score against brute force."""

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.geometry import so3_exp
from dexman_pose.metrics.hands import f_score, hand_error, joint_errors, pck, pck_auc

RNG = np.random.default_rng(7)
SHIFT = np.array([0.01, 0.0, 0.0])


def hands(frames):
    return RNG.normal(0.0, 0.05, (frames, 21, 3))


def test_a_shift_is_the_error_and_alignment_takes_it_away():
    true = hands(4)
    assert np.allclose(joint_errors(true + SHIFT, true), 0.01)
    for align in ("root", "scale_translation", "procrustes"):
        assert np.allclose(joint_errors(true + SHIFT, true, align=align), 0.0)


def test_each_alignment_takes_away_what_it_says_and_no_more():
    true = hands(3)
    larger = 1.3 * true + SHIFT
    turned = larger @ so3_exp([0.3, -0.2, 0.5]).T
    assert joint_errors(larger, true, align="root").mean() > 0.01
    assert np.allclose(joint_errors(larger, true, align="scale_translation"), 0.0)
    assert joint_errors(turned, true, align="scale_translation").mean() > 0.01
    assert np.allclose(joint_errors(turned, true, align="procrustes"), 0.0)


def test_a_mirrored_hand_is_wrong_under_every_alignment():
    true = hands(3)
    mirrored = true * [-1.0, 1.0, 1.0]
    for align in ("none", "root", "scale_translation", "procrustes"):
        assert joint_errors(mirrored, true, align=align).mean() > 0.02


def test_root_can_be_another_joint():
    true = hands(1)
    estimated = true.copy()
    estimated[0, 0] += SHIFT
    assert joint_errors(estimated, true, align="root").sum() == pytest.approx(0.2)
    assert joint_errors(estimated, true, align="root", root=9).sum() == pytest.approx(0.01)


def test_area_by_hand_and_against_a_fine_sum():
    errors = np.array([[0.0, 0.025], [0.05, 0.2]])
    assert pck_auc(errors) == pytest.approx((1.0 + 0.5 + 0.0 + 0.0) / 4)
    assert pck_auc(errors, [True, False]) == pytest.approx(1.5 / 4)
    assert pck_auc(np.zeros((0, 21))) == 0.0
    many = RNG.exponential(0.02, (300, 21))
    limits = np.linspace(0, 0.05, 20001)
    curve = np.searchsorted(np.sort(many.ravel()), limits, side="right") / many.size
    assert pck_auc(many) == pytest.approx(np.trapezoid(curve, limits) / 0.05, abs=1e-5)


def test_pck_is_strict_and_counts_missing_frames():
    errors = np.array([[0.01, 0.005], [0.0, 0.0]])
    assert pck(errors, 0.01) == 0.75
    assert pck(errors, 0.01, [True, False]) == 0.25


def test_missing_frames_are_failures_and_leave_the_mean_alone():
    true = hands(4)
    estimated = true + SHIFT
    estimated[1] = np.nan  # no estimate
    true = true.copy()
    true[3] = np.inf  # no truth
    found = hand_error(
        estimated,
        true,
        valid_estimated=[True, False, True, True],
        valid_true=[True, True, True, False],
        thresholds=(0.005, 0.02),
    )
    assert (found.frames, found.failures, found.unmatched) == (3, 1, 1)
    assert found.alignment == "none"
    assert found.mean == pytest.approx(0.01)
    assert found.median == pytest.approx(0.01)
    assert found.per_point_mean.shape == (21,)
    assert found.auc == pytest.approx(0.8 * 2 / 3)
    assert found.recall == pytest.approx((0.0, 2 / 3))
    assert found.valid.tolist() == [True, False, True, False]
    assert np.isfinite(found.errors).all()


def test_no_frame_with_both_gives_no_mean_and_no_nan():
    found = hand_error(hands(2), hands(2), valid_estimated=[False, False], align="procrustes")
    assert (found.mean, found.median, found.per_point_mean) == (None, None, None)
    assert (found.auc, found.failures, found.recall) == (0.0, 2, (0.0, 0.0, 0.0))
    assert hand_error(np.zeros((0, 21, 3)), np.zeros((0, 21, 3))).auc == 0.0


def test_two_hands_at_once():
    true = np.stack([hands(5), hands(5)])
    found = hand_error(true + np.array([0.0, 0.01])[:, None, None, None], true, align="none")
    assert found.errors.shape == (2, 5, 21)
    assert found.mean == pytest.approx(0.5 * 0.01 * np.sqrt(3))


def test_f_score_by_hand():
    true = np.array([[0.0, 0, 0], [1.0, 0, 0]])
    estimated = np.array([[0.004, 0, 0], [0.5, 0, 0], [0.6, 0, 0], [0.7, 0, 0]])
    found = f_score(estimated, true, 0.005)
    assert (float(found.precision), float(found.recall)) == (0.25, 0.5)
    assert found.f_score == pytest.approx(1 / 3)
    assert found.mean == pytest.approx(1 / 3)
    assert f_score(estimated, true, 0.003).f_score == 0.0
    assert f_score(true, true, 0.005).f_score == 1.0


def test_f_score_agrees_with_brute_force_and_counts_missing_frames():
    estimated, true = RNG.normal(0, 0.02, (3, 60, 3)), RNG.normal(0, 0.02, (3, 50, 3))
    distance = np.linalg.norm(estimated[:, :, None] - true[:, None], axis=-1)
    precision, recall = (distance.min(2) < 0.01).mean(1), (distance.min(1) < 0.01).mean(1)
    found = f_score(estimated, true, 0.01, valid=[True, False, True])
    expected = 2 * precision * recall / (precision + recall) * [1, 0, 1]
    assert np.allclose(found.f_score, expected)
    assert found.mean == pytest.approx(expected.mean())


def test_f_score_after_alignment_names_it():
    true = hands(2)
    found = f_score(2.0 * true + SHIFT, true, 0.001, align="procrustes")
    assert found.alignment == "procrustes"
    assert np.array_equal(found.f_score, [1.0, 1.0])
    assert f_score(2.0 * true + SHIFT, true, 0.001).mean < 0.5


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: hand_error(hands(2), hands(3)), "2, 21, 3"),
        (lambda: hand_error(hands(2), hands(2), valid_true=[True]), "valid_true"),
        (lambda: hand_error(hands(2) * np.nan, hands(2)), "NaN"),
        (lambda: pck_auc([[0.1]], max_threshold=0.0), "max_threshold"),
        (lambda: pck_auc([[-0.1]]), "negative"),
        (lambda: f_score(np.zeros((0, 3)), np.zeros((1, 3)), 0.01), "at least one point"),
        (lambda: f_score(hands(1), hands(1)[:, :20], 0.01, align="procrustes"), "20, 3"),
    ],
)
def test_bad_input_is_named(call, text):
    with pytest.raises(InputError, match=text):
        call()
