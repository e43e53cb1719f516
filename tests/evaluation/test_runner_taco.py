"""From a synthetic TACO folder to a report: the truth, planted faults, damaged files, the default pipeline."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.cli.main import main
from dexman_pose.datasets.bop.results import read_bop_results
from dexman_pose.evaluation.faults import FAULTS
from dexman_pose.evaluation.protocol import load_protocol
from dexman_pose.evaluation.runner import score
from dexman_pose.evaluation.sources import Source
from dexman_pose.synthetic.tiny_datasets.taco import write_taco

KINDS = {
    "swapped": "swapped",
    "centimetres": "unit",
    "late": "lag",
    "missing": "missing",
    "flipped": "flipped",
    "transposed": "misread",
    "xyzw": "misread",
}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small folder of each layout, two sequences each."""
    folder = tmp_path_factory.mktemp("taco")
    for layout in ("v1", "prerelease"):
        write_taco(folder / layout, sequences=2, frames=12, layout=layout, size=(120, 90))
    return {layout: folder / layout for layout in ("v1", "prerelease")}


def summary(out: Path) -> dict[str, str]:
    with (out / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    return rows[0]


def evaluate(root: Path, out: Path, predictions: str, protocol: str = "taco", *more: str) -> int:
    given = ["--root", str(root), "--protocol", protocol, "--predictions", predictions, "--out", str(out)]
    return main(["eval", "score", *given, "--no-pictures", *more])


@pytest.mark.parametrize("layout", ["v1", "prerelease"])
@pytest.mark.parametrize("protocol", ["taco", "taco_head", "taco_paper"])
def test_the_truth_scores_perfectly(
    roots: dict[str, Path], tmp_path: Path, layout: str, protocol: str
) -> None:
    source = Source("taco", roots[layout], load_protocol(protocol).view)
    results = score(source, load_protocol(protocol), "truth", tmp_path)
    assert len(results.objects) == 4
    assert not results.findings
    for scores in results.objects:
        assert scores.valid.all() and len(scores.frames) >= 3
        assert max(np.abs(e).max() for e in scores.errors.values()) < 1e-6
        assert not scores.failed.any() and scores.failure_known.any()
        assert scores.agreement.min() > (0.999 if protocol != "taco_head" else 0.9)
        assert scores.vsd.max() < (1e-9 if protocol != "taco_head" else 0.05)
        assert scores.stability.min() > 1 - 1e-9


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_the_report_shows_a_planted_fault(roots: dict[str, Path], tmp_path: Path, fault: str) -> None:
    assert evaluate(roots["v1"], tmp_path, f"truth:{fault}") == 0
    with (tmp_path / "findings.csv").open() as file:
        found = {row["kind"] for row in csv.DictReader(file)}
    assert found == {KINDS[fault]}
    page = (tmp_path / "report.html").read_text()
    assert "What looks like a mistake" in page
    assert "nan" not in summary(tmp_path).values() and "inf" not in summary(tmp_path).values()


def test_scores_are_kept_and_made_anew_when_the_protocol_changes(
    roots: dict[str, Path], tmp_path: Path
) -> None:
    source = Source("taco", roots["v1"], "first_fixed")
    protocol = load_protocol("taco")
    first = score(source, protocol, "truth:late", tmp_path)
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "scores").iterdir()}
    again = score(source, protocol, "truth:late", tmp_path)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "scores").iterdir()} == kept
    for a, b in zip(first.objects, again.objects):
        np.testing.assert_array_equal(a.errors["add"], b.errors["add"])
        np.testing.assert_array_equal(a.vsd, b.vsd)
    score(source, protocol, "truth", tmp_path)
    assert all(p.stat().st_mtime_ns != t for p, t in kept.items())


def test_bop_results_of_the_truth_score_like_the_truth(roots: dict[str, Path], tmp_path: Path) -> None:
    table = tmp_path / "truth.csv"
    assert evaluate(roots["v1"], tmp_path / "a", "truth", "taco", "--csv", str(table)) == 0
    assert len(read_bop_results(table)) == 2 * 2 * 12
    assert evaluate(roots["v1"], tmp_path / "b", str(table)) == 0
    line = summary(tmp_path / "b")
    assert float(line["auc_add_s"]) > 0.9999


