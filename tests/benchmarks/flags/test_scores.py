"""Scores of flags on hand-made rows with known counts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.benchmarks.flags.report import flags_markdown, score_line, write_flags_json
from dexman_pose.benchmarks.flags.run import FlagTable
from dexman_pose.benchmarks.flags.scores import (
    TOTAL,
    FlagRow,
    FlagTargets,
    case_scores,
    group_scores,
    score_rows,
)
from dexman_pose.benchmarks.flags.signals import plain_value, signals_of
from dexman_pose.data import PoseTrack

TARGETS = FlagTargets()


def row(mm: float, degrees: float, valid: bool, case: str = "a", group: str = "g", **more: Any) -> FlagRow:
    return FlagRow(group, case, 0, mm, degrees, valid, **more)


@pytest.mark.parametrize(
    ("mm", "degrees", "wrong", "good"),
    [
        (0.0, 0.0, False, True),
        (5.0, 3.0, False, True),
        (5.1, 0.0, False, False),
        (0.0, 3.1, False, False),
        (10.0, 6.0, False, False),
        (10.1, 0.0, True, False),
        (0.0, 6.1, True, False),
        (500.0, 180.0, True, False),
    ],
)
def test_bounds_of_wrong_and_good(mm: float, degrees: float, wrong: bool, good: bool) -> None:
    one = row(mm, degrees, True)
    assert (one.wrong(TARGETS), one.good(TARGETS)) == (wrong, good)


def test_a_hidden_object_may_be_called_lost_but_a_wrong_pose_of_it_may_not_be_valid() -> None:
    assert not row(0.0, 0.0, False, visible=0.0).good(TARGETS)
    assert row(50.0, 0.0, True, visible=0.0).wrong(TARGETS)


def test_shares_are_counted_over_wrong_and_over_good_frames() -> None:
    rows = [
        *(row(50.0, 0.0, valid) for valid in (True, False, False, False)),
        *(row(1.0, 1.0, valid) for valid in (True, True, False)),
        row(7.0, 4.0, True),
    ]
    score = score_rows("x", rows, TARGETS)
    assert (score.frames, score.valid, score.wrong, score.flagged) == (8, 4, 4, 3)
    assert (score.good, score.kept) == (3, 2)
    assert (score.mm_median, score.deg_median) == (28.5, 0.5)
    assert score.flagged_share == pytest.approx(0.75)
    assert score.kept_share == pytest.approx(2 / 3)
    assert score.passed(TARGETS) is False


def test_everything_valid_and_everything_lost_both_fail() -> None:
    for valid in (True, False):
        rows = [*(row(50.0, 0.0, valid) for _ in range(5)), *(row(1.0, 1.0, valid) for _ in range(5))]
        assert score_rows("x", rows, TARGETS).passed(TARGETS) is False
    honest = [*(row(50.0, 0.0, False) for _ in range(5)), *(row(1.0, 1.0, True) for _ in range(5))]
    assert score_rows("x", honest, TARGETS).passed(TARGETS) is True


def test_shares_of_nothing() -> None:
    score = score_rows("x", [row(7.0, 4.0, True)], TARGETS)
    assert (score.flagged_share, score.kept_share, score.passed(TARGETS)) == (None, None, None)
    assert score_rows("x", [row(1.0, 1.0, True)], TARGETS).passed(TARGETS) is True


def test_a_run_that_raised_is_no_flagged_frame() -> None:
    score = score_rows("x", [row(1e4, 180.0, False, error="EstimationError: no")], TARGETS)
    assert (score.cases, score.failed, score.frames, score.wrong, score.flagged) == (1, 1, 0, 0, 0)


def test_groups_in_order_and_the_total_last() -> None:
    rows = [row(1, 1, True, "a", "g"), row(50, 0, True, "b", "g"), row(50, 0, False, "a", "h")]
    scores = group_scores(rows, TARGETS)
    assert [s.name for s in scores] == ["g", "h", TOTAL]
    assert [(s.cases, s.wrong, s.flagged, s.good) for s in scores] == [
        (2, 1, 0, 1),
        (1, 1, 1, 0),
        (3, 2, 1, 1),
    ]
    cases = case_scores(rows, TARGETS)
    assert [(group, s.name, s.frames) for group, s in cases] == [("g", "a", 1), ("g", "b", 1), ("h", "a", 1)]


class _Reason(Enum):
    JUMP = 1


@dataclass
class _Estimate:
    camera_from_object: np.ndarray
    mask_iou: float
    covariance: np.ndarray
    alternatives: list[Any] = field(default_factory=list)
    reasons: tuple[_Reason, ...] = ()
    image: np.ndarray = field(default_factory=lambda: np.zeros((40, 50)))
    nothing: float = float("nan")

    @property
    def valid(self) -> bool:
        return False

    @property
    def doubt(self) -> float:
        return 0.5


def test_signals_of_an_estimate_take_new_fields_and_properties() -> None:
    inner = _Estimate(np.eye(4), 0.1, np.eye(6))
    found = _Estimate(np.eye(4), 0.9, np.diag(np.arange(6.0)), [inner, inner], (_Reason.JUMP,))
    assert signals_of(found) == {
        "mask_iou": 0.9,
        "covariance": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        "alternatives": 2,
        "reasons": ["JUMP"],
        "doubt": 0.5,
    }


def test_signals_of_a_track_are_those_of_the_frame() -> None:
    poses = np.repeat(np.eye(4)[None], 3, 0)
    track = PoseTrack(poses, np.ones(3, bool), np.array([0.1, 0.2, 0.3]), mask_iou=np.array([0.4, 0.5, 0.6]))
    assert signals_of(track, 1) == {"confidence": 0.2, "mask_iou": 0.5, "mesh_scale": 1.0}


def test_values_that_json_cannot_hold() -> None:
    assert plain_value(np.float64(2.0)) == 2.0
    assert plain_value(np.bool_(True)) is True
    assert plain_value(float("inf")) is None
    assert plain_value({"a": np.int64(3)}) == {"a": 3}
    assert plain_value(frozenset({"b", "a"})) == ["a", "b"]


def test_the_table_says_pass_or_fail_and_the_file_holds_every_row(tmp_path: Path) -> None:
    rows = [row(1, 1, True, signals={"confidence": 0.7}), row(50, 0, True), row(50, 0, False, "b", "h")]
    table = FlagTable(rows)
    lines = flags_markdown(table).splitlines()
    assert lines[2].startswith("| g | 1 | 0 | 2 | 2 | 1 | 0.0 % | 1 | 100.0 % | FAIL")
    assert lines[3].startswith("| h | 1 | 0 | 1 | 0 | 1 | 100.0 % | 0 | - | PASS")
    assert lines[4].startswith("| total |") and "FAIL" in lines[4]
    written = json.loads(write_flags_json(tmp_path / "flags.json", table).read_text())
    assert [g["passed"] for g in written["groups"]] == [False, True, False]
    assert [(c["group"], c["name"], c["wrong"]) for c in written["cases"]] == [("g", "a", 1), ("h", "b", 1)]
    assert written["rows"][0]["signals"] == {"confidence": 0.7}
    assert [r["wrong"] for r in written["rows"]] == [False, True, True]
    assert "raised" in score_line("g", score_rows("x", [row(0, 0, False, error="no")], TARGETS))
