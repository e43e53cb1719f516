"""Commands that succeed: a small run from files, looking at it again, and the tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import dexman_pose as dp
from dexman_pose.benchmarks.speed.pose import PoseTiming
from dexman_pose.cli import demo
from dexman_pose.cli.main import main


@pytest.fixture(scope="module")
def finished_run(tiny_scene: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the tiny scene, made by the command itself from a folder of images."""
    root = tmp_path_factory.mktemp("run")
    (root / "frames").mkdir()
    for i, frame in enumerate(tiny_scene.frames):
        Image.fromarray(frame).save(root / "frames" / f"{i}.png")
    (root / "prompts.json").write_text(json.dumps({"objects": {"box": tiny_scene.box}}))
    arguments = ["run", root / "frames", "--prompts", root / "prompts.json", "--out", root / "out"]
    arguments += ["--hands", "none", "--K", "150,150,63.5,47.5", "--no-overlay"]
    assert main([str(a) for a in arguments]) == 0
    return root / "out"


def test_a_run_leaves_a_trajectory_with_the_given_camera(finished_run: Path) -> None:
    result = dp.Trajectory.load(finished_run)
    assert result.num_frames == 4 and list(result.objects) == ["box"]
    np.testing.assert_array_equal(result.camera.K, [[150, 0, 63.5], [0, 150, 47.5], [0, 0, 1]])


def test_the_same_command_takes_everything_from_the_run_folder(
    finished_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", finished_run.parent / "frames", "--prompts", finished_run.parent / "prompts.json"]
    arguments += ["--out", finished_run, "--hands", "none", "--K", "150,150,63.5,47.5", "--no-overlay"]
    assert main([str(a) for a in arguments]) == 0
    out = capsys.readouterr().out
    assert out.count("unchanged") == 7 and "done in" not in out
    assert "stage 7/7  trajectory" in out
    assert str(finished_run / "trajectory.npz") in out


def test_view_says_what_was_found(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(finished_run)]) == 0
    out = capsys.readouterr().out
    assert "4 frames" in out and "object box" in out


def test_view_says_it_to_programs(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(finished_run), "--json"]) == 0
    said, result = json.loads(capsys.readouterr().out), dp.Trajectory.load(finished_run)
    assert said["frames"] == 4 and said["camera"]["K"] == result.camera.K.tolist()
    box = said["objects"]["box"]
    assert (
        box["valid"] == result.objects["box"].valid.mean()
        and box["scale_source"] == result.objects["box"].scale_source
    )


def test_a_camera_that_nobody_told_is_called_alike_in_run_file_and_result(
    tiny_scene: Any, tmp_path: Path
) -> None:
    box = dp.ObjectPrompt(box=tiny_scene.box)
    result = dp.reconstruct(
        np.stack(tiny_scene.frames), {"box": box}, hands=None, overlay=False, out=tmp_path
    )
    assert result.camera.source == "assumed"
    assert json.loads((tmp_path / "run.json").read_text())["camera"] == "assumed"


def test_a_quiet_run_names_its_files_and_nothing_else(
    finished_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", finished_run.parent / "frames", "--prompts", finished_run.parent / "prompts.json"]
    arguments += [
        "--out",
        finished_run,
        "--hands",
        "none",
        "--K",
        "150,150,63.5,47.5",
        "--no-overlay",
        "--quiet",
    ]
    assert main([str(a) for a in arguments]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert str(finished_run / "trajectory.npz") in lines and said.err == ""
    assert all(Path(line).is_file() for line in lines)


def test_the_run_file_says_what_the_result_says(finished_run: Path) -> None:
    told = json.loads((finished_run / "run.json").read_text())
    result = dp.Trajectory.load(finished_run)
    found = result.provenance
    assert told["finished"] and told["camera"] == result.camera.source == found["camera"]
    assert told["frames"] == result.num_frames == found["input"]["frames"]
    assert told["objects"] == list(result.objects) == list(found["objects"])
    assert {key: told[key] for key in ("depth", "given", "versions")} == {
        key: found[key] for key in ("depth", "given", "versions")
    }


def test_view_draws_a_frame(finished_run: Path, tmp_path: Path) -> None:
    png = tmp_path / "deep" / "frame.png"
    assert main(["view", str(finished_run), "--frame", "2", "--png", str(png)]) == 0
    with Image.open(png) as picture:
        assert picture.width >= 128 and len(np.unique(np.asarray(picture))) > 50


def test_view_draws_the_overlay_again(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert main(["view", str(finished_run), "--export-overlay"]) == 0
    assert (finished_run / "overlay.mp4").is_file() and (finished_run / "report.html").is_file()
    assert "overlay.mp4" in capsys.readouterr().out


@pytest.mark.parametrize("options", [["--frame", "4"], ["--video", "none.mp4"]])
def test_view_of_what_is_not_there_is_bad_input(
    finished_run: Path, tmp_path: Path, options: list[str]
) -> None:
    assert main(["view", str(finished_run), "--png", str(tmp_path / "x.png"), *options]) == 2


def test_view_of_another_video_is_bad_input(
    finished_run: Path, tiny_scene: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(tiny_scene.frames[0]).save(tmp_path / "0.png")
    assert main(["view", str(finished_run), "--png", "x.png", "--video", str(tmp_path)]) == 2
    assert "has 1 frames of 128x96, but the run has 4 of 128x96" in capsys.readouterr().err


def test_errors_are_printed_with_their_units(capsys: pytest.CaptureFixture[str]) -> None:
    demo.print_errors({"translation_mm_median": 1.234, "object_good_share": 0.5})
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[-2:] for line in lines] == [["50.00", "%"], ["1.23", "mm"]]


def test_bench_prints_a_line_for_every_measurement(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "render", "--repeats", "1"]) == 0
    machine, *others = capsys.readouterr().out.splitlines()
    assert " cores, " in machine
    lines = [line for line in others if line.startswith("rasterise")]
    own = [line for line in lines if "pytorch3d" not in line]
    assert len(own) == 6 and any("128x128, 5120 faces" in line for line in own)
    assert all(float(line.split()[-4]) > 0 for line in own)
    (peer,) = set(lines) - set(own)
    assert "not installed" in peer or " x the time of this one" in peer


def test_bench_times_the_pose_engine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        PoseTiming("refine", "crop", 0.002, 7, 0.015, (0.2, 0.1)),
        PoseTiming("first order", "a", 1.5, ratio=750.0),
        PoseTiming("track", "b", 0.01),
    ]
    live = PoseTiming("live update, by region", "c", 0.002, aim=0.002)
    monkeypatch.setattr("dexman_pose.benchmarks.speed.pose.bench_pose", lambda frames, repeats: iter(rows))
    monkeypatch.setattr("dexman_pose.benchmarks.speed.live.bench_live", lambda frames, repeats: iter([live]))
    assert main(["bench", "--only", "pose"]) == 0
    lines = capsys.readouterr().out.splitlines()[-4:]
    ends = [
        "2.000 ms; 7 steps; 0.20 mm, 0.10 deg left; aim 15",
        "1500.000 ms; 750 x the fused solver",
        "10.000 ms per frame",
        "2.000 ms; aim 2",
    ]
    assert [line.endswith(end) for line, end in zip(lines, ends)] == [True] * 4


@pytest.mark.slow
def test_the_demonstration_runs_and_prints_its_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--frames", "6", "--hands", "none", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "object, translation, median" in out
    assert all((tmp_path / name).is_file() for name in ("trajectory.npz", "overlay.mp4", "report.html"))