def test_pose_folders_are_read(roots: dict[str, Path], tmp_path: Path) -> None:
    source = Source("taco", roots["v1"], "first_fixed")
    recording = source.read(source.sequences()[0], lambda problem: None)[0]
    folder = tmp_path / "theirs" / recording.name / recording.view / "tool" / "ob_in_cam"
    folder.mkdir(parents=True)
    for i in range(0, recording.num_frames - 4):
        np.savetxt(folder / f"{i:06d}.txt", recording.objects["tool"].camera_from_object[i])
    results = score(source, load_protocol("taco"), tmp_path / "theirs", tmp_path / "out")
    by_name = {(s.sequence, s.name): s for s in results.objects}
    tool = by_name[recording.name, "tool"]
    assert tool.valid.sum() == (tool.frames < recording.num_frames - 4).sum()
    assert tool.errors["add"][tool.valid].max() < 1e-6
    assert not by_name[recording.name, "target"].valid.any()
    assert not any(s.valid.any() for s in results.objects if s.sequence != recording.name)


@pytest.mark.parametrize(
    "defect", ["truncated_npy", "wrong_shape", "pickled_poses", "malicious_pickle", "missing_calibration"]
)
def test_a_damaged_sequence_is_named_and_the_rest_is_scored(tmp_path: Path, defect: str) -> None:
    names = write_taco(tmp_path / "taco", sequences=2, frames=6, size=(96, 72), defects=(defect,))
    source = Source("taco", tmp_path / "taco", "first_fixed")
    results = score(source, load_protocol("taco"), "truth", tmp_path / "out")
    whole = [s for s in results.objects if s.sequence == names[1]]
    assert len(whole) == 2 and all(s.valid.all() for s in whole)
    said = [f.text for f in results.findings if f.where.startswith(names[0])]
    said += [note for s in results.objects if s.sequence == names[0] for note in s.notes]
    assert said
    assert all("\n" not in text for text in said)
    assert not list(tmp_path.rglob("*malice*"))


def test_split_and_view_can_be_asked_for(roots: dict[str, Path], tmp_path: Path) -> None:
    assert evaluate(roots["v1"], tmp_path, "truth", "taco", "--split", "train", "--view", "egocentric") == 0
    with (tmp_path / "sequences.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows and {row["view"] for row in rows} == {"egocentric"}
    splits = dict(line.split(",") for line in next(roots["v1"].glob("*split.txt")).read_text().split())
    assert {splits[row["sequence"]] for row in rows} == {"train"}


def test_bad_arguments_are_one_line(
    roots: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(roots["v1"], tmp_path, str(tmp_path / "nothing")) == 2
    assert evaluate(tmp_path / "nowhere", tmp_path, "truth") == 2
    assert evaluate(roots["v1"], tmp_path, "truth:upside") == 2
    assert evaluate(roots["v1"], tmp_path, "truth", "tacoo") == 2
    assert evaluate(roots["v1"], tmp_path, "truth", "taco", "--sequences", "x") == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 5 and all(line.startswith("dexman-pose: ") for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["v1", "prerelease"])
def test_the_default_pipeline_goes_through(tmp_path: Path, layout: str) -> None:
    write_taco(tmp_path / "taco", sequences=10, frames=12, layout=layout, size=(320, 240))
    script = Path(__file__).resolve().parents[2] / "eval" / "taco.py"
    given = ["--root", str(tmp_path / "taco"), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, str(script), *given], capture_output=True, text=True, check=False, timeout=1800
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "out" / "report.html").is_file()
    assert 0.2 < float(summary(tmp_path / "out")["auc_add_s"]) <= 1.0


def test_the_tables_do_not_depend_on_how_many_work_on_them(roots: dict[str, Path], tmp_path: Path) -> None:
    for workers in ("1", "2"):
        assert evaluate(roots["v1"], tmp_path / workers, "truth:late", "taco", "--workers", workers) == 0
    for path in (tmp_path / "1").glob("*.csv"):
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes(), path.name
