"""Pooled figures of cases small enough to be worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.evaluation.columns import columns
from dexman_pose.evaluation.pooling import figures, pool, worst_first
from dexman_pose.evaluation.results import ObjectScores, Results

PROTOCOL: dict[str, object] = {"auc_threshold": 0.1, "recall_diameter": 0.1}


def track(
    errors: list[float | None], *, name: str = "tool", object_id: str = "a", sequence: str = "s", **more: Any
) -> ObjectScores:
    """ADD-S in metres per frame, None without a prediction; ADD is twice as much; diameter 0.2 m."""
    add_s = np.array([0.0 if e is None else e for e in errors])
    valid = np.array([e is not None for e in errors], np.bool_)
    values = {"add_s": add_s, "add": 2 * add_s, "mssd": 2 * add_s, "mspd": 400 * add_s, "translation": add_s}
    values["rotation"] = 10 * add_s
    frames = np.arange(len(errors))
    return ObjectScores(sequence, "v", "", "", name, object_id, 0.2, "none", frames, valid, values, **more)


def test_figures_by_hand() -> None:
    row = pool(Results(PROTOCOL, [track([0.011, 0.031, None, 0.2])])).overall
    assert (row.frames, row.failures, row.recordings) == (4, 1, 1)
    v = row.values
    assert v["auc_add_s"] == pytest.approx((0.89 + 0.69 + 0 + 0) / 4)
    assert v["auc_add"] == pytest.approx((0.78 + 0.38) / 4)
    assert v["add_s_mean"] == pytest.approx(0.242 / 3)
    assert v["add_s_median"] == pytest.approx(0.031)
    assert v["add_median"] == pytest.approx(0.062)
    assert v["recall_add_s"] == pytest.approx(1 / 4)  # below 20 mm
    assert v["recall_add"] == 0.0
    assert v["rotation_median"] == pytest.approx(0.31)
    # MSSD 0.11, 0.31, 2 diameters: below 0.15..0.5 and 0.35..0.5; MSPD 4.4, 12.4, 80 px: below 5..50 and 15..50.
    assert v["ar_mssd"] == pytest.approx((8 + 4) / 40)
    assert v["ar_mspd"] == pytest.approx((10 + 8) / 40)
    assert v["ar_vsd"] is None and v["ar"] is None and v["agreement_auc"] is None
    assert v["failure_rate"] is None and v["stability"] is None and v["jitter"] is None


def test_both_poolings_differ() -> None:
    """Object a has three perfect frames, b one frame that is 100 mm off."""
    results = Results(PROTOCOL, [track([0.0, 0.0, 0.0]), track([0.1], object_id="b", name="target")])
    pooled = pool(results)
    assert pooled.overall.values["auc_add_s"] == pytest.approx(0.75)
    assert pooled.mean_over_objects.values["auc_add_s"] == pytest.approx(0.5)
    assert pooled.overall.values["add_s_mean"] == pytest.approx(0.025)
    assert pooled.mean_over_objects.values["add_s_mean"] == pytest.approx(0.05)
    assert [r.label for r in pooled.objects] == ["b", "a"]
    assert [(r.label, r.values["auc_add_s"]) for r in pooled.roles] == [("tool", 1.0), ("target", 0.0)]


def test_an_object_is_pooled_over_its_recordings() -> None:
    results = Results(PROTOCOL, [track([0.0]), track([None, None, None], sequence="t")])
    (row,) = pool(results).objects
    assert (row.recordings, row.frames, row.failures) == (2, 4, 3)
    assert row.values["auc_add_s"] == pytest.approx(0.25)


def test_depth_figures_count_missing_frames_as_failures() -> None:
    s = track(
        [0.0, 0.0, None, 0.0],
        vsd=np.array([[0.0, 0.22], [0.0, 0.0]]),
        vsd_frames=np.array([0, 2]),
        agreement=np.array([0.3, 0.9]),  # the second belongs to the frame without a prediction
        failed=np.array([False, True, False, False]),
        failure_known=np.array([True, True, True, False]),
        stability=np.array([0.5, 1.0]),
        jitter=2.0,
    )
    v = figures([s], PROTOCOL)
    assert v["ar_vsd"] == pytest.approx((10 + 6) / 40)
    assert v["ar"] == pytest.approx((16 / 40 + 0.75 + 0.75) / 3)
    assert v["agreement_auc"] == pytest.approx(0.5 / 2)
    assert v["agreement_success"] == 0.0  # 0.3 is not above 0.3
    assert v["failure_rate"] == pytest.approx(2 / 3)
    assert v["stability"] == pytest.approx(0.75)
    assert v["jitter"] == pytest.approx(2.0)


def test_jitter_is_pooled_as_a_root_mean_square() -> None:
    group = [track([0.0, 0.0, 0.0], jitter=1.0), track([0.0, None], jitter=3.0), track([0.0])]
    assert figures(group, PROTOCOL)["jitter"] == pytest.approx(np.sqrt((3 * 1 + 1 * 9) / 4))


def test_recall_uses_each_objects_own_diameter() -> None:
    small = track([0.015])
    object.__setattr__(small, "diameter", 0.1)
    group = [small, track([0.015])]
    assert figures(group, PROTOCOL)["recall_add_s"] == pytest.approx(0.5)


@pytest.mark.parametrize("objects", [[], [track([])], [track([None, None])]])
def test_nothing_to_score(objects: list[ObjectScores]) -> None:
    pooled = pool(Results(PROTOCOL, objects))
    area = pooled.overall.values["auc_add_s"]
    assert area == (0.0 if pooled.overall.frames else None)
    assert pooled.overall.values["add_s_mean"] is None
    assert set(pooled.overall.values) == {c.key for c in columns(PROTOCOL)}


def test_errors_that_are_no_numbers_are_failures() -> None:
    pooled = pool(Results(PROTOCOL, [track([0.0, np.nan, np.inf])]))
    assert pooled.not_finite == 2 and pooled.overall.failures == 2
    assert pooled.overall.values["auc_add_s"] == pytest.approx(1 / 3)
    values = [v for v in pooled.overall.values.values() if v is not None]
    assert np.isfinite(values).all()


def test_posecnn_steps_are_an_upper_sum() -> None:
    v = figures([track([0.09])], PROTOCOL)
    assert v["auc_add_s"] == pytest.approx(0.1) and v["auc_add_s_posecnn"] == pytest.approx(1.0)


def test_worst_first_and_names_of_one_object_are_no_role() -> None:
    tracks = [track([e], name=n, object_id=n, sequence=n) for e, n in ((0.0, "x"), (0.05, "y"), (None, "z"))]
    pooled = pool(Results(PROTOCOL, tracks))
    assert [r.sequence for r in pooled.sequences] == ["z", "y", "x"]
    assert pooled.roles == []
    assert worst_first([]) == []
