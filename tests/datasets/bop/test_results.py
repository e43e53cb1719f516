"""BOP result files: exact round trips and messages that name the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.datasets.bop.results import (
    HEADER,
    BopEstimate,
    read_bop_results,
    track_of,
    write_bop_results,
)
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp

GOOD = "1,2,5,0.9,1 0 0 0 1 0 0 0 1,10 20 300,0.25"


def _estimates(count: int = 12) -> list[BopEstimate]:
    rng = np.random.default_rng(4)
    return [
        BopEstimate(
            1 + i % 2, i // 2, 5, rng.uniform(), se3(so3_exp(rng.normal(size=3)), rng.normal(size=3)), -1.0
        )
        for i in range(count)
    ]


def _file(path: Path, *lines: str) -> Path:
    file = path / "results.csv"
    file.write_text("\n".join((HEADER, *lines)) + "\n")
    return file


def test_round_trip_keeps_every_digit(tmp_path: Path) -> None:
    estimates = _estimates()
    back = read_bop_results(write_bop_results(tmp_path / "a" / "out.csv", estimates))
    for old, new in zip(estimates, back, strict=True):
        assert (old.scene_id, old.im_id, old.obj_id, old.score, old.time) == (
            new.scene_id,
            new.im_id,
            new.obj_id,
            new.score,
            new.time,
        )
        np.testing.assert_array_equal(old.camera_from_object[:3, :3], new.camera_from_object[:3, :3])
        np.testing.assert_allclose(old.camera_from_object, new.camera_from_object, rtol=1e-15)
    again = write_bop_results(tmp_path / "b.csv", back)
    assert read_bop_results(again)[3].score == estimates[3].score
    assert [
        p.name for p in tmp_path.iterdir() if p.name.startswith(".")
    ] == []  # nothing half-written is left


def test_a_line_by_hand(tmp_path: Path) -> None:
    (estimate,) = read_bop_results(
        _file(tmp_path, GOOD.replace("1 0 0 0 1 0 0 0 1", "0 -1 0 1 0 0 0 0 1"), "")
    )
    np.testing.assert_allclose(estimate.camera_from_object[:3, 3], [0.01, 0.02, 0.3])
    np.testing.assert_array_equal(estimate.camera_from_object[0, :3], [0, -1, 0])  # row by row
    assert (estimate.scene_id, estimate.im_id, estimate.obj_id, estimate.time) == (1, 2, 5, 0.25)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("1,2,5,0.9,1 0 0 0 1 0 0 0 1,10 20 300", "expected 7 values"),
        (GOOD.replace("1,2,5", "1,2,five"), "obj_id must be a whole number"),
        (GOOD.replace("0.9", "high"), "score must be 1 number"),
        (GOOD.replace("0 0 0 1,", "0 0 0,"), "R must be 9 numbers separated by spaces, but has 8"),
        (GOOD.replace("10 20 300", "10 20"), "t must be 3 numbers"),
        (GOOD.replace("10 20 300", "10 nan 300"), "t holds a value that is not finite"),
        (GOOD.replace("1 0 0 0 1", "-1 0 0 0 1"), "determinant is -1"),
        (GOOD.replace("1 0 0 0 1", "1.01 0 0 0 1"), "R is no rotation"),
        (GOOD.replace("0.25", "-2"), "time must be seconds, or -1"),
        (GOOD.replace("1,2,5", "1,-2,5"), "must not be negative"),
        (GOOD.replace("0.25", "0.75"), "time is 0.75, but 0.25"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, line: str, what: str) -> None:
    file = _file(tmp_path, GOOD, line)
    with pytest.raises(InputError, match=what) as raised:
        read_bop_results(file)
    assert f"{file}, line 3" in str(raised.value)


def test_a_rotation_with_few_digits_passes(tmp_path: Path) -> None:
    rotation = " ".join(f"{x:.4f}" for x in so3_exp([0.3, -1.1, 0.7]).reshape(-1))
    (estimate,) = read_bop_results(_file(tmp_path, GOOD.replace("1 0 0 0 1 0 0 0 1", rotation)))
    track = track_of([estimate], 1, 5, [1, 2])
    assert track.valid.tolist() == [False, True]
    r = track.camera_from_object[1, :3, :3]
    np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-12)


def test_another_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("scene,im\n" + GOOD)
    with pytest.raises(InputError, match="line 1: the header must be"):
        read_bop_results(tmp_path / "x.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_bop_results(tmp_path / "none.csv")


def test_writing_refuses_what_could_not_be_read(tmp_path: Path) -> None:
    bad = BopEstimate(1, 2, 5, 0.5, np.diag([2.0, 2.0, 2.0, 1.0]))
    with pytest.raises(InputError, match="estimate 0 cannot be written: R is no rotation"):
        write_bop_results(tmp_path / "x.csv", [bad])
    times = [BopEstimate(1, 2, 5, 0.5, np.eye(4), t) for t in (0.1, 0.2)]
    with pytest.raises(InputError, match="must have the time of the whole image"):
        write_bop_results(tmp_path / "x.csv", times)
    assert not (tmp_path / "x.csv").exists()


def test_track_takes_the_best_score_of_each_image() -> None:
    def at(im_id: int, score: float, x: float) -> BopEstimate:
        return BopEstimate(3, im_id, 5, score, se3(np.eye(3), [x, 0, 1]))

    estimates = [at(4, 0.2, 0.1), at(4, 0.8, 0.2), at(9, 0.5, 0.3), BopEstimate(3, 7, 6, 1.0, np.eye(4))]
    track = track_of(estimates, 3, 5, [4, 7, 9])
    assert track.valid.tolist() == [True, False, True]
    np.testing.assert_allclose(track.camera_from_object[:, 0, 3], [0.2, 0.2, 0.3])
    assert track_of(estimates, 3, 5, [4, 7, 9], rank=1).valid.tolist() == [True, False, False]
