"""The command that renders grasp films, and that which scores the pipeline on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.benchmarks.scene import run
from dexman_pose.benchmarks.scene.run import FilmScores
from dexman_pose.cli.main import main
from dexman_pose.datasets.taco.reader import read_taco
from dexman_pose.synthetic.demo.clip import SyntheticClip
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.grasps.record import FilmRecord

FRAMES = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One grasp and its mesh: the demonstration's tin."""
    root = tmp_path_factory.mktemp("grasps")
    clip = SyntheticClip(28, 160, 120)
    np.savez(
        root / "tin.npz",
        T_cam_obj=clip.truth.camera_from_object[:FRAMES],
        hand_joints_cam=clip.truth.joints[:FRAMES],
        hand_valid=np.ones(FRAMES, np.bool_),
        side="right",
        object="tin",
    )
    write_obj(root / "tin.obj", clip.mesh)
    return root


def _options(folder: Path) -> list[str]:
    given = ["--grasps", str(folder), "--meshes", str(folder), "--stories", "lift"]
    return [*given, "--frames", "5", "--size", "64x48"]


def test_films_are_written_in_both_layouts(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["synth", *_options(folder), "--out", str(tmp_path), "--seeds", "4"]) == 0
    place, name = capsys.readouterr().out.split()
    record = FilmRecord.load(place)
    assert record.truth.objects[0].startswith("tin") and record.labels.shape == (5, 48, 64)
    views = list(read_taco(tmp_path))
    assert {v.name for v in views} == {name} and len(views) == 2


def test_films_that_are_there_are_not_rendered_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["synth", *_options(folder), "--out", str(tmp_path), "--seeds", "4"]
    assert main(command) == 0
    said = capsys.readouterr().out
    film = Path(said.split()[0])
    before = (film / "masks.npz").stat().st_mtime_ns
    assert main(command) == 0 and capsys.readouterr().out == said
    assert (film / "masks.npz").stat().st_mtime_ns == before
    (film / "video.mp4").unlink()
    assert main(command) == 0 and (film / "video.mp4").is_file()
    assert (film / "masks.npz").stat().st_mtime_ns > before


@pytest.mark.parametrize(
    "wrong", [["--seeds", "a"], ["--size", "64"], ["--size", "63x48"], ["--stories", "juggle"]]
)
def test_wrong_options_are_one_line(
    folder: Path, tmp_path: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--grasps", str(folder), "--meshes", str(folder)]
    assert main(["synth", *given, "--out", str(tmp_path), *wrong]) == 2
    assert wrong[1] in capsys.readouterr().err


def test_the_bench_prints_a_table_and_writes_numbers(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[Any] = []

    def scored(record: FilmRecord, job: Any) -> FilmScores:
        jobs.append(job)
        return FilmScores(
            record.folder.name, record.truth.num_frames, {"tin": {"add_s_mm": 3.0}}, seconds=1.0
        )

    monkeypatch.setattr(run, "run_film", scored)
    out, keep = tmp_path / "scores.json", tmp_path / "films"
    command = ["bench", "scene", *_options(folder), "--no-mesh", "--depth", "--keep", str(keep)]
    assert main([*command, "--seeds", "4", "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "ADD-S, median" in printed and "none" in printed
    assert (jobs[0].mesh, jobs[0].depth, jobs[0].camera) == (False, True, True)
    written = json.loads(out.read_text())
    assert written["summary"]["add_s_mm"]["median"] == 3.0 and written["films"][0]["frames"] == 5
    video = next(keep.glob("*/video.mp4"))
    before = video.stat().st_mtime_ns
    assert main([*command, "--seeds", "4"]) == 0
    assert video.stat().st_mtime_ns == before  # a film that is there is not rendered again
