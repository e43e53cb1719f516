"""Areas, recalls and means against integrals and counts done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dexman_pose.errors import InputError
from dexman_pose.metrics.scores import (
    BOP_FRACTIONS,
    BOP_PIXELS,
    ar_bop,
    auc,
    auc_posecnn,
    auc_trapezoid,
    average_recall,
    recall,
    summary,
)

NONE = np.zeros(0)
some_errors = arrays(np.float64, st.integers(1, 30), elements=st.floats(0.0, 0.3))


def test_areas_by_hand() -> None:
    assert auc([0.0, 0.0]) == 1.0
    assert auc([0.09]) == pytest.approx(0.1)
    assert auc([0.02, 0.06, 0.5]) == pytest.approx((0.8 + 0.4 + 0) / 3)
    assert auc([0.1, 0.2]) == 0.0
    assert auc([0.5, 1.0], max_threshold=2.0) == pytest.approx((0.75 + 0.5) / 2)


def test_the_step_rule_by_hand() -> None:
    assert auc_posecnn([0.09]) == pytest.approx(1.0)
    # 1/3 up to 0.02, 2/3 up to 0.06, and on to 0.1.
    expected = (0.02 * 1 / 3 + 0.04 * 2 / 3 + 0.04 * 2 / 3) / 0.1
    assert auc_posecnn([0.06, 0.5, 0.02]) == pytest.approx(expected)
    assert auc_posecnn([0.04, 0.04]) == pytest.approx((0.04 * 0.5 + 0.06 * 1.0) / 0.1)
    assert auc_posecnn([0.1]) == pytest.approx(1.0)
    assert auc_posecnn([0.2, 0.11]) == 0.0


@settings(max_examples=80, deadline=None)
@given(some_errors, st.integers(0, 10))
def test_areas_agree_with_fine_integration(errors: np.ndarray, lost: int) -> None:
    e = np.concatenate([errors, np.zeros(lost)])
    valid = np.arange(len(e)) < len(errors)
    thresholds = (np.arange(20_000) + 0.5) / 20_000 * 0.1
    curve = (errors[:, None] <= thresholds).sum(0) / len(e)
    exact = auc(e, valid)
    assert exact == pytest.approx(curve.mean(), abs=1e-4)
    assert auc_trapezoid(e, valid) == pytest.approx(exact, abs=0.005 + 1e-12)
    assert exact - 1e-12 <= auc_posecnn(e, valid) <= exact + 1 / len(e) + 1e-12


def test_the_step_rule_is_written_as_in_the_toolbox() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        e = rng.exponential(0.05, rng.integers(1, 40))
        rec = np.sort(np.where(e > 0.1, np.inf, e))
        prec = np.cumsum(np.ones(len(e))) / len(e)
        prec = prec[np.isfinite(rec)]
        rec = rec[np.isfinite(rec)]
        if len(rec) == 0:
            assert auc_posecnn(e) == 0.0
            continue
        mrec = np.concatenate([[0], rec, [0.1]])
        mpre = np.maximum.accumulate(np.concatenate([[0], prec, [prec[-1]]]))
        i = np.flatnonzero(mrec[1:] != mrec[:-1]) + 1
        assert auc_posecnn(e) == pytest.approx(((mrec[i] - mrec[i - 1]) * mpre[i]).sum() * 10)


def test_frames_without_an_estimate_fail_in_areas_and_recalls() -> None:
    errors = np.array([0.02, np.nan, 0.06, -1.0])
    valid = np.array([True, False, True, False])
    assert auc(errors, valid) == pytest.approx((0.8 + 0.4) / 4)
    assert auc_trapezoid(errors, valid) == pytest.approx(0.3, abs=0.003)
    assert auc_posecnn(errors, valid) == pytest.approx((0.02 * 0.25 + 0.04 * 0.5 + 0.04 * 0.5) / 0.1)
    assert recall(errors, 0.05, valid) == 0.25
    assert average_recall(errors, [0.05, 0.1], valid) == pytest.approx((0.25 + 0.5) / 2)


def test_frames_without_an_estimate_are_left_out_of_means() -> None:
    found = summary([0.02, 7.0, 0.06, np.inf, 0.01], [True, False, True, False, True])
    assert found.mean == pytest.approx(0.03) and found.median == pytest.approx(0.02)
    assert (found.frames, found.failures) == (5, 2)


@pytest.mark.parametrize("score", [auc, auc_posecnn, auc_trapezoid])
def test_no_frames_and_no_estimates_are_zero(score: object) -> None:
    assert callable(score)
    assert score(NONE) == 0.0
    assert score([np.nan, 0.0], [False, False]) == 0.0


def test_no_frames_elsewhere() -> None:
    assert recall(NONE, 0.1) == 0.0 and recall([0.0], 0.1, [False]) == 0.0
    assert average_recall(NONE, [0.1]) == 0.0
    assert average_recall(np.zeros((0, 3)), [0.1]) == 0.0
    assert average_recall(np.zeros((3, 0)), [0.1]) == 0.0
    assert summary(NONE) == (0.0, 0.0, 0, 0)
    assert summary([1.0, 2.0], [False, False]) == (0.0, 0.0, 2, 2)
    assert ar_bop(np.zeros((0, 10)), NONE, NONE) == (0.0, 0.0, 0.0, 0.0)


def test_recall_is_strict() -> None:
    assert recall([0.1, 0.2, 0.3], 0.2) == pytest.approx(1 / 3)
    assert recall([0.0, 0.0], 0.0) == 0.0
    assert recall([0.02, 0.02, 0.02], [0.02, 0.021, 0.01]) == pytest.approx(1 / 3)
    assert average_recall([0.15], BOP_FRACTIONS) == pytest.approx(0.7)
    assert average_recall([15.0], BOP_PIXELS) == pytest.approx(0.7)


def test_average_recall_over_columns() -> None:
    errors = np.array([[0.1, 0.3], [0.0, 0.6]])
    # Below 0.2: 1 of 2, 0... by column 0: both; column 1: none. Below 0.5: both; the first.
    assert average_recall(errors, [0.2, 0.5]) == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    assert average_recall(errors, [0.2, 0.5], [True, False]) == pytest.approx((0.5 + 0 + 0.5 + 0.5) / 4)
    assert average_recall(np.full((7, 3), 0.01), [0.1, 0.2, 0.3]) == 1.0


def test_bop_is_the_mean_of_three() -> None:
    vsd = np.tile([0.0, 1.0], (2, 5))
    found = ar_bop(vsd, [0.0, 0.26], [0.0, 100.0])
    assert found.ar_vsd == pytest.approx(0.5)
    assert found.ar_mssd == pytest.approx((1 + 0.5) / 2)
    assert found.ar_mspd == pytest.approx(0.5)
    assert found.ar == pytest.approx((0.5 + 0.75 + 0.5) / 3)
    without = ar_bop(None, [0.0, 0.26], [0.0, 100.0], [True, False])
    assert without == (None, None, 0.5, 0.5)
    fewer = ar_bop(vsd[:1], [0.0, 0.26], [0.0, 100.0], [True, True], vsd_valid=[False])
    assert fewer.ar_vsd == 0.0


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="1 errors of frames with an estimate are negative, NaN"):
        auc([0.1, np.nan])
    with pytest.raises(InputError, match="mark frames without"):
        recall([np.inf], 0.1)
    with pytest.raises(InputError, match="negative"):
        average_recall([[0.1, -0.1]], [0.1])
    with pytest.raises(InputError, match="one per frame"):
        summary([[0.1]])
    with pytest.raises(InputError, match=r"valid must be booleans of shape \(2,\)"):
        auc([0.1, 0.2], [True])
    with pytest.raises(InputError, match="booleans"):
        auc([0.1, 0.2], [1, 0])
    with pytest.raises(InputError, match="threshold must be one number"):
        recall([0.1, 0.2], [0.1, 0.2, 0.3])
    with pytest.raises(InputError, match="max_threshold must be a positive"):
        auc([0.1], max_threshold=0.0)
    with pytest.raises(InputError, match="steps"):
        auc_trapezoid([0.1], steps=1)
    with pytest.raises(InputError, match="thresholds"):
        average_recall([0.1], [])
    with pytest.raises(InputError, match="one column per tolerance"):
        ar_bop([0.1], [0.1], [0.1])
