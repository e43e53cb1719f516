"""Tables: what is written can be read again, and absence is said as absence."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.evaluation.pooling import pool
from dexman_pose.evaluation.published import differences, load_published
from dexman_pose.evaluation.results import ContactScores, Finding, HandScores, ObjectScores, Results
from dexman_pose.evaluation.tables import (
    console_text,
    contact_table,
    hand_table,
    markdown,
    plain,
    published_table,
    row_table,
    summary_table,
    write_csvs,
)

PROTOCOL: dict[str, object] = {"auc_threshold": 0.1, "recall_diameter": 0.1, "alignment": "none"}


def made() -> Results:
    errors = np.array([0.0123456, 0.0, 0.05])
    one = ObjectScores(
        'a, "b"', "v|1", "g", "test", "tool", "007", 0.2, "C2", np.array([0, 5, 10]),
        np.array([True, False, True]), {"add_s": errors, "add": 2 * errors, "rotation": errors},
        np.array([[0.1, 0.2], [1.0, 1.0]]), np.array([0, 1]), np.array([0.7, 0.0]),
        np.array([False, False, True]), np.array([True, True, False]), np.array([0.9]), 1.5, ("a note",),
    )  # fmt: skip
    joints = np.zeros((2, 21))
    joints[0] = 0.01
    hands = [HandScores("a", "v", "left", np.arange(2), np.array([True, False]), {"root": joints})]
    contacts = [ContactScores("a", "v", 1.0, 0.5, 0.75, 0.002, 2)]
    return Results(PROTOCOL, [one], hands, contacts, [Finding("lag", "a", "two frames, late"), *_gaps()])


def _gaps() -> list[Finding]:
    return [Finding("missing", "a", "no pose"), Finding("missing", "b", "no pose")]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_frames_survive_the_csv(tmp_path: Path) -> None:
    results = made()
    paths = write_csvs(results, tmp_path / "new")
    first, gone, last = read(paths["frames"])
    assert first["sequence"] == 'a, "b"' and first["object_id"] == "007" and first["diameter_mm"] == "200"
    assert float(first["add_s_mm"]) == pytest.approx(12.3456)
    assert float(first["rotation_deg"]) == pytest.approx(np.degrees(0.0123456), rel=1e-6)
    assert (first["vsd_2"], first["agreement"], first["failed"]) == ("0.2", "0.7", "0")
    assert gone["predicted"] == "0" and gone["frame"] == "5"
    assert [gone[k] for k in ("add_s_mm", "add_mm", "vsd_1", "agreement", "failed")] == ["", "", "", "", "1"]
    assert (last["vsd_1"], last["failed"]) == ("", "")


def test_rows_survive_the_csv(tmp_path: Path) -> None:
    results = made()
    pooled = pool(results)
    paths = write_csvs(results, tmp_path, pooled=pooled)
    assert set(paths) == {"summary", "objects", "sequences", "frames", "findings", "hands", "contacts"}
    overall, mean, tool = read(paths["summary"])
    assert [r["label"] for r in (overall, mean, tool)] == ["all frames pooled", "mean over objects", "tool"]
    assert overall["failures"] == "1" and overall["jitter_m_per_s2"] == "1.5"
    area = pooled.overall.values["auc_add_s"]
    assert area is not None and float(overall["auc_add_s"]) == pytest.approx(area)
    assert overall["translation_median_mm"] == "" and overall["ar_mspd"] == ""
    (row,) = read(paths["sequences"])
    assert row["label"] == results.objects[0].key and row["symmetry"] == "C2"
    assert [r["kind"] for r in read(paths["findings"])] == ["lag", "missing", "missing"]
    assert read(paths["hands"])[0]["joint_error_root_mm"] == "10"
    assert read(paths["contacts"])[0]["penetration_mm"] == "2"


def test_csvs_of_nothing(tmp_path: Path) -> None:
    paths = write_csvs(Results(PROTOCOL, []), tmp_path)
    assert read(paths["frames"]) == [] and read(paths["sequences"]) == []
    assert set(paths) == {"summary", "objects", "sequences", "frames", "findings"}


def test_summary_says_dash_where_there_is_nothing() -> None:
    pooled = pool(made())
    rows = {r[0]: r[1:] for r in summary_table(pooled, PROTOCOL).rows}
    assert rows["frames without prediction"] == ("1 (33 %)",) * 3
    assert rows["translation median (mm)"] == ("-",) * 3
    assert rows["ADD-S mean (mm)"] == ("31.2",) * 3


def test_markdown_and_plain_hold_their_shape() -> None:
    table = row_table(pool(made()).sequences, PROTOCOL, symmetry=True)
    lines = markdown(table).splitlines()
    assert len(lines) == 3 and lines[1].count("---:") == len(table.numbers)
    assert "v\\|1" in lines[2]
    text = plain(table).splitlines()
    assert len({len(line.rstrip()) for line in text}) <= 2 and "nan" not in "".join(text).lower()
    assert "translation median (mm)" not in table.head  # a column that no row fills


def test_console_counts_findings() -> None:
    assert "What looks like a mistake (3): lag 1, missing 2" in console_text(made())
    assert "mistake" not in console_text(Results(PROTOCOL, []))


def test_hands_and_contacts() -> None:
    results = made()
    assert hand_table(results.hands).rows == [("left", "1", "2", "1", "10.0", "10.0")]
    mean, one = contact_table(results.contacts).rows
    assert mean == ("mean over 1 recording", "2", "1.000", "0.500", "0.750", "2.0")
    assert one[0] == "a/v"


def test_published_table_beside_ours() -> None:
    theirs = load_published("dexman_taco")
    pooled = pool(made())
    rows = published_table(theirs, pooled, PROTOCOL).rows
    assert rows[2] == ("DexMan", "0.57", "0.82", "0.01", "0.76")
    assert rows[3][0] == "ours: all frames pooled" and rows[3][4] == "0.900"
    said = differences(theirs, PROTOCOL)
    assert any(s.startswith("alignment: theirs first_frame, ours none") for s in said)
    assert not any("auc_threshold" in s for s in said)  # the same in both
    assert any("which of the cameras" in s for s in said)


def test_published_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dexman_taco"):
        load_published("nobody")
    bad = tmp_path / "t.yaml"
    bad.write_text("title: x\nsource: y\ncolumns: [{head: a, key: b}]\nrows: [{method: m, values: [1, 2]}]\n")
    with pytest.raises(InputError, match="2 values for 1 column"):
        load_published(bad)
    bad.write_text("a: [")
    with pytest.raises(InputError, match="not a YAML file"):
        load_published(bad)
