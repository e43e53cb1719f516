"""Scores of the stress suite on hand-made cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.benchmarks.stress import run as stress_run
from dexman_pose.benchmarks.stress.case import StressCase
from dexman_pose.benchmarks.stress.run import run_case, run_stress
from dexman_pose.benchmarks.stress.score import (
    StressRecord,
    StressTable,
    count_jumps,
    hidden_stretches,
    pose_errors,
    reliability,
    score_gaps,
    summarise,
)
from dexman_pose.benchmarks.stress.table import stress_markdown, write_stress_tables
from dexman_pose.data import PoseTrack
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry, half_turns, rotation_errors

CAN = TrueSymmetry(half_turns([1, 0, 0]), np.array([[0.0, 0.0, 1.0]]))


def _turn(*w: float) -> np.ndarray:
    return se3(so3_exp(np.radians(w)), np.zeros(3))


def test_rotation_errors_modulo_symmetry_agree_with_brute_force() -> None:
    rng = np.random.default_rng(0)
    true, found = so3_exp(rng.standard_normal((20, 3))), so3_exp(rng.standard_normal((20, 3)))
    exact = rotation_errors(found, true, CAN)
    spins = so3_exp(np.radians(np.arange(0, 360, 0.5))[:, None] * np.array([0.0, 0.0, 1.0]))
    flips = CAN.discrete[:, :3, :3]
    group = (flips[:, None] @ spins[None]).reshape(-1, 3, 3)
    brute = np.min([rotation_errors(found, true @ g) for g in group], axis=0)
    assert np.abs(exact - brute).max() < 0.5
    assert (exact <= brute + 1e-9).all()


def test_twins_are_no_error_and_strangers_are() -> None:
    pose = _turn(30, 40, 50)
    twin = pose @ _turn(180, 0, 0) @ _turn(0, 0, 77)
    assert rotation_errors(twin[None], pose[None], CAN)[0] < 1e-5
    assert rotation_errors((pose @ _turn(0, 10, 0))[None], pose[None], CAN)[0] == pytest.approx(10)
    assert rotation_errors(twin[None], pose[None])[0] > 90


def test_translation_counts_at_the_middle() -> None:
    pose, center = se3(np.eye(3), [0.0, 0.0, 0.5]), np.array([0.1, 0.0, 0.0])
    turned = pose @ _turn(0, 0, 90)
    mm, _ = pose_errors(turned[None], pose[None], center, TrueSymmetry())
    assert mm[0] == pytest.approx(100 * np.sqrt(2))
    # the engine thinks the object is twice as large: its middle lies elsewhere
    mm, _ = pose_errors(pose[None], pose[None], center, TrueSymmetry(), found_center=2 * center)
    assert mm[0] == pytest.approx(100)


def test_jumps_are_counted_between_valid_frames_only() -> None:
    true = np.stack([_turn(0, 0, 5 * k) for k in range(5)])
    found = true.copy()
    found[3:] = found[3:] @ _turn(180, 0, 0)
    valid = np.ones(5, np.bool_)
    assert count_jumps(true, true, valid) == 0
    assert count_jumps(found, true, valid) == 1
    valid[3] = False
    assert count_jumps(found, true, valid) == 0


def test_poses_that_are_off_count_whether_valid_or_not() -> None:
    record = _record(
        valid=np.array([True, False, True, False]),
        millimetres=np.array([1.0, 11.0, 1.0, 1.0]),
        degrees=np.array([1.0, 1.0, 7.0, 30.0]),
        add_s=np.array([0.0, 0.0, 0.05, 0.0]),
        mask_missed=np.array([True, False, False, False]),
        pose_missed=np.array([False, False, True, True]),
    )
    (score,) = summarise([record])
    assert score.off_share == 0.75 and score.gross_share == 0.25
    assert score.mask_part_share == 0.25 and score.pose_part_share == 0.5
    # of four frames two are valid, one of them half way to the limit of 0.1 m
    assert score.add_s_area == pytest.approx((1.0 + 0.5) / 4)
    plain = replace(record, add_s=None, mask_missed=None, pose_missed=None)
    (score,) = summarise([plain])
    assert score.add_s_area is None and score.mask_part_share is None


def test_losses_noticed_and_recoveries() -> None:
    visible = np.array([1.0] * 4 + [0.0] * 8 + [1.0] * 4)
    assert hidden_stretches(visible) == [(4, 11)]
    wrong = np.zeros(16, np.bool_)
    good = visible > 0
    assert score_gaps(visible, good, wrong) == ((True, True),)
    late = good.copy()
    late[4:7] = True  # three hidden frames late: still in time
    assert score_gaps(visible, late, wrong) == ((True, True),)
    late[4:8] = True
    assert score_gaps(visible, late, wrong) == ((False, True),)
    assert score_gaps(visible, np.ones(16, np.bool_), wrong) == ((False, True),)
    assert score_gaps(visible, good & (np.arange(16) < 12), wrong) == ((True, False),)
    astray = np.arange(16) >= 12
    assert score_gaps(visible, good, astray) == ((True, False),)


def _record(**changes: Any) -> StressRecord:
    n = 4
    base = StressRecord(
        "clean",
        "can",
        0,
        "track",
        False,
        0.01,
        np.ones(n, np.bool_),
        np.array([0.95, 0.95, 0.95, 0.15]),
        np.array([1.0, 2.0, 3.0, 50.0]),
        np.array([1.0, 1.0, 1.0, 90.0]),
        np.full(n, 0.5),
        np.array([1.0, 1.0, 1.0, 1.0]),
    )
    return replace(base, **changes)


def test_tracks_are_summed_up() -> None:
    (score,) = summarise([_record()])
    assert score.success == 0.75 and score.wrong_share == 0.25 and score.valid_share == 1.0
    assert score.mm_median == pytest.approx(2.5) and score.deg_median == pytest.approx(1.0)
    assert score.per_second == pytest.approx(100)
    honest = _record(valid=np.array([True, True, True, False]))
    (score,) = summarise([honest])
    assert score.success == 0.75 and score.wrong_share == 0.0 and score.valid_share == 0.75
    unseen = _record(visible=np.array([1.0, 1.0, 1.0, 0.1]))
    (score,) = summarise([unseen])
    assert score.success == 1.0 and score.wrong_share == 0.0


def test_searches_and_refinements_have_their_own_limits() -> None:
    errors = {"millimetres": np.full(4, 12.0), "degrees": np.full(4, 1.0)}  # at 0.5 m: 2.4 %
    assert summarise([_record(what="search", **errors)])[0].success == 1.0
    assert summarise([_record(what="refine", **errors)])[0].success == 0.0


def test_reliability_bands() -> None:
    low, high = reliability([_record()])
    assert (low.low, low.frames, low.right) == (0.1, 1, 0.0)
    assert (high.low, high.frames, high.right) == (0.9, 3, 1.0)


def test_tables_are_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    table = StressTable([_record(), _record(what="search", shape="box"), _record(gaps=((True, False),))])
    text = stress_markdown(table)
    assert "| clean | given | no | 2 |" in text and "| clean | search | no | 1 |" in text
    widths = {len(line.split("|")) for line in text.split("\n\n")[0].splitlines() if line}
    assert len(widths) == 1
    paths = write_stress_tables(table, tmp_path)
    assert {p.name for p in paths} == {"stress.md", "stress.csv", "stress_runs.csv", "reliability.png"}
    assert len((tmp_path / "stress_runs.csv").read_text().splitlines()) == 4


def test_a_run_that_raises_is_a_failed_run(tiny_case: StressCase, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise EstimationError("nothing found")

    monkeypatch.setattr(stress_run, "estimate_pose", broken)
    record = run_case(tiny_case, "search", False)
    assert "nothing found" in record.error
    (score,) = summarise([record])
    assert score.failed == 1 and score.success == 0.0


def test_a_perfect_and_a_wrong_engine_are_told_apart(
    tiny_case: StressCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Answer:
        mask_iou = 0.9
        valid = True

        def __init__(self, pose: np.ndarray) -> None:
            self.camera_from_object = pose

    true = tiny_case.camera_from_object[0]
    for turn, success in ((_turn(0, 0, 0), 1.0), (_turn(0, 20, 0), 0.0)):
        monkeypatch.setattr(stress_run, "estimate_pose", lambda *_, turn=turn, **__: Answer(true @ turn))
        score = summarise([run_case(tiny_case, "search", False)])[0]
        assert (
            score.success == success and score.off_believed_share == 1.0 - success
        )  # it says that all is well


def test_tracks_run_from_a_start_from_a_search_and_without_masks(
    tiny_case: StressCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool]] = []

    def tracked(*given: Any, **named: Any) -> Any:
        seen.append((given[2] is None, "start" in named))
        poses = tiny_case.camera_from_object
        return PoseTrack(poses, np.ones(len(poses), bool), np.ones(len(poses)))

    monkeypatch.setattr(stress_run, "track", tracked)
    monkeypatch.setattr(stress_run, "build_case", lambda *_: tiny_case)
    monkeypatch.setattr(stress_run, "_warm_up", lambda: None)
    table = run_stress(["clean"], ["can"], 1, ["track"], [False])
    assert [r.what for r in table.records] == ["track", "track-search", "track-alone"]
    assert seen == [(False, True), (False, False), (True, True)]


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="refine"):
        run_stress(what=("guess",))


@pytest.fixture(scope="module")
def tiny_case() -> StressCase:
    from dexman_pose.benchmarks.stress.cases import build_case

    return build_case("clean", "box", 0, 1)
